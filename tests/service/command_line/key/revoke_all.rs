//! `sealwright revoke-all` by owner and customer.

use super::*;
use crate::support::Work;

both! {
    fn the_brake_ends_every_credential_of_an_owner_or_a_customer(database: without_credentials) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let ann = made_user(&server, "ann@example.com", "developer");
        let anns = [
            server.key_with("read", &["--owner", &ann]),
            server.key_with("read", &["--owner", &ann, "--customer", "acme"]),
        ];
        let anns_client = server.client_with("read", &["--owner", "ann@example.com"]);
        let anns_staging = server.key_with("read", &["--owner", &ann, "--environment", "staging"]);
        let acmes = server.key_with("read", &["--customer", "acme"]);
        let acmes_client = server.client_with("read", &["--customer", "acme"]);
        let other = server.key("read");
        let is = |expected: [&str; 4]| {
            within_a_second(&expected.map(str::to_owned), || {
                [&anns[0], &anns[1], &acmes, &other].map(|key| code(&server, &verifier.key, &key.key, &["read"]))
            });
        };
        is(["VALID"; 4]);
        for options in [vec!["--owner", "ann@example.com"], vec!["--customer", "acme", "--json"]] {
            let ended = end_with(2, &mut server.command(&[&["revoke-all"], options.as_slice()].concat()));
            assert!(ended.err.contains("--yes") && ended.out.is_empty(), "{ended:?}");
            let counted = server.cli(&[&["revoke-all", "--dry-run"], &options[..2]].concat());
            let expected = (&json!(true), &Value::Null, &json!(0));
            assert_eq!((&counted["dry_run"], &counted["id"], &counted["revoked"]), expected);
            assert_eq!(counted["clients"], 1);
            assert!(counted["keys"].as_i64().unwrap() >= 2, "{counted}");
        }
        let shown = end_with(0, &mut server.command(&["revoke-all", "--dry-run", "--environment", "staging"])).out;
        let is_shown = |name: &str| shown.lines().any(|line| line.starts_with(name));
        assert!(is_shown("environment ") && !is_shown("owner ") && !is_shown("customer "), "{shown}");
        end_with(2, &mut server.command(&["revoke-all", "--dry-run"]));
        for options in [["--owner", "nobody@example.com"], ["--customer", "nobody"]] {
            for flag in ["--yes", "--dry-run"] {
                let ended = end_with(1, server.command(&["revoke-all", flag]).args(options));
                assert!(ended.err.contains("no such"), "{ended:?}");
            }
        }
        is(["VALID"; 4]);
        let both = server.cli(&["revoke-all", "--owner", "ANN@example.com", "--customer", "acme", "--yes"]);
        assert_eq!((&both["revoked"], &both["keys"], &both["clients"]), (&json!(1), &json!(1), &json!(0)));
        is(["VALID", "REVOKED", "VALID", "VALID"]);
        let owners = server.cli(&["revoke-all", "--owner", &ann, "--environment", "production", "--yes"]);
        assert_eq!((&owners["revoked"], &owners["keys"], &owners["clients"]), (&json!(2), &json!(1), &json!(1)));
        is(["REVOKED", "REVOKED", "VALID", "VALID"]);
        within_a_second(&401, || server.token(&anns_client).status);
        assert_eq!(server.cli(&["key", "show", &anns_staging.id])["status"], "active");
        assert_eq!(server.token(&acmes_client).status, 200);
        let customers = server.cli(&["revoke-all", "--customer", "acme", "--yes"]);
        assert_eq!((&customers["revoked"], &customers["customer"]), (&json!(2), &json!("acme")));
        is(["REVOKED", "REVOKED", "REVOKED", "VALID"]);
        within_a_second(&401, || server.token(&acmes_client).status);
        let events = server.events(&["--action", "credential.revoke_all"]);
        let done: Vec<&Value> = events.iter().filter(|event| event["reason"] == "ok").collect();
        assert_eq!((done.len(), &done[0]["method"]), (3, &json!("CLI")), "{events:?}");
    }

    fn on_a_terminal_it_says_how_many_it_ends_and_asks(database: without_credentials) {
        let server = Server::start(database);
        let keys = [server.key("read"), server.key("read")];
        let use_of = server.http.get(format!("{}/api/v1/forward-auth", server.url)).header("x-api-key", &keys[0].key);
        assert_eq!(server.send(use_of).status, 200);
        server.work(Work::StoreNotes);
        let command = server.command(&["revoke-all", "--environment", "production"]);
        for (reply, status, keys) in [("n\n", 2, 0), ("\n", 2, 0), ("y\n", 0, 2)] {
            let ended = end_with_input(status, &mut on_a_terminal(&command), reply);
            let question = "clients 0, API keys 2; used in the last day: 1. Revoke all of them permanently?";
            assert!(ended.out.contains(question), "{ended:?}");
            let revoked = server.cli(&["key", "list", "--status", "revoked"]);
            assert_eq!(revoked["data"].as_array().unwrap().len(), keys, "{reply:?}");
        }
    }
}
