//! Whose a key is.

use super::*;

both! {
    fn whose_a_key_is_is_told_whatever_the_code(database) {
        let server = Server::start(database);
        let verifier = verifier(&server);
        for name in ["acme", "other"] {
            server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
        }
        let ann = text(&server.manage("POST", "/users", Some(&json!({"email": "a@b.c", "role": "developer"})))["id"]);
        let key = server.key_with("orders:read", &["--customer", "acme", "--owner", "a@b.c"]);
        let path = format!("/keys/{}", key.id);
        server.manage("PATCH", &path, Some(&json!({"metadata": {"plan": "gold"}})));
        let told = |value: &str, more: Value, code: &str| {
            let body = verify(&server, &verifier, value, &more).body;
            for (member, expected) in [
                ("code", json!(code)),
                ("id", json!(key.id)),
                ("name", json!("test")),
                ("type", json!("partner")),
                ("environment", json!("production")),
                ("owner", json!(ann)),
                ("customers", json!(["acme"])),
                ("metadata", json!({"plan": "gold"})),
                ("expires_at", Value::Null),
            ] {
                assert_eq!(body.get(member), Some(&expected), "{code}: {member}: {body}");
            }
            assert!(body["rate_limit"].is_object(), "{code}: {body}");
            assert_eq!(body.get("scopes").is_some(), code == "VALID", "{code}: {body}");
        };
        told(&key.key, json!({}), "VALID");
        told(&key.key, json!({"scopes": ["orders:write"]}), "INSUFFICIENT_SCOPE");
        told(&key.key, json!({"customer": "other"}), "WRONG_CUSTOMER");
        told(&key.key, json!({"environment": "staging"}), "WRONG_ENVIRONMENT");
        for (act, undo) in [
            (format!("/users/{ann}/disable"), format!("/users/{ann}/enable")),
            ("/customers/acme/suspend".to_owned(), "/customers/acme/resume".to_owned()),
            (format!("{path}/disable"), format!("{path}/enable")),
        ] {
            server.manage("POST", &act, None);
            told(&key.key, json!({}), "DISABLED");
            server.manage("POST", &undo, None);
        }
        server.manage("PATCH", &path, Some(&json!({"allowed_ips": ["203.0.113.7"]})));
        told(&key.key, json!({}), "IP_NOT_ALLOWED");
        let new = text(&server.manage("POST", &format!("{path}/rotate"), None)["key"]);
        let replaced = verify(&server, &verifier, &key.key, &json!({})).body;
        assert_eq!(replaced, json!({"valid": false, "code": "NOT_FOUND"}));
        server.manage("POST", &format!("{path}/revoke"), None);
        told(&new, json!({}), "REVOKED");
    }

    fn callers_beyond_its_environment_and_customers_learn_the_code_alone(database) {
        let server = Server::start(database);
        for name in ["acme", "other"] {
            server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
        }
        let staging = server.key_with("sealwright.keys:verify", &["--environment", "staging"]);
        let others = server.key_with("sealwright.keys:verify", &["--customer", "other"]);
        let key = server.key_with("orders:read", &["--customer", "acme"]);
        let asked = |caller: &TestKey, environment: &str| {
            verify(&server, caller, &key.key, &json!({"environment": environment})).body
        };
        for (state, seen) in [("", "WRONG_ENVIRONMENT"), ("disable", "DISABLED"), ("revoke", "REVOKED")] {
            if !state.is_empty() {
                server.manage("POST", &format!("/keys/{}/{state}", key.id), None);
            }
            for environment in ["staging", "production"] {
                assert_eq!(asked(&staging, environment), json!({"valid": false, "code": seen}), "{environment}");
            }
            assert_eq!(asked(&others, "production"), json!({"valid": false, "code": "NOT_FOUND"}), "{state}");
        }
    }
}
