//! `sealwright key`.

use super::*;

both! {
    fn a_key_s_whole_life_by_command(database: without_credentials) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        let acme = text(&server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"])["id"]);
        let ann = made_user(&server, "ann@example.com", "developer");
        let expires = rfc3339(now() + 86_400_000);
        let made = server.cli(&[
            "key",
            "create",
            "--name",
            "export",
            "--environment",
            "production",
            "--type",
            "client",
            "--description",
            "Nightly.",
            "--scope",
            "orders:read",
            "--scope",
            "invoices:read",
            "--customer",
            "acme",
            "--owner",
            "ANN@example.com",
            "--allow-ip",
            "127.0.0.0/8",
            "--allow-ip",
            "::1",
            "--rate-per-minute",
            "1000",
            "--burst-per-second",
            "unlimited",
            "--expires-at",
            &expires,
        ]);
        for (field, value) in [
            ("environment", json!("production")),
            ("name", json!("export")),
            ("description", json!("Nightly.")),
            ("type", json!("client")),
            ("status", json!("active")),
            ("scopes", json!(["invoices:read", "orders:read"])),
            ("customers", json!([{"id": acme, "external_id": "acme", "name": "Acme"}])),
            ("owner", json!(ann)),
            ("allowed_ips", json!(["127.0.0.0/8", "::1"])),
            ("rate_per_minute", json!(1000)),
            ("burst_per_second", Value::Null),
            ("expires_at", json!(expires)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let TestKey { id, key } = TestKey { id: text(&made["id"]), key: text(&made["key"]) };
        let mut whole = made.clone();
        whole.as_object_mut().unwrap().remove("key");
        assert_eq!(server.cli(&["key", "show", &id]), whole);
        let request = server.http.get(format!("{}/api/v1/keys/{id}", server.url));
        let token = crate::api::owner(&server);
        assert_eq!(server.send(request.bearer_auth(&token)).body, whole, "the API shows the same object");

        let updated = server.cli(&[
            "key",
            "update",
            &id,
            "--name",
            "other",
            "--allow-ip",
            "any",
            "--expires-at",
            "never",
            "--preset",
            "write",
            "--rate-per-minute",
            "unlimited",
        ]);
        for (field, value) in [
            ("name", json!("other")),
            ("description", json!("Nightly.")),
            ("scopes", json!(["read", "write"])),
            ("customers", json!([{"id": acme, "external_id": "acme", "name": "Acme"}])),
            ("allowed_ips", json!([])),
            ("rate_per_minute", Value::Null),
            ("expires_at", Value::Null),
        ] {
            assert_eq!(updated[field], value, "{field}");
        }
        let now_is = |key: &str| code(&server, &verifier.key, key, &["orders:write"]);
        within_a_second(&"VALID".to_owned(), || now_is(&key));
        let rotated = text(&server.cli(&["key", "rotate", &id, "--grace", "24h"])["key"]);
        within_a_second(&["VALID".to_owned(), "VALID".to_owned()], || [&key, &rotated].map(|key| now_is(key)));
        let again = text(&server.cli(&["key", "rotate", &id])["key"]);
        within_a_second(&["NOT_FOUND", "NOT_FOUND", "VALID"].map(str::to_owned), || {
            [&key, &rotated, &again].map(|key| now_is(key))
        });
        for (arguments, owner) in [(vec!["--to-organisation"], Value::Null), (vec!["--owner", &ann], json!(ann))] {
            let given = server.cli(&[&["key", "transfer", &id], arguments.as_slice()].concat());
            assert_eq!(given["owner"], owner);
        }
        for (verb, status, then) in
            [("disable", "inactive", "DISABLED"), ("enable", "active", "VALID"), ("revoke", "revoked", "REVOKED")]
        {
            // Only the last asks.
            let yes = ["--yes"].into_iter().filter(|_| verb == "revoke");
            let arguments: Vec<&str> = ["key", verb, &id].into_iter().chain(yes).collect();
            assert_eq!(server.cli(&arguments)["status"], status);
            within_a_second(&then.to_owned(), || now_is(&again));
        }
        for verb in [vec!["enable"], vec!["disable"], vec!["rotate"], vec!["update", "--name", "x"]] {
            let mut arguments = vec!["key", verb[0], &id];
            arguments.extend(&verb[1..]);
            let ended = end_with(1, &mut server.command(&arguments));
            assert!(ended.err.contains("revoked") && ended.out.is_empty(), "{ended:?}");
        }
    }

    fn keys_are_listed_by_command(database: without_credentials) {
        let server = Server::start(database);
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let ann = made_user(&server, "ann@example.com", "developer");
        for (name, options) in [
            ("a", vec!["--environment", "staging"]),
            ("b", vec!["--type", "internal", "--owner", "ann@example.com"]),
            ("c", vec!["--type", "client", "--customer", "acme"]),
            ("d", vec!["--environment", "development"]),
        ] {
            let made =
                server.cli(&[&["key", "create", "--name", name, "--preset", "read-only"], options.as_slice()].concat());
            let tag = match name {
                "a" => "sw_stg_",
                "d" => "sw_dev_",
                _ => "sw_live_",
            };
            assert!(text(&made["key"]).starts_with(tag), "{name}: {tag}");
            if name == "c" {
                server.cli(&["key", "disable", &text(&made["id"])]);
            }
        }
        for (options, expected) in [
            (vec![], "dcba"),
            (vec!["--environment", "staging"], "a"),
            (vec!["--name", "b"], "b"),
            (vec!["--type", "client"], "c"),
            (vec!["--type", "partner"], "da"),
            (vec!["--status", "inactive"], "c"),
            (vec!["--status", "active", "--limit", "2"], "db"),
            (vec!["--owner", &ann], "b"),
            (vec!["--customer", "acme"], "c"),
            (vec!["--rotation-due"], ""),
            (vec!["--limit", "1000000"], "dcba"),
        ] {
            assert_eq!(
                names(&server, &[&["key", "list"], options.as_slice()].concat(), "name").concat(),
                expected,
                "{options:?}"
            );
        }
        let table = end_with(0, &mut server.command(&["key", "list"])).out;
        assert!(table.starts_with("ID") && table.lines().count() == 5, "{table}");
    }

    fn a_key_is_verified_by_command(database: without_credentials) {
        let server = Server::start(database);
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        let key = server.key_with("orders:read", &["--customer", "acme", "--allow-ip", "192.0.2.0/24"]);
        let from = ["--ip", "192.0.2.7"];
        for (status, options, expected) in [
            (0, vec![], "VALID"),
            (0, vec!["--scope", "orders:read", "--customer", "acme", "--cost", "1000"], "VALID"),
            (0, vec!["--ip", "::ffff:192.0.2.9"], "VALID"),
            (1, vec!["--scope", "orders:read", "--scope", "orders:write"], "INSUFFICIENT_SCOPE"),
            (1, vec!["--customer", "zeta"], "WRONG_CUSTOMER"),
            (1, vec!["--ip", "192.0.3.1"], "IP_NOT_ALLOWED"),
            (1, vec!["--environment", "staging"], "WRONG_ENVIRONMENT"),
        ] {
            let options = if options.contains(&"--ip") { options } else { [options.as_slice(), &from].concat() };
            let said = verified(&server, status, &key.key, &options);
            assert_eq!(said["code"], expected, "{options:?}");
        }
        assert_eq!(verified(&server, 1, &key.key, &[])["code"], "IP_NOT_ALLOWED", "nobody said from where");
        assert_eq!(verified(&server, 1, "nonsense", &[])["code"], "NOT_FOUND");
        let by_input = end_with_input(
            0,
            &mut server.command(&["key", "verify", "-", "--ip", "192.0.2.7"]),
            &format!("{}\n", key.key),
        );
        assert!(by_input.out.contains("VALID") && !by_input.out.contains(&key.key), "{by_input:?}");
        end_with_input(2, &mut server.command(&["key", "verify", "-"]), "");
        for options in [
            vec!["--cost", "0"],
            vec!["--cost", "1001"],
            vec!["--ip", "host"],
            vec!["--environment", "prod"],
            vec!["--scope", "a\\b"],
            vec!["--offline", "--scope", "read"],
        ] {
            let ended = end_with(2, &mut server.command(&[&["key", "verify", &key.key], options.as_slice()].concat()));
            assert!(ended.err.contains(options[0]), "{ended:?}");
        }
        server.cli(&["key", "revoke", &key.id, "--yes"]);
        assert_eq!(verified(&server, 1, &key.key, &from)["code"], "REVOKED");
    }
}

/// A key's form and checksum are told by any machine: nothing is opened, and nothing is made.
#[test]
fn a_key_is_checked_offline_without_any_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let offline = |key: &str| {
        let mut command = binary();
        command.current_dir(folder.path()).env("SEALWRIGHT_DATA_DIR", &data);
        // Nothing answers there.
        command.env("SEALWRIGHT_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
        command.args(["key", "verify", key, "--offline", "--json"]);
        command
    };
    // zlib says of these 32 characters: CRC-32 1546885699, which is 1ggZdL in base 62.
    let random = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    for (tag, environment) in [("live", "production"), ("stg", "staging"), ("dev", "development")] {
        let ended = end_with(0, &mut offline(&format!("sw_{tag}_{random}1ggZdL")));
        let said: Value = serde_json::from_str(&ended.out).unwrap();
        let expected = json!({"well_formed": true, "prefix": format!("sw_{tag}_0123"), "environment": environment});
        assert_eq!(said, expected);
    }
    let good = format!("sw_live_{random}1ggZdL");
    for wrong in [
        "",
        "nonsense",
        &format!("sw_live_{random}1ggZdM"),
        &format!("sw_live_{random}1ggZd"),
        &format!("sw_live_{random}1ggZdL0"),
        &format!("sw_live_1{}1ggZdL", &random[1..]),
        &format!("sw_test_{random}1ggZdL"),
        &format!("SW_live_{random}1ggZdL"),
        &good.to_lowercase(),
    ] {
        let ended = end_with(1, &mut offline(wrong));
        assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["well_formed"], false, "{wrong}: {ended:?}");
    }
    let ended = end_with_input(0, &mut offline("-"), &format!("{good}\n"));
    assert!(!ended.out.contains(&good), "{ended:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
