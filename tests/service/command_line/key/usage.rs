//! What is said of wrong use.

use super::*;

both! {
    fn wrong_use_is_said_with_status_2_and_what_fails_with_status_1(database: without_credentials) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        let id = key.id.as_str();
        let create = |options: &[&'static str]| [&["key", "create", "--name", "x"], options].concat();
        for (status, arguments, said) in [
            (2, create(&[]), "--scope"),
            (2, vec!["key", "create", "--scope", "read"], "--name"),
            (2, vec!["key", "create", "--name", "", "--scope", "read"], "--name"),
            (2, create(&["--scope", "a\\b"]), "--scope"),
            (2, create(&["--scope", "sealwright.x"]), "--scope"),
            (2, create(&["--scope", "admin"]), "--scope"),
            (2, create(&["--preset", "all"]), "--preset"),
            (2, create(&["--preset", "full", "--scope", "read"]), "--preset"),
            (2, create(&["--preset", "scoped"]), "--scope"),
            (2, create(&["--scope", "a", "--type", "admin"]), "--type"),
            (2, create(&["--scope", "a", "--type", "client"]), "--customer"),
            (2, create(&["--scope", "a", "--environment", "prod"]), "--environment"),
            (2, create(&["--scope", "a", "--customer", "nobody"]), "--customer"),
            (2, create(&["--scope", "a", "--owner", "nobody@example.com"]), "--owner"),
            (2, create(&["--scope", "a", "--allow-ip", "host"]), "--allow-ip"),
            (2, create(&["--scope", "a", "--rate-per-minute", "0"]), "--rate-per-minute"),
            (2, create(&["--scope", "a", "--burst-per-second", "many"]), "--burst-per-second"),
            (2, create(&["--scope", "a", "--expires-in", "1w"]), "--expires-in"),
            (2, create(&["--scope", "a", "--expires-in", "0s"]), "--expires-in"),
            (2, create(&["--scope", "a", "--expires-at", "2020-01-01T00:00:00Z"]), "--expires-at"),
            (2, create(&["--scope", "a", "--expires-in", "1d", "--expires-at", "never"]), "--expires-in"),
            (2, vec!["key", "rotate", id, "--grace", "31d"], "--grace"),
            (2, vec!["key", "rotate", id, "--grace", "1"], "--grace"),
            (2, vec!["key", "transfer", id], "--owner"),
            (2, vec!["key", "transfer", id, "--owner", "nobody"], "--owner"),
            (2, vec!["key", "transfer", id, "--owner", "x", "--to-organisation"], "--owner"),
            (2, vec!["key", "list", "--limit", "0"], "--limit"),
            (2, vec!["key", "list", "--status", "lost"], "--status"),
            (2, vec!["key", "delete", id], "delete"),
            (2, vec!["key", "show"], "ID"),
            (1, vec!["key", "show", "key_1"], "no such key"),
            (1, vec!["key", "update", "key_1", "--name", "x"], "no such key"),
            (1, vec!["key", "revoke", "nothing"], "no such key"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
            assert!(ended.out.is_empty(), "{arguments:?}: {}", ended.out);
        }
        let ended = end_with(1, &mut server.command(&["key", "show", "key_1", "--json"]));
        assert_eq!(
            serde_json::from_str::<Value>(&ended.err).unwrap()["error"],
            json!({"code": "not_found", "message": "there is no such key"})
        );
        assert_eq!(names(&server, &["key", "list"], "id"), [id], "nothing was made");
        assert_eq!(verified(&server, 0, &key.key, &["--scope", "orders:read"])["id"], json!(id), "nothing was changed");
        let asked = now();
        let made = server.cli(&create(&["--preset", "full", "--expires-in", "90d"]));
        assert!((asked + 90 * 86_400_000..=now() + 90 * 86_400_000).contains(&millis(&made["expires_at"])), "{made}");
    }
}

#[test]
fn help_is_no_failure_and_its_lack_is_a_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let run = |status: i32, arguments: &[&str]| {
        let mut command = binary();
        end_with(status, command.current_dir(folder.path()).args(arguments))
    };
    for arguments in [
        vec!["key", "--help"],
        vec!["key", "help", "create"],
        vec!["key", "create", "--help"],
        vec!["key", "verify", "-h"],
        vec!["customer", "--help"],
        vec!["user", "create", "--help"],
        vec!["role", "update", "--help"],
        vec!["revoke-all", "--help"],
    ] {
        let ended = run(0, &arguments);
        assert!(ended.out.contains("Usage:") && ended.err.is_empty(), "{arguments:?}: {ended:?}");
    }
    for arguments in [
        vec!["key"],
        vec!["customer"],
        vec!["user"],
        vec!["role"],
        vec!["revoke-all"],
        vec!["key", "verify"],
        vec!["key", "create", "--no-such"],
        vec!["keys", "list"],
        vec!["user", "delete", "x"],
    ] {
        let ended = run(2, &arguments);
        assert!(!ended.err.is_empty() && ended.out.is_empty(), "{arguments:?}: {ended:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
