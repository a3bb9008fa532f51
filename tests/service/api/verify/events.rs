//! What is stored of verifications, and who may ask for them.

use super::*;

both! {
    fn each_verification_has_an_event_about_the_request_that_the_key_came_with(database) {
        let server = Server::spawn(database);
        let (verifier, owner) = (verifier(&server), owner(&server));
        let customer = server.manage("POST", "/customers", Some(&json!({"external_id": "acme", "name": "Acme"})));
        let key = server.key_with("orders:read", &["--customer", "acme"]);
        let about = json!({
            "ip": "2001:db8::7", "method": "DELETE", "path": format!("/orders/{}?a=b", key.key),
            "user_agent": "shop/1", "request_id": "abc-1", "scopes": ["orders:read"],
        });
        let response = verify(&server, &verifier, &key.key, &about);
        assert_eq!(response.body["code"], "VALID", "{}", response.text);
        let events = events_of(&server, &owner, &response);
        let (prefix, _) = key.key.rsplit_once('_').unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        for (member, value) in [
            ("action", json!("key.verify")),
            ("outcome", json!("success")),
            ("reason", json!("ok")),
            ("actor", json!(verifier.id)),
            ("credential", json!(key.id)),
            ("customer", customer["id"].clone()),
            ("environment", json!("production")),
            ("status", json!(200)),
            ("method", json!("DELETE")),
            ("path", json!(format!("/orders/{prefix}_…"))),
            ("address", json!("2001:db8::7")),
            ("user_agent", json!("shop/1")),
            ("gateway_request_id", json!("abc-1")),
        ] {
            assert_eq!(events[0][member], value, "{member}: {}", events[0]);
        }
        let refused = verify(&server, &verifier, &key.key, &json!({"scopes": ["orders:write"]}));
        let event = &events_of(&server, &owner, &refused)[0];
        assert_eq!((&event["outcome"], &event["reason"]), (&json!("refused"), &json!("insufficient_scope")));
        let unknown = verify(&server, &verifier, "x", &json!({}));
        let event = &events_of(&server, &owner, &unknown)[0];
        assert_eq!((&event["outcome"], &event["reason"]), (&json!("refused"), &json!("malformed_key")));
        assert_eq!(event["credential"], Value::Null);
        let secret = &key.key[key.key.len() - 38..];
        let everything = server.api("GET", "/audit-events?limit=1000", &owner, None).text;
        assert!(!everything.contains(&secret[4..16]) && !server.log().contains(&secret[4..16]));
    }

    fn a_role_that_shrinks_cuts_the_next_verification(database) {
        let server = Server::start(database);
        let (verifier, owner) = (verifier(&server), owner(&server));
        let role = json!({"name": "support", "scopes": ["read", "orders:*"]});
        assert_eq!(server.api("POST", "/roles", &owner, Some(&role)).status, 201);
        let user = server.api("POST", "/users", &owner, Some(&json!({"email": "s@b.c", "role": "support"})));
        assert_eq!(user.status, 201, "{}", user.text);
        let key = server.key_with("admin", &["--type", "internal", "--owner", "s@b.c"]);
        let scopes = |more: &Value| verify(&server, &verifier, &key.key, more).body["scopes"].clone();
        assert_eq!(scopes(&json!({"scopes": ["orders:write", "x:read"]})), json!(["orders:*", "read"]));
        let shrunk = json!({"scopes": ["orders:read"]});
        assert_eq!(server.api("PATCH", "/roles/support", &owner, Some(&shrunk)).status, 200);
        assert_eq!(scopes(&json!({"scopes": ["orders:read"]})), json!(["orders:read"]));
        assert_eq!(code(&server, &verifier, &key.key, &json!({"scopes": ["orders:write"]})), "INSUFFICIENT_SCOPE");
        let nothing = json!({"scopes": []});
        assert_eq!(server.api("PATCH", "/roles/support", &owner, Some(&nothing)).status, 200);
        assert_eq!(code(&server, &verifier, &key.key, &json!({"scopes": ["orders:read"]})), "INSUFFICIENT_SCOPE");
        let path = format!("/users/{}", text(&user.body["id"]));
        assert_eq!(server.api("POST", &format!("{path}/disable"), &owner, None).status, 200);
        assert_eq!(code(&server, &verifier, &key.key, &json!({})), "DISABLED");
        let given = server.api("POST", &format!("/keys/{}/transfer", key.id), &owner, Some(&json!({"owner": null})));
        assert_eq!(given.status, 200, "{}", given.text);
        assert_eq!(code(&server, &verifier, &key.key, &json!({"scopes": ["orders:write"]})), "VALID");
    }

    fn verifying_takes_the_permission_and_no_other(database) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        let body = json!({"key": key.key, "environment": "production"});
        assert_problem(&server.api_with_key("POST", "/keys/verify", &key.key, Some(&body)), 403, "permission_denied");
        let client = server.client("sealwright.keys:verify");
        let response = server.api("POST", "/keys/verify", &server.management_token(&client), Some(&body));
        assert_eq!((response.status, response.body["code"].as_str()), (200, Some("VALID")), "{}", response.text);
    }
}
