//! `sealwright key find`, and what `show` and `rotate` say to people.

use super::*;

/// What is beside a name in the output of a command for people.
fn line<'o>(out: &'o str, name: &str) -> &'o str {
    let line = out.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {out}"))[name.len()..].trim()
}

both! {
    fn a_key_is_found_by_its_value_and_by_what_is_shown_of_it(database: without_credentials) {
        let server = Server::start(database);
        let (key, other) = (server.key("orders:read"), server.key("orders:read"));
        server.cli(&["key", "revoke", &key.id, "--yes"]);
        let shown = server.cli(&["key", "show", &key.id]);
        let found = end_with_input(0, &mut server.command(&["key", "find", "--json"]), &format!(" {}\t\n", key.key));
        assert_eq!(serde_json::from_str::<Value>(&found.out).unwrap(), shown);
        let (prefix, last_four) = (text(&shown["prefix"]), text(&shown["last_four"]));
        for options in [
            vec!["--prefix", &*prefix],
            vec!["--last-four", &last_four],
            vec!["--prefix", &prefix, "--last-four", &last_four],
        ] {
            assert_eq!(names(&server, &[&["key", "find"], options.as_slice()].concat(), "id"), [&*key.id]);
        }
        for value in ["nothing", &other.key.replace("sw_live", "sw_dev")] {
            let missed = end_with_input(1, &mut server.command(&["key", "find"]), value);
            assert!(missed.err.contains("no such key") && missed.out.is_empty(), "{missed:?}");
            assert!(!missed.err.contains(value), "{missed:?}");
        }
        for options in [vec![], vec!["--last-four", "abc"], vec![&*key.key]] {
            end_with(2, server.command(&["key", "find"]).args(options));
        }
    }

    fn what_is_not_set_is_said_in_words(database: without_credentials) {
        let server = Server::start(database);
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme Corp"]);
        made_user(&server, "ann@example.com", "developer");
        let free = server.key("orders:read");
        let said = end_with(0, &mut server.command(&["key", "show", &free.id])).out;
        for (name, expected) in [
            ("rate_per_minute", "unlimited"),
            ("burst_per_second", "unlimited"),
            ("expires_at", "never"),
            ("allowed_ips", "any"),
            ("customers", "any"),
            ("owner", "organisation"),
            ("last_used_at", "-"),
        ] {
            assert_eq!(line(&said, name), expected, "{said}");
        }
        let create = ["key", "create", "--name", "x", "--scope", "orders:read", "--scope", "special"];
        let options = ["--customer", "acme", "--owner", "ann@example.com", "--rate-per-minute", "7"];
        let tied = text(&server.cli(&[&create[..], &options].concat())["id"]);
        let said = end_with(0, &mut server.command(&["key", "show", &tied])).out;
        for (name, expected) in [
            ("rate_per_minute", "7"),
            ("burst_per_second", "10"),
            ("customers", "acme (Acme Corp)"),
            ("owner_email", "ann@example.com"),
            ("effective_scopes", "orders:read"),
            ("status", "active"),
        ] {
            assert_eq!(line(&said, name), expected, "{said}");
        }
        let listed = end_with(0, &mut server.command(&["key", "list"])).out;
        assert!(listed.contains("ann@example.com") && listed.contains("acme"), "{listed}");
        server.cli(&["user", "disable", "ann@example.com"]);
        let said = end_with(0, &mut server.command(&["key", "show", &tied])).out;
        assert_eq!((line(&said, "status"), line(&said, "inactive_reason")), ("inactive", "owner_inactive"), "{said}");
    }

    fn when_an_old_value_ends_is_said(database: without_credentials) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        let rotated = end_with(0, &mut server.command(&["key", "rotate", &key.id, "--grace", "2h"]));
        let shown = server.cli(&["key", "show", &key.id]);
        let end = text(&shown["values"][1]["ends_at"]);
        assert!(rotated.err.contains(&format!("accepted until {end}")), "{rotated:?}");
        let said = end_with(0, &mut server.command(&["key", "show", &key.id])).out;
        let ends = format!("ends_at={end}");
        assert!(said.lines().any(|line| line.contains(&ends) && line.contains("live=true")), "{said}");
        let rotated = end_with(0, &mut server.command(&["key", "rotate", &key.id]));
        assert!(!rotated.err.contains("accepted until"), "{rotated:?}");
    }
}
