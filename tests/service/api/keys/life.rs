//! What becomes of a key: its state, its owner, its use, its events, and who may do that.

use super::*;

both! {
    fn disabling_enabling_and_revoking_are_in_force_when_they_are_answered(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, key) = created_key(&server, &token, &minimal_key("plain"));
        let path = format!("/keys/{}", text(&made["id"]));
        for (action, status, then) in [
            ("disable", "inactive", "DISABLED"),
            ("disable", "inactive", "DISABLED"),
            ("enable", "active", "VALID"),
            ("enable", "active", "VALID"),
            ("disable", "inactive", "DISABLED"),
            ("revoke", "revoked", "REVOKED"),
            ("revoke", "revoked", "REVOKED"),
        ] {
            let response = server.api("POST", &format!("{path}/{action}"), &token, None);
            assert_eq!((response.status, response.body["status"].as_str()), (200, Some(status)), "{}", response.text);
            assert_eq!(plain_code(&server, &token, &key), then, "after {action}");
        }
        for (method, at, body) in [
            ("POST", format!("{path}/enable"), json!({})),
            ("POST", format!("{path}/disable"), json!({})),
            ("POST", format!("{path}/rotate"), json!({})),
            ("POST", format!("{path}/rotate"), json!({"grace": "1h"})),
            ("PATCH", path.clone(), json!({"name": "other"})),
            ("PATCH", path.clone(), json!({"expires_at": null})),
            ("PATCH", path.clone(), json!({})),
        ] {
            assert_problem(&server.api(method, &at, &token, Some(&body)), 409, "revoked");
        }
        let shown = server.api("GET", &path, &token, None);
        assert_eq!((shown.body["status"].as_str(), shown.body["name"].as_str()), (Some("revoked"), Some("plain")));
        assert_eq!(shown.body["values"].as_array().unwrap().len(), 1, "the record stays");
        assert_eq!(plain_code(&server, &token, &key), "REVOKED");
        // Its last string in its grace is revoked with it.
        let (made, old) = created_key(&server, &token, &minimal_key("two"));
        let path = format!("/keys/{}", text(&made["id"]));
        let (_, new) = rotated(&server, &token, &path, Some(&json!({"grace": "1h"})));
        server.api("POST", &format!("{path}/revoke"), &token, None);
        assert_eq!([&old, &new].map(|key| plain_code(&server, &token, key)), ["REVOKED", "REVOKED"]);
    }

    fn a_transferred_key_stands_under_its_new_owner(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let eve = made_user(&server, &token, "eve@example.com", "auditor");
        let (made, key) = created_key(&server, &token, &minimal_key("handed"));
        let path = format!("/keys/{}", text(&made["id"]));
        let asked = json!({"scopes": ["orders:read"]});
        for (to, owner, expected) in [
            (json!(ann), json!(ann), "VALID"),
            (json!("Eve@Example.com"), json!(eve), "INSUFFICIENT_SCOPE"),
            (json!("ann@example.com"), json!(ann), "VALID"),
            (Value::Null, Value::Null, "VALID"),
        ] {
            let response = server.api("POST", &format!("{path}/transfer"), &token, Some(&json!({"owner": to})));
            assert_eq!((response.status, &response.body["owner"]), (200, &owner), "{}", response.text);
            assert_eq!(code(&server, &token, &key, &asked), expected, "{to}");
            let plain = verdict(&server, &token, &key, &json!({}));
            assert_eq!((&plain["valid"], &plain["owner"]), (&json!(true), &owner), "{to}");
            let scopes = if expected == "VALID" { json!(["orders:read"]) } else { json!([]) };
            assert_eq!(plain["scopes"], scopes, "{to}");
        }
        for body in [json!({}), json!({"owner": "nobody@example.com"}), json!({"owner": ""}), json!({"owner": 5})] {
            assert_invalid(&server.api("POST", &format!("{path}/transfer"), &token, Some(&body)), &["owner"]);
        }
        let wrong = json!({"owner": ann, "to": "x"});
        assert_invalid(&server.api("POST", &format!("{path}/transfer"), &token, Some(&wrong)), &["to"]);
        assert_eq!(server.api("GET", &path, &token, None).body["owner"], Value::Null);
    }

    fn a_key_tells_when_and_from_where_it_was_last_used(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, key) = created_key(&server, &token, &minimal_key("used"));
        let path = format!("/keys/{}", text(&made["id"]));
        let shown = || server.api("GET", &path, &token, None).body;
        // What was refused was not used.
        assert_eq!(code(&server, &token, &key, &json!({"scopes": ["x:y"], "ip": "192.0.2.9"})), "INSUFFICIENT_SCOPE");
        for ip in ["192.0.2.1", "::ffff:192.0.2.2", "2001:db8::7"] {
            let asked = server.now();
            assert_eq!(code(&server, &token, &key, &json!({"ip": ip})), "VALID");
            let expected = if ip.starts_with("::") { "192.0.2.2" } else { ip };
            server.work(Work::StoreNotes);
            assert_eq!(shown()["last_used_address"], expected, "{ip}");
            let at = millis(&shown()["last_used_at"]);
            assert!((asked - 1..=server.now()).contains(&at), "{ip}: {at}");
            let list = server.api("GET", "/keys?name=used", &token, None).body;
            assert_eq!(list["data"][0]["last_used_at"], shown()["last_used_at"]);
        }
    }

    fn every_change_has_its_event_and_no_event_has_a_key(database) {
        let server = Server::start(database);
        let token = owner(&server);
        made_user(&server, &token, "ann@example.com", "developer");
        let acme = entered_customer(&server, &token, "acme");
        let body = json!({"name": "seen", "scopes": ["orders:read"], "customers": ["acme"]});
        let response = server.api("POST", "/keys", &token, Some(&body));
        let (id, key) = (text(&response.body["id"]), text(&response.body["key"]));
        let mut keys = vec![key.clone()];
        let check = |response: &Response, action: &str, outcome: &str, reason: &str| {
            let events = events_of(&server, &token, response);
            assert_eq!(events.len(), 1, "{action}: {events:?}");
            let event = &events[0];
            // A call whose input cannot be read reaches no use case: method and path tell what it was to be.
            let is_unread = reason == "invalid_input" && event["action"] == "api.call";
            assert!(is_unread || event["action"] == action, "{event}");
            assert_eq!(event["outcome"], outcome, "{event}");
            assert_eq!(
                (event["reason"].as_str(), &event["status"]),
                (Some(reason), &json!(response.status)),
                "{event}"
            );
            assert!(text(&event["actor"]).starts_with("cli_"), "{event}");
            if outcome == "success" {
                assert_eq!((&event["target"], &event["environment"]), (&json!(id), &json!("production")), "{event}");
                if action != "key.read" {
                    assert_eq!(event["customer"], json!(acme), "{event}");
                }
            }
        };
        check(&response, "key.create", "success", "ok");
        for (method, action, body, event) in [
            ("GET", "", None, "key.read"),
            ("PATCH", "", Some(json!({"name": "other"})), "key.update"),
            ("POST", "/rotate", Some(json!({"grace": "1h"})), "key.rotate"),
            ("POST", "/disable", None, "key.disable"),
            ("POST", "/enable", None, "key.enable"),
            ("POST", "/transfer", Some(json!({"owner": "ann@example.com"})), "key.transfer"),
            ("POST", "/revoke", None, "key.revoke"),
        ] {
            let response = server.api(method, &format!("/keys/{id}{action}"), &token, body.as_ref());
            assert_eq!(response.status, 200, "{action}: {}", response.text);
            keys.extend(response.body["key"].as_str().map(str::to_owned));
            check(&response, event, "success", "ok");
        }
        for (action, body, event, reason) in [
            ("/enable", json!({}), "key.enable", "revoked"),
            ("/rotate", json!({}), "key.rotate", "revoked"),
            ("/rotate", json!({"grace": "31d"}), "key.rotate", "invalid_input"),
            ("/transfer", json!({"owner": "nobody"}), "key.transfer", "invalid_input"),
        ] {
            let response = server.api("POST", &format!("/keys/{id}{action}"), &token, Some(&body));
            check(&response, event, "refused", reason);
        }
        check(
            &server.api("POST", "/keys", &token, Some(&json!({"name": "x"}))),
            "key.create",
            "refused",
            "invalid_input",
        );
        check(&server.api("POST", "/keys/key_1/revoke", &token, None), "key.revoke", "refused", "not_found");
        verdict(&server, &token, &key, &json!({}));
        assert_eq!(keys.len(), 2);
        let events = serde_json::to_string(&server.events(&[])).unwrap();
        assert!(events.contains(&id));
        for key in &keys {
            assert!(!events.contains(&key[12..]), "{key}");
            assert_nowhere_at_rest(&server, key);
        }
    }

    fn nobody_gives_widens_or_takes_over_what_it_does_not_hold(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let narrow = server.management_token(&server.client("sealwright.keys:* orders:read"));
        let (wide, wide_key) = created_key(&server, &token, &json!({"name": "wide", "scopes": ["orders:write"]}));
        let wide = format!("/keys/{}", text(&wide["id"]));
        let (own, _) = created_key(&server, &narrow, &minimal_key("own"));
        let own = format!("/keys/{}", text(&own["id"]));
        for (method, path, body) in [
            ("POST", "/keys".to_owned(), json!({"name": "x", "scopes": ["orders:write"]})),
            ("POST", "/keys".to_owned(), json!({"name": "x", "preset": "read-only"})),
            ("POST", "/keys".to_owned(), json!({"name": "x", "type": "internal", "scopes": ["admin"]})),
            ("POST", "/keys".to_owned(), json!({"name": "x", "scopes": ["orders:*"]})),
            ("PATCH", own.clone(), json!({"scopes": ["orders:read", "orders:write"]})),
            ("PATCH", wide.clone(), json!({"scopes": ["orders:read"]})),
            ("PATCH", wide.clone(), json!({"expires_at": null})),
            ("PATCH", wide.clone(), json!({"allowed_ips": []})),
            ("POST", format!("{wide}/rotate"), json!({})),
            ("POST", format!("{wide}/enable"), json!({})),
            ("POST", format!("{wide}/transfer"), json!({"owner": null})),
        ] {
            let response = server.api(method, &path, &narrow, Some(&body));
            assert_problem(&response, 403, "scope_exceeds_caller");
            assert!(!response.text.contains("sw_live_"));
        }
        assert_eq!(plain_code(&server, &token, &wide_key), "VALID", "nothing happened to it");
        // To rename it, and to stop it, takes the permission alone.
        assert_eq!(server.api("PATCH", &wide, &narrow, Some(&json!({"name": "renamed"}))).status, 200);
        assert_eq!(server.api("POST", &format!("{wide}/disable"), &narrow, None).status, 200);
        assert_eq!(plain_code(&server, &token, &wide_key), "DISABLED");
        assert_problem(&server.api("POST", &format!("{wide}/enable"), &narrow, None), 403, "scope_exceeds_caller");
        assert_eq!(server.api("POST", &format!("{wide}/revoke"), &narrow, None).status, 200);
        assert_eq!(plain_code(&server, &token, &wide_key), "REVOKED");
        assert_eq!(server.api("POST", &format!("{own}/rotate"), &narrow, None).status, 200);
    }

    fn an_id_that_names_nothing_is_not_found(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let staging = server.key_with("orders:read", &["--environment", "staging"]);
        let client = server.client("orders:read");
        for id in [
            "key_0199c0de0000700080000000000000ff",
            "key_1",
            "x",
            &staging.id,
            &client.id,
            "%F0%9F%92%A9",
            "%00",
            &"a".repeat(500),
        ] {
            for (method, action) in [
                ("GET", ""),
                ("PATCH", ""),
                ("POST", "/rotate"),
                ("POST", "/disable"),
                ("POST", "/enable"),
                ("POST", "/revoke"),
                ("POST", "/transfer"),
            ] {
                let body =
                    (method != "GET").then(|| if action == "/transfer" { json!({"owner": null}) } else { json!({}) });
                let response = server.api(method, &format!("/keys/{id}{action}"), &token, body.as_ref());
                assert_problem(&response, 404, "not_found");
            }
        }
        let staging_token = server.owner_of("staging");
        let asked = json!({"environment": "staging"});
        assert_eq!(code(&server, &staging_token, &staging.key, &asked), "VALID");
        assert_eq!(code(&server, &token, &staging.key, &asked), "WRONG_ENVIRONMENT", "the caller is of production");
        assert_eq!(plain_code(&server, &token, &staging.key), "WRONG_ENVIRONMENT");
    }
}
