//! Changing a client.

use super::*;

both! {
    fn every_setting_is_changed_by_itself_and_null_sets_it_back(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let later = rfc3339(server.now() + 3_600_000);
        let (path, _) = fresh(&server, &token, "plain");
        let mut expected = server.api("GET", &path, &token, None).body;
        for (field, set, shown, cleared) in [
            ("description", json!("What it is for."), json!("What it is for."), json!("")),
            ("default_scopes", json!(["orders:read"]), json!(["orders:read"]), Value::Null),
            ("audiences", json!(["b", "a", "b"]), json!(["b", "a"]), json!([format!("{}/resources", server.url)])),
            ("resource_for", json!(["https://a.example"]), json!(["https://a.example"]), json!([])),
            ("allowed_ips", json!(["::ffff:10.0.0.1", "10.0.0.0/8"]), json!(["10.0.0.1", "10.0.0.0/8"]), json!([])),
            ("token_lifetime", json!(1), json!(1), json!(3600)),
            ("signing_algorithm", json!("RS256"), json!("RS256"), Value::Null),
            ("token_typ", json!("JWT"), json!("JWT"), Value::Null),
            ("rate_per_minute", json!(1_000_000), json!(1_000_000), Value::Null),
            ("burst_per_second", json!(1), json!(1), Value::Null),
            ("expires_at", json!(later), json!(later), Value::Null),
        ] {
            for (given, then) in [(set, shown), (Value::Null, cleared)] {
                let response = server.api("PATCH", &path, &token, Some(&json!({field: given})));
                assert_eq!(response.status, 200, "{field}: {}", response.text);
                expected[field] = then;
                assert!(millis(&response.body["updated_at"]) >= millis(&expected["updated_at"]));
                expected["updated_at"] = response.body["updated_at"].clone();
                assert_eq!(response.body, expected, "{field} and nothing else");
                assert_eq!(server.api("GET", &path, &token, None).body, expected, "{field} is stored");
            }
        }
        for (field, given) in [("name", json!("other")), ("scopes", json!(["invoices:read"]))] {
            let response = server.api("PATCH", &path, &token, Some(&json!({field: given})));
            assert_eq!((response.status, &response.body[field]), (200, &given), "{}", response.text);
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: null}))), &[field]);
        }
        let none = server.api("PATCH", &path, &token, Some(&json!({})));
        assert_eq!(none.status, 200, "{}", none.text);
        // Default scopes go beyond the scopes neither at once nor when the scopes shrink.
        assert_invalid(
            &server.api("PATCH", &path, &token, Some(&json!({"default_scopes": ["orders:read"]}))),
            &["default_scopes"],
        );
        let both = json!({"scopes": ["read"], "default_scopes": ["orders:read"]});
        assert_eq!(server.api("PATCH", &path, &token, Some(&both)).status, 200);
        assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({"scopes": ["write"]}))), &["default_scopes"]);
    }

    fn a_changed_setting_is_in_force_when_its_answer_is_given(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, client) = fresh(&server, &token, "plain");
        assert_eq!(token_status(&server, &client), 200);
        let change = |body: Value| {
            let response = server.api("PATCH", &path, &token, Some(&body));
            assert_eq!(response.status, 200, "{}", response.text);
            server.token(&client)
        };
        assert_eq!(change(json!({"token_lifetime": 60})).body["expires_in"], 60);
        assert_eq!(change(json!({"scopes": ["invoices:read"]})).body["scope"], "invoices:read");
        assert_eq!(change(json!({"scopes": ["read"], "default_scopes": ["x:read"]})).body["scope"], "x:read");
        assert_eq!(change(json!({"allowed_ips": ["192.0.2.0/24"]})).status, 401);
        assert_eq!(change(json!({"allowed_ips": ["127.0.0.0/8"]})).status, 200);
        assert_eq!(change(json!({"allowed_ips": null})).status, 200);
        let end = server.now() + 1_000;
        change(json!({"expires_at": rfc3339(end)}));
        server.wait_until(end);
        assert_eq!(token_status(&server, &client), 401);
        assert_eq!(server.api("GET", &path, &token, None).body["status"], "expired");
        assert_eq!(change(json!({"expires_at": null})).status, 200);
    }

    fn disabling_enabling_and_revoking_are_in_force_when_they_are_answered(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, client) = fresh(&server, &token, "plain");
        let observer = server.client("sealwright.tokens:introspect");
        let introspected = |token: &str| {
            server.post_form("/api/oauth/introspect", &observer, &[("token", token)]).body["active"] == json!(true)
        };
        let issued = text(&server.token(&client).body["access_token"]);
        for (action, status, token_response, active) in [
            ("disable", "inactive", 401, false),
            ("disable", "inactive", 401, false),
            ("enable", "active", 200, true),
            ("enable", "active", 200, true),
            ("disable", "inactive", 401, false),
            ("revoke", "revoked", 401, false),
            ("revoke", "revoked", 401, false),
        ] {
            let response = server.api("POST", &format!("{path}/{action}"), &token, None);
            assert_eq!((response.status, response.body["status"].as_str()), (200, Some(status)), "{}", response.text);
            assert_eq!(token_status(&server, &client), token_response, "after {action}");
            assert_eq!(introspected(&issued), active, "after {action}");
        }
        // What is revoked stays so, and stays to be seen.
        for (method, at, body) in [
            ("POST", format!("{path}/enable"), json!({})),
            ("POST", format!("{path}/disable"), json!({})),
            ("POST", format!("{path}/rotate-secret"), json!({})),
            ("PATCH", path.clone(), json!({"name": "other"})),
            ("PATCH", path.clone(), json!({})),
        ] {
            assert_problem(&server.api(method, &at, &token, Some(&body)), 409, "revoked");
        }
        assert_eq!(server.api("POST", &format!("{path}/revoke-tokens"), &token, None).status, 200);
        let shown = server.api("GET", &path, &token, None);
        assert_eq!((shown.body["status"].as_str(), shown.body["name"].as_str()), (Some("revoked"), Some("plain")));
        assert_eq!(shown.body["secrets"].as_array().unwrap().len(), 1);
    }

    fn revoking_tokens_ends_those_issued_before_and_none_after(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, client) = fresh(&server, &token, "plain");
        let (_, other) = fresh(&server, &token, "other");
        let issued = |client: &TestClient| text(&server.token(client).body["access_token"]);
        let (first, second, others) = (issued(&client), issued(&client), issued(&other));
        let response = server.api("POST", &format!("{path}/revoke-tokens"), &token, None);
        assert_eq!((response.status, response.body["status"].as_str()), (200, Some("active")));
        assert!((millis(&response.body["tokens_revoked_before"]) - server.now()).abs() < 5_000);
        let after = issued(&client);
        assert!(!is_active(&server, &client, &first) && !is_active(&server, &client, &second));
        assert!(is_active(&server, &client, &after), "even within the same second");
        assert!(is_active(&server, &other, &others));
        server.api("POST", &format!("{path}/revoke-tokens"), &token, None);
        assert!(!is_active(&server, &client, &after));
    }
}
