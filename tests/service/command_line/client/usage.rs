//! Wrong use, the brake, and the registry of scopes.

use super::*;

both! {
    fn wrong_use_is_said_with_status_2_and_what_fails_with_status_1(database: without_credentials) {
        let server = Server::start(database);
        let client = server.client("orders:read");
        let id = client.id.as_str();
        for (status, arguments, said) in [
            (2, vec!["client", "create", "--name", "x"], "--scope"),
            (2, vec!["client", "create", "--scope", "read"], "--name"),
            (2, vec!["client", "create", "--name", "", "--scope", "read"], "--name"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a\\b"], "--scope"),
            (2, vec!["client", "create", "--name", "x", "--scope", ""], "--scope"),
            (2, vec!["client", "create", "--name", "x", "--scope", "sealwright.x"], "--scope"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--default-scope", "b"], "--default-scope"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--environment", "prod"], "--environment"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--allow-ip", "host"], "--allow-ip"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--audience", "a b"], "--audience"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--token-lifetime", "2h"], "--token-lifetime"),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--token-lifetime", "60"], "--token-lifetime"),
            (
                2,
                vec!["client", "create", "--name", "x", "--scope", "a", "--signing-algorithm", "x"],
                "--signing-algorithm",
            ),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--rate-per-minute", "0"], "--rate-per-minute"),
            (
                2,
                vec!["client", "create", "--name", "x", "--scope", "a", "--burst-per-second", "many"],
                "--burst-per-second",
            ),
            (2, vec!["client", "create", "--name", "x", "--scope", "a", "--expires-in", "1w"], "--expires-in"),
            (
                2,
                vec!["client", "create", "--name", "x", "--scope", "a", "--expires-at", "2020-01-01T00:00:00Z"],
                "--expires-at",
            ),
            (
                2,
                vec!["client", "create", "--name", "x", "--scope", "a", "--expires-in", "1d", "--expires-at", "never"],
                "--expires-in",
            ),
            (2, vec!["client", "rotate-secret", id, "--grace", "31d"], "--grace"),
            (2, vec!["client", "update", id, "--scope", ""], "--scope"),
            (2, vec!["client", "list", "--limit", "0"], "--limit"),
            (2, vec!["client", "list", "--no-such"], "--no-such"),
            (2, vec!["client", "delete", id], "delete"),
            (2, vec!["client", "show"], "ID"),
            (2, vec!["clients", "list"], "clients"),
            (1, vec!["client", "show", "cli_1"], "no such client"),
            (1, vec!["client", "update", "cli_1", "--name", "x"], "no such client"),
            (1, vec!["client", "revoke", "nothing"], "no such client"),
        ] {
            let ended = end_with(status, &mut server.command(&arguments));
            assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
            assert!(ended.out.is_empty(), "{arguments:?}: {}", ended.out);
        }
        let ended = end_with(1, server.command(&["client", "show", "cli_1", "--json"]).env("USER", "someone"));
        assert_eq!(
            serde_json::from_str::<Value>(&ended.err).unwrap()["error"],
            json!({"code": "not_found", "message": "there is no such client"})
        );
        let listed = server.cli(&["client", "list"]);
        assert_eq!(listed["data"].as_array().unwrap().len(), 1, "nothing was made");
        assert_eq!(server.token(&client).status, 200, "nothing was changed");
    }

    fn the_brake_ends_every_client_of_one_environment(database: without_credentials) {
        let server = Server::start(database);
        let mut production: Vec<TestClient> = (0..3).map(|_| server.client("orders:read")).collect();
        let staging = server.client_with("orders:read", &["--environment", "staging"]);
        let issued = text(&server.token(&production[0]).body["access_token"]);
        server.cli(&["client", "revoke", &production.pop().unwrap().id, "--yes"]);
        let ended = end(&mut server.command(&["revoke-all", "--environment", "production"]));
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains("--yes"));
        let ended = end(&mut server.command(&["revoke-all", "--environment", "production", "--json"]));
        assert_eq!(ended.status, 2, "{ended:?}");
        assert_eq!(server.token(&production[0]).status, 200, "nothing happened yet");
        end_with(2, &mut server.command(&["revoke-all", "--yes"]));
        let done = server.cli(&["revoke-all", "--environment", "production", "--yes"]);
        assert_eq!((&done["environment"], &done["revoked"]), (&json!("production"), &json!(2)));
        for client in &production {
            within_a_second(&401, || server.token(client).status);
        }
        let staging_token =
            server.post_form("/staging/api/oauth/token", &staging, &[("grant_type", "client_credentials")]);
        assert_eq!(staging_token.status, 200, "{}", staging_token.text);
        let observer = server.client("sealwright.tokens:introspect");
        assert!(!is_active(&server, &observer, &issued));
        let again = server.cli(&["revoke-all", "--environment", "development", "--yes"]);
        assert_eq!(again["revoked"], 0);
        let statuses: Vec<Value> = server.cli(&["client", "list", "--environment", "production"])["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|client| client["status"].clone())
            .collect();
        assert_eq!(statuses.iter().filter(|status| **status == "revoked").count(), 3, "{statuses:?}");
        let event = &server.events(&["--action", "credential.revoke_all", "--environment", "production"])[0];
        assert_eq!((event["outcome"].as_str(), event["method"].as_str()), (Some("success"), Some("CLI")));
    }

    fn the_registry_of_scopes_is_kept_by_command(database: without_credentials) {
        let server = Server::start(database);
        let made = server.cli(&["scope", "create", "orders:read", "--description", "Read orders."]);
        assert_eq!((made["name"].as_str(), made["description"].as_str()), (Some("orders:read"), Some("Read orders.")));
        assert_eq!(server.cli(&["scope", "show", "orders:read"]), made);
        let changed = server.cli(&["scope", "update", "orders:read", "--description", "x"]);
        assert_eq!(changed["description"], "x");
        assert_eq!(server.cli(&["scope", "list"])["data"].as_array().unwrap().len(), 1);
        end_with(1, &mut server.command(&["scope", "create", "orders:read"]));
        end_with(2, &mut server.command(&["scope", "create", "a b"]));
        let gone = end_with(0, &mut server.command(&["scope", "delete", "orders:read", "--yes", "--json"]));
        assert!(
            serde_json::from_str::<Value>(&gone.out).is_ok_and(|said| said.is_object()),
            "--json prints JSON: {gone:?}"
        );
        end_with(1, &mut server.command(&["scope", "delete", "orders:read"]));
        end_with(1, &mut server.command(&["scope", "show", "orders:read"]));
        assert_eq!(texts(&json!([])).len(), server.cli(&["scope", "list"])["data"].as_array().unwrap().len());
    }
}
