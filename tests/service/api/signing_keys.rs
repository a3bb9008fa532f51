//! The life of signing keys, by `/api/v1/signing-keys` and by `sealwright signing-key`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_invalid, assert_problem, column, is_active, millis, owner, text};
use crate::support::{Server, TestClient, Work, both, eventually};

/// The `kid` in the header of a new token.
fn signing_kid(server: &Server, client: &TestClient) -> String {
    use base64::Engine as _;
    let response = server.token(client);
    let token = text(&response.body["access_token"]);
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    text(&serde_json::from_slice::<Value>(&header).unwrap()["kid"])
}

fn published(server: &Server) -> Vec<String> {
    let set = server.get("/.well-known/jwks.json").body;
    set["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

/// The keys of production's ES256 line as `(kid, status)`, newest first.
fn line(server: &Server, token: &str) -> Vec<(String, String)> {
    let response = server.api("GET", "/signing-keys?environment=production&algorithm=ES256", token, None);
    column(&response, "kid").into_iter().zip(column(&response, "status")).collect()
}

both! {
    fn a_first_start_makes_one_active_key_of_each_algorithm_and_environment(database: empty) {
        let server = Server::start(database);
        let token = owner(&server);
        let listed = server.cli(&["signing-key", "list"]);
        let keys = listed["data"].as_array().unwrap();
        assert_eq!(keys.len(), 9);
        for environment in ["production", "staging", "development"] {
            for algorithm in ["ES256", "RS256", "EdDSA"] {
                let of = |key: &&Value| key["environment"] == environment && key["algorithm"] == algorithm;
                let found: Vec<&Value> = keys.iter().filter(of).collect();
                assert_eq!(
                    (found.len(), found[0]["status"].as_str()),
                    (1, Some("active")),
                    "{environment} {algorithm}"
                );
                let key = found[0];
                assert_eq!((&key["kid"], &key["public_jwk"]["kid"]), (&key["id"], &key["kid"]));
                assert_eq!((&key["retires_at"], &key["destroyed_at"]), (&Value::Null, &Value::Null));
                for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                    assert!(key["public_jwk"].get(private).is_none(), "{private}");
                }
            }
        }
        let seen = server.api("GET", "/signing-keys", &token, None);
        assert_eq!(column(&seen, "environment"), ["production"; 3]);
        let mut in_set = published(&server);
        let mut listed = column(&seen, "kid");
        in_set.sort();
        listed.sort();
        assert_eq!(in_set, listed);
    }

    fn a_rotated_key_is_published_first_and_signs_after_its_lead(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let client = server.client("orders:read");
        let old = signing_kid(&server, &client);
        let issued = text(&server.token(&client).body["access_token"]);

        let asked = server.now();
        let pending = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "2s"})));
        assert_eq!((pending.status, pending.body["status"].as_str()), (201, Some("pending")), "{}", pending.text);
        assert_eq!(
            (pending.body["environment"].as_str(), pending.body["algorithm"].as_str()),
            (Some("production"), Some("ES256"))
        );
        let new = text(&pending.body["kid"]);
        let activates = millis(&pending.body["activates_at"]);
        assert!((asked + 1_999..=server.now() + 2_000).contains(&activates));
        assert!(published(&server).contains(&new), "published when it is answered");
        assert_eq!(signing_kid(&server, &client), old, "not signing yet");
        let again = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "2s"})));
        assert_problem(&again, 409, "rotation_pending");
        assert!(!server.command(&["signing-key", "rotate"]).output().unwrap().status.success());

        server.wait_until(activates);
        assert_eq!(signing_kid(&server, &client), new);
        assert_eq!(line(&server, &token), [(new.clone(), "active".to_owned()), (old.clone(), "retired".to_owned())]);
        assert!(published(&server).contains(&old), "what it signed still verifies");
        assert!(is_active(&server, &client, &issued));
        let listed = server.api("GET", "/signing-keys?status=retired", &token, None);
        assert_eq!(column(&listed, "kid"), [old]);
        let until = millis(&listed.body["data"][0]["published_until"]);
        assert!(until >= activates + 3_600_000, "until the last token that it signed has expired");
        // Another algorithm's line is another line.
        let other = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"algorithm": "EdDSA"})));
        assert_eq!(other.status, 201, "{}", other.text);
        let lead = millis(&other.body["activates_at"]) - millis(&other.body["created_at"]);
        assert_eq!(lead, 86_400_000, "24 hours unless given");
    }

    fn the_command_line_rotates_and_destroys_keys_of_a_running_server(database) {
        let server = Server::start(database);
        let client = server.client("orders:read");
        let first = signing_kid(&server, &client);
        let issued = text(&server.token(&client).body["access_token"]);
        let made = server.cli(&["signing-key", "rotate", "--lead", "1s"]);
        assert_eq!(made["status"], "pending");
        let second = text(&made["kid"]);
        let second_signs = || signing_kid(&server, &client) == second;
        eventually("the second key signs within a second of its lead", Duration::from_secs(2), second_signs);
        assert!(published(&server).contains(&first));
        assert!(is_active(&server, &client, &issued));

        let destroyed = server.cli(&["signing-key", "destroy", &second, "--yes"]);
        assert_eq!(destroyed["status"], "destroyed");
        eventually("another key signs", Duration::from_secs(1), || signing_kid(&server, &client) != second);
        let third = signing_kid(&server, &client);
        assert!(third != first && third != second, "a successor signs at once");
        let in_set = published(&server);
        assert!(in_set.contains(&first) && in_set.contains(&third) && !in_set.contains(&second));
        for (arguments, status) in [
            (vec!["signing-key", "destroy", second.as_str(), "--yes"], 1),
            (vec!["signing-key", "destroy", "nosuchkid", "--yes"], 1),
            // A kid may begin with a hyphen, wherever the options are.
            (vec!["signing-key", "destroy", "-klHUd5y", "--yes"], 1),
            (vec!["signing-key", "destroy", "--yes", "-hlHUd5y"], 1),
            (vec!["signing-key", "destroy", "--json", "-VlHUd5y", "--yes"], 1),
            (vec!["signing-key", "destroy", "--yes", "--HUd5yq"], 1),
            (vec!["signing-key", "destroy", third.as_str()], 2),
            (vec!["signing-key", "rotate", "--algorithm", "HS256"], 2),
            (vec!["signing-key", "rotate", "--lead", "31d"], 2),
            (vec!["signing-key", "rotate", "--environment", "prod"], 2),
        ] {
            let output = crate::support::run(&mut server.command(&arguments));
            assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        }
        assert_eq!(signing_kid(&server, &client), third);
    }

    fn a_destroyed_key_ends_its_tokens_at_once_and_its_successor_signs(database) {
        let server = Server::start(database);
        let token = owner(&server);
        // The caller's own tokens are to survive: they are signed by another line.
        let eddsa = server.client_with("sealwright.admin", &["--signing-algorithm", "EdDSA"]);
        let token = {
            let _ = token;
            server.management_token(&eddsa)
        };
        let client = server.client("orders:read");
        let old = signing_kid(&server, &client);
        let issued = text(&server.token(&client).body["access_token"]);
        assert!(is_active(&server, &client, &issued));

        // With a pending successor, that one takes over.
        let pending = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "1h"})));
        let successor = text(&pending.body["kid"]);
        let gone = server.api("POST", &format!("/signing-keys/{old}/destroy"), &token, None);
        assert_eq!((gone.status, gone.body["status"].as_str()), (200, Some("destroyed")), "{}", gone.text);
        assert_eq!(signing_kid(&server, &client), successor);
        assert!(!is_active(&server, &client, &issued), "its tokens are in force no more");
        assert!(!published(&server).contains(&old));
        assert_eq!(line(&server, &token)[0], (successor.clone(), "active".to_owned()));
        let erased =
            "SELECT COUNT(*) AS n FROM signing_keys WHERE destroyed_at IS NOT NULL AND private_key_sealed IS NOT NULL";
        assert_eq!(server.database.numbers(erased), [0], "its private half is erased");
        let again = server.api("POST", &format!("/signing-keys/{old}/destroy"), &token, None);
        assert_problem(&again, 409, "destroyed");

        // Without one, a new one is made.
        let issued = text(&server.token(&client).body["access_token"]);
        assert_eq!(server.api("POST", &format!("/signing-keys/{successor}/destroy"), &token, None).status, 200);
        let made = signing_kid(&server, &client);
        assert!(made != old && made != successor);
        assert!(!is_active(&server, &client, &issued));

        // A pending one goes without a trace: the active one continues signing.
        let pending = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "1s"})));
        let kid = text(&pending.body["kid"]);
        let activates = millis(&pending.body["activates_at"]);
        assert_eq!(server.api("POST", &format!("/signing-keys/{kid}/destroy"), &token, None).status, 200);
        server.wait_until(activates);
        assert_eq!(signing_kid(&server, &client), made);
        assert_eq!(line(&server, &token).iter().filter(|(_, status)| status == "active").count(), 1);
        let next = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "1h"})));
        assert_eq!(next.status, 201, "a new rotation is free: {}", next.text);
        assert_invalid(&server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "-1s"}))), &["lead"]);
    }

    fn the_schedule_makes_new_keys_by_itself(database) {
        let server = Server::start_with(
            database,
            &[("SIGNING_KEY_ROTATION", "3s"), ("SIGNING_KEY_LEAD", "1s"), ("SIGNING_ALGORITHMS", "[\"ES256\"]")],
        );
        let client = server.client("orders:read");
        let first = signing_kid(&server, &client);
        let issued = text(&server.token(&client).body["access_token"]);
        for _ in 0..2 {
            server.advance(2_000);
            server.work(Work::KeepKeys);
        }
        assert_ne!(signing_kid(&server, &client), first);
        assert!(published(&server).contains(&first));
        assert!(is_active(&server, &client, &issued), "no token ends by a rotation");
        let events = server.events(&["--action", "signing_key.rotate"]);
        assert!(!events.is_empty() && events.iter().all(|event| event["actor"] == "system"), "{events:?}");
        let environments: std::collections::BTreeSet<String> =
            events.iter().map(|event| text(&event["environment"])).collect();
        assert_eq!(environments.len(), 3, "every environment has its schedule");
    }

    fn keys_are_listed_by_filter_and_page_by_page(database) {
        let server = Server::start(database);
        let token = owner(&server);
        server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"algorithm": "RS256"})));
        let all = column(&server.api("GET", "/signing-keys", &token, None), "kid");
        assert_eq!(all.len(), 4);
        for (query, expected) in [
            ("environment=production", 4),
            ("environment=staging", 0),
            ("algorithm=RS256", 2),
            ("status=pending", 1),
            ("status=active", 3),
            ("status=active&algorithm=RS256", 1),
            ("status=destroyed", 0),
        ] {
            let found = server.api("GET", &format!("/signing-keys?{query}"), &token, None);
            assert_eq!(column(&found, "kid").len(), expected, "{query}");
        }
        for limit in [1, 3, 4] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = server.api("GET", &format!("/signing-keys?limit={limit}{cursor}"), &token, None);
                seen.extend(column(&page, "kid"));
                match &page.body["next_cursor"] {
                    Value::Null => break,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
            assert_eq!(seen, all, "in pages of {limit}");
        }
    }
}
