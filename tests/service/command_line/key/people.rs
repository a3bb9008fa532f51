//! `sealwright customer`, `user` and `role`.

use super::*;

both! {
    fn customers_are_kept_by_command(database: without_credentials) {
        let server = Server::start(database);
        let made = server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let id = text(&made["id"]);
        for named in ["acme", &id] {
            assert_eq!(server.cli(&["customer", "show", named]), made);
        }
        let changed = server.cli(&["customer", "update", "acme", "--name", "Acme Co.", "--metadata", "plan=a=b"]);
        assert_eq!(
            (&changed["name"], &changed["metadata"], &changed["id"]),
            (&json!("Acme Co."), &json!({"plan": "a=b"}), &made["id"])
        );
        server.cli(&["customer", "create", "--external-id", "zeta", "--name", "Zeta"]);
        assert_eq!(names(&server, &["customer", "list"], "external_id"), ["zeta", "acme"]);
        assert_eq!(names(&server, &["customer", "list", "--external-id", "acme"], "id"), std::slice::from_ref(&id));
        assert_eq!(names(&server, &["customer", "list", "--limit", "1"], "external_id"), ["zeta"]);
        let key = server.key_with("read", &["--customer", "acme"]);
        assert_eq!(server.cli(&["key", "show", &key.id])["customers"][0]["external_id"], "acme");
        let update = |pairs: &[&str]| {
            let options = pairs.iter().flat_map(|pair| ["--metadata", pair]);
            server.cli(&["key", "update", &key.id].into_iter().chain(options).collect::<Vec<_>>())["metadata"].clone()
        };
        assert_eq!(update(&["a=1", "b=2"]), json!({"a": "1", "b": "2"}));
        assert_eq!(update(&["a=", "c=3"]), json!({"b": "2", "c": "3"}));
        assert_eq!(update(&["none"]), json!({}));
        for (status, arguments, said) in [
            (1, vec!["customer", "delete", "acme", "--yes"], "tied"),
            (1, vec!["customer", "create", "--external-id", "zeta", "--name", "x"], "external id"),
            (1, vec!["customer", "show", "hooli"], "no such customer"),
            (1, vec!["customer", "suspend", "hooli"], "no such customer"),
            (2, vec!["customer", "update", "acme", "--external-id", "hooli"], "--external-id"),
            (2, vec!["customer", "update", "acme", "--metadata", "plan"], "--metadata"),
            (2, vec!["key", "update", &key.id, "--metadata", "a=1", "--metadata", "a=2"], "--metadata"),
            (1, vec!["customer", "delete", "nobody"], "no such customer"),
            (2, vec!["customer", "create", "--external-id", "a b", "--name", "x"], "--external-id"),
            (2, vec!["customer", "create", "--external-id", "x"], "--name"),
            (2, vec!["customer", "create", "--external-id", "x", "--name", ""], "--name"),
            (2, vec!["customer", "list", "--limit", "0"], "--limit"),
            (2, vec!["customer", "show"], "ID"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said) && ended.out.is_empty(), "{arguments:?}: {ended:?}");
        }
        server.cli(&["key", "update", &key.id, "--customer", "any"]);
        let gone = end_with(0, &mut server.command(&["customer", "delete", "acme", "--yes", "--json"]));
        assert!(serde_json::from_str::<Value>(&gone.out).is_ok_and(|said| said.is_object()), "{gone:?}");
        assert_eq!(names(&server, &["customer", "list"], "external_id"), ["zeta"]);
    }

    fn a_user_s_password_comes_from_a_file_or_from_standard_input(database: without_credentials) {
        let server = Server::spawn(database);
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let good = file("good", "correct horse battery\nnot this\n");
        let made = server.cli(&[
            "user",
            "create",
            "--email",
            "Ann@Example.com",
            "--role",
            "developer",
            "--name",
            "Ann",
            "--password-file",
            &good,
        ]);
        for (field, value) in [
            ("email", json!("ann@example.com")),
            ("role", json!("developer")),
            ("name", json!("Ann")),
            ("status", json!("active")),
            ("has_password", json!(true)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let bob = made_user(&server, "bob@example.com", "auditor");
        assert_eq!(server.cli(&["user", "show", &bob])["has_password"], true);
        assert_eq!(server.cli(&["user", "show", "ANN@example.com"]), made);
        let create = ["user", "create", "--email", "eve@example.com", "--role", "auditor"];
        let missing = folder.path().join("missing").display().to_string();
        for (password_file, said) in [
            (file("short", "seven77\n"), "--password"),
            (file("empty", ""), "--password"),
            (file("blank", "\ncorrect horse battery\n"), "--password"),
            (file("long", &"x".repeat(1025)), "--password"),
            (missing, "--password-file"),
        ] {
            let ended = end_with(2, server.command(&create).args(["--password-file", &password_file]));
            assert!(ended.err.contains(said) && !ended.err.contains("seven77"), "{ended:?}");
        }
        let ended = end_with_input(2, &mut server.command(&create), "seven77\n");
        assert!(ended.err.contains("--password") && !ended.err.contains("seven77"), "{ended:?}");
        assert!(ended.err.contains("--password-file must have at least 8"), "the option that there is: {ended:?}");
        for nothing in
            [end_with(2, &mut server.command(&create)), end_with_input(2, &mut server.command(&create), "\n")]
        {
            assert!(nothing.err.contains("--password-file") && nothing.out.is_empty(), "{nothing:?}");
        }
        assert_eq!(
            names(&server, &["user", "list"], "email"),
            ["bob@example.com", "ann@example.com"],
            "nobody else was made"
        );
        let hashed = "SELECT COUNT(*) AS n FROM users WHERE password_hash LIKE '$argon2id$%'";
        assert_eq!(server.database.numbers(hashed), [2]);
        let changed = server.cli(&["user", "update", "bob@example.com", "--password-file", &good, "--name", "Bob"]);
        assert_eq!((&changed["name"], &changed["has_password"]), (&json!("Bob"), &json!(true)));
        for said in
            [made.to_string(), changed.to_string(), serde_json::to_string(&server.events(&[])).unwrap(), server.log()]
        {
            assert!(!said.contains("horse") && !said.contains("argon2"), "{said}");
        }
    }

    fn users_and_roles_by_command_reach_a_running_server_within_a_second(database: without_credentials) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        let role = server.cli(&[
            "role",
            "create",
            "support",
            "--description",
            "Helps.",
            "--scope",
            "orders:read",
            "--scope",
            "orders:write",
        ]);
        assert_eq!(
            (texts(&role["scopes"]), &role["built_in"]),
            (vec!["orders:read".to_owned(), "orders:write".to_owned()], &json!(false))
        );
        assert_eq!(server.cli(&["role", "show", "support"]), role);
        assert_eq!(names(&server, &["role", "list"], "name"), ["admin", "auditor", "developer", "owner", "support"]);
        let ann = made_user(&server, "ann@example.com", "support");
        let key = server.key_with("orders:read orders:write", &["--owner", "ann@example.com"]);
        let becomes = |expected: &str| {
            within_a_second(&expected.to_owned(), || code(&server, &verifier.key, &key.key, &["orders:write"]));
        };
        becomes("VALID");
        for (arguments, expected) in [
            (vec!["role", "update", "support", "--scope", "orders:read"], "INSUFFICIENT_SCOPE"),
            (vec!["role", "update", "support", "--scope", "orders:*"], "VALID"),
            (vec!["role", "update", "support", "--scope", "none"], "INSUFFICIENT_SCOPE"),
            (vec!["user", "update", "ann@example.com", "--role", "developer"], "VALID"),
            (vec!["user", "disable", "ann@example.com"], "DISABLED"),
            (vec!["user", "enable", &ann], "VALID"),
            (vec!["user", "update", &ann, "--role", "auditor"], "INSUFFICIENT_SCOPE"),
            (vec!["key", "transfer", &key.id, "--to-organisation"], "VALID"),
        ] {
            server.cli(&arguments);
            becomes(expected);
        }
        assert_eq!(names(&server, &["user", "list", "--role", "auditor"], "id"), std::slice::from_ref(&ann));
        assert_eq!(names(&server, &["user", "list", "--email", "ANN@example.com"], "id"), [ann]);
        assert_eq!(names(&server, &["user", "list", "--role", "support"], "id"), Vec::<String>::new());
        for (status, arguments, said) in [
            (1, vec!["role", "create", "support", "--scope", "read"], "already"),
            (1, vec!["role", "delete", "auditor", "--yes"], "built in"),
            (1, vec!["role", "update", "owner", "--scope", "none"], "built in"),
            (1, vec!["role", "show", "nobody"], "no such role"),
            (1, vec!["user", "show", "nobody@example.com"], "no such user"),
            (1, vec!["user", "disable", "usr_0199c0de0000700080000000000000ff"], "no such user"),
            (2, vec!["role", "create", "Upper", "--scope", "read"], "--name"),
            (2, vec!["role", "create", "x"], "--scope"),
            (2, vec!["role", "create", "x", "--scope", "a\\b"], "--scope"),
            (2, vec!["user", "update", "ann@example.com", "--role", "nobody"], "--role"),
            (2, vec!["user", "update", "ann@example.com", "--email", "x"], "--email"),
            (2, vec!["user", "create", "--email", "x@y"], "--role"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said) && ended.out.is_empty(), "{arguments:?}: {ended:?}");
        }
        server.cli(&["role", "delete", "support", "--yes"]);
        assert_eq!(names(&server, &["role", "list"], "name"), ["admin", "auditor", "developer", "owner"]);
        server.cli(&["role", "create", "--name", "named", "--scope", "read"]);
        server.cli(&["user", "update", "ann@example.com", "--role", "named"]);
        let ended = end_with(1, &mut server.command(&["role", "delete", "named", "--yes"]));
        assert!(ended.err.contains("users"), "{ended:?}");
    }
}
