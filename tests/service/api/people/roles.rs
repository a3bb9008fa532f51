//! Roles, and what credentials may do because of them.

use super::*;

both! {
    fn a_role_is_made_changed_and_removed_and_the_built_in_ones_are_there(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let roles = server.api("GET", "/roles", &token, None);
        assert_eq!(column(&roles, "name"), ["admin", "auditor", "developer", "owner"]);
        assert!(roles.body["data"].as_array().unwrap().iter().all(|role| role["built_in"] == true));
        let scopes = ["orders:write", "orders:read", "sealwright.audit:read"];
        let body = json!({"name": "support", "description": "Helps.", "scopes": scopes});
        let made = server.api("POST", "/roles", &token, Some(&body));
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(texts(&made.body["scopes"]), ["orders:read", "orders:write", "sealwright.audit:read"]);
        assert_eq!((&made.body["built_in"], &made.body["description"]), (&json!(false), &json!("Helps.")));
        assert_eq!(server.api("GET", "/roles/support", &token, None).body, made.body);
        assert_eq!(paged(&server, &token, "/roles", 2, "name"), ["admin", "auditor", "developer", "owner", "support"]);
        for name in ["support", "admin", "owner"] {
            let again = json!({"name": name, "scopes": ["read"]});
            assert_problem(&server.api("POST", "/roles", &token, Some(&again)), 409, "role_exists");
        }
        for (change, member, value) in [
            (json!({"description": "x"}), "description", json!("x")),
            (json!({"description": null}), "description", json!("")),
            (json!({"scopes": ["read"]}), "scopes", json!(["read"])),
            (json!({"scopes": []}), "scopes", json!([])),
            (json!({"scopes": ["orders:*"]}), "scopes", json!(["orders:*"])),
            (json!({"scopes": null}), "scopes", json!([])),
        ] {
            let response = server.api("PATCH", "/roles/support", &token, Some(&change));
            assert_eq!((response.status, &response.body[member]), (200, &value), "{change}: {}", response.text);
            assert_eq!(server.api("GET", "/roles/support", &token, None).body[member], value, "{change} is stored");
        }
        let ann = made_user(&server, &token, "ann@example.com", "support");
        assert_problem(&server.api("DELETE", "/roles/support", &token, None), 409, "role_in_use");
        for name in ["owner", "admin", "developer", "auditor"] {
            assert_problem(&server.api("DELETE", &format!("/roles/{name}"), &token, None), 409, "built_in_role");
        }
        let owners = json!({"description": "x"});
        assert_problem(&server.api("PATCH", "/roles/owner", &token, Some(&owners)), 409, "built_in_role");
        let emptied = json!({"scopes": []});
        assert_problem(&server.api("PATCH", "/roles/owner", &token, Some(&emptied)), 409, "built_in_role");
        ok(server.api("PATCH", &format!("/users/{ann}"), &token, Some(&json!({"role": "auditor"}))));
        assert_eq!(server.api("DELETE", "/roles/support", &token, None).status, 204);
        for name in ["support", "Support", "a%20b"] {
            for (method, body) in [("GET", None), ("PATCH", Some(json!({"description": "x"}))), ("DELETE", None)] {
                assert_problem(&server.api(method, &format!("/roles/{name}"), &token, body.as_ref()), 404, "not_found");
            }
        }
        let unknown = json!({"email": "eve@example.com", "role": "support"});
        assert_invalid(&server.api("POST", "/users", &token, Some(&unknown)), &["role"]);
        made_role(&server, &token, "support", &["read"]);
    }

    fn a_changed_role_cuts_its_users_credentials_at_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        made_role(&server, &token, "support", &["orders:*", "sealwright.clients:read"]);
        let ann = made_user(&server, &token, "ann@example.com", "support");
        let owned = |scopes: Value| json!({"name": "owned", "owner": ann, "scopes": scopes});
        let (_, key) = created_key(&server, &token, &owned(json!(["orders:read", "orders:write"])));
        let (_, client) = created(&server, &token, &owned(json!(["orders:read", "orders:write"])));
        let caller = calling_key(&server, &token, &["sealwright.clients:read"], &json!({"owner": ann}));
        let observer = server.client("sealwright.tokens:introspect");
        let (_, organisations) = created_key(&server, &token, &json!({"name": "o", "scopes": ["orders:write"]}));
        let write = json!({"scopes": ["orders:write"]});
        let issued = text(&token_of(&server, &client, "orders:read orders:write").body["access_token"]);
        // What the role allows; then whether the key may write, its scopes, what a token gets, and what an older one
        // still has.
        for (allowed, write_code, scopes, token_status, still) in [
            (
                vec!["orders:*", "sealwright.clients:read"],
                "VALID",
                vec!["orders:read", "orders:write"],
                200,
                "orders:read orders:write",
            ),
            (vec!["orders:read"], "INSUFFICIENT_SCOPE", vec!["orders:read"], 400, "orders:read"),
            (vec!["read"], "INSUFFICIENT_SCOPE", vec!["orders:read"], 400, "orders:read"),
            (vec!["write", "read"], "VALID", vec!["orders:read", "orders:write"], 200, "orders:read orders:write"),
            (vec!["invoices:*"], "INSUFFICIENT_SCOPE", vec![], 400, ""),
            (vec![], "INSUFFICIENT_SCOPE", vec![], 400, ""),
            (vec!["admin"], "VALID", vec!["orders:read", "orders:write"], 200, "orders:read orders:write"),
        ] {
            ok(server.api("PATCH", "/roles/support", &token, Some(&json!({"scopes": allowed}))));
            assert_eq!(code(&server, &token, &key, &write), write_code, "{allowed:?}");
            assert_eq!(texts(&verdict(&server, &token, &key, &json!({}))["scopes"]), scopes, "{allowed:?}");
            let asked = token_of(&server, &client, "orders:write");
            assert_eq!(asked.status, token_status, "{allowed:?}: {}", asked.text);
            if token_status == 400 {
                assert_eq!(asked.body["error"], "invalid_scope", "{allowed:?}");
            }
            let plain = token_of(&server, &client, "");
            if still.is_empty() {
                assert_eq!((plain.status, &plain.body["error"]), (400, &json!("invalid_scope")), "{allowed:?}");
            } else {
                assert_eq!((plain.status, plain.body["scope"].as_str()), (200, Some(still)), "{allowed:?}");
            }
            let seen = introspected(&server, &observer, &issued);
            assert_eq!(seen["scope"].as_str().unwrap_or_default(), still, "{allowed:?}: {seen}");
            let managing = by_key(&server, "GET", "/clients", &caller.key, None).status;
            assert_eq!(managing, if allowed.contains(&"sealwright.clients:read") { 200 } else { 403 }, "{allowed:?}");
            assert_eq!(code(&server, &token, &organisations, &write), "VALID", "nobody's role cuts the organisation's");
        }
        // The same where the user gets another role.
        for (role, expected) in [("auditor", "INSUFFICIENT_SCOPE"), ("developer", "VALID")] {
            ok(server.api("PATCH", &format!("/users/{ann}"), &token, Some(&json!({"role": role}))));
            assert_eq!(code(&server, &token, &key, &write), expected, "{role}");
            let status = token_of(&server, &client, "orders:write").status;
            assert_eq!(status, if expected == "VALID" { 200 } else { 400 }, "{role}");
        }
    }

    fn who_changes_people_must_hold_what_their_roles_allow(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let boss = made_user(&server, &token, "boss@example.com", "owner");
        let eve = made_user(&server, &token, "eve@example.com", "auditor");
        made_role(&server, &token, "low", &["orders:read"]);
        let admin = made_user(&server, &token, "admin@example.com", "admin");
        let admins = calling_key(
            &server,
            &token,
            &["admin", "sealwright.users:*", "sealwright.roles:*"],
            &json!({"owner": admin}),
        );
        let call = |method: &str, path: &str, body: &Value| by_key(&server, method, path, &admins.key, Some(body));
        for (method, path, body) in [
            ("POST", "/users".to_owned(), json!({"email": "x@example.com", "role": "owner"})),
            ("POST", "/users".to_owned(), json!({"email": "x@example.com", "role": "admin"})),
            ("PATCH", format!("/users/{boss}"), json!({"password": "taken over"})),
            ("PATCH", format!("/users/{boss}"), json!({"email": "mine@example.com"})),
            ("POST", format!("/users/{boss}/disable"), json!({})),
            ("PATCH", format!("/users/{admin}"), json!({"role": "owner"})),
            ("POST", "/roles".to_owned(), json!({"name": "high", "scopes": ["sealwright.admin"]})),
            ("POST", "/roles".to_owned(), json!({"name": "high", "scopes": ["sealwright.clients:write"]})),
            ("PATCH", "/roles/low".to_owned(), json!({"scopes": ["sealwright.signing-keys:write"]})),
            ("PATCH", "/roles/admin".to_owned(), json!({"description": "mine"})),
        ] {
            assert_problem(&call(method, &path, &body), 403, "scope_exceeds_caller");
        }
        assert_eq!(call("PATCH", "/roles/low", &json!({"scopes": ["orders:*", "sealwright.users:read"]})).status, 200);
        let low = call("POST", "/users", &json!({"email": "low@example.com", "role": "low"}));
        assert_eq!(low.status, 201, "{}", low.text);
        let low = text(&low.body["id"]);
        assert_eq!(call("POST", &format!("/users/{low}/disable"), &json!({})).status, 200);
        // An auditor reads what this key cannot.
        assert_problem(&call("POST", &format!("/users/{eve}/disable"), &json!({})), 403, "scope_exceeds_caller");
        let users = server.api("GET", "/users", &token, None).body;
        assert_eq!(users["data"].as_array().unwrap().len(), 4, "{users}");
    }
}
