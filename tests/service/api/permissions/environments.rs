//! Callers of one environment, and what others have.

use super::*;

both! {
    fn a_caller_of_staging_sees_and_touches_only_staging(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (production, target) = created(&server, &owner, &json!({"name": "production", "scopes": ["orders:read"]}));
        let path = format!("/clients/{}", target.id);
        let token = server.owner_of("staging");

        for (method, action) in [
            ("GET", ""),
            ("PATCH", ""),
            ("POST", "/rotate-secret"),
            ("POST", "/disable"),
            ("POST", "/enable"),
            ("POST", "/revoke"),
            ("POST", "/revoke-tokens"),
        ] {
            let body = (method != "GET").then(|| json!({}));
            let response = server.api(method, &format!("{path}{action}"), &token, body.as_ref());
            assert_problem(&response, 404, "not_found");
        }
        assert_eq!(server.api("GET", &path, &owner, None).body["updated_at"], production["updated_at"]);
        assert_eq!(server.token(&target).status, 200);

        let other = json!({"name": "n", "environment": "production", "scopes": ["orders:read"]});
        assert_problem(&server.api("POST", "/clients", &token, Some(&other)), 403, "beyond_reach");
        let own = server.api("POST", "/clients", &token, Some(&json!({"name": "own", "scopes": ["orders:read"]})));
        assert_eq!((own.status, own.body["environment"].as_str()), (201, Some("staging")));
        let own = with_secret(&own.body);
        assert_eq!(server.token(&own).status, 401, "production does not know it");
        for (query, expected) in [("", 2), ("?environment=staging", 2), ("?environment=production", 0)] {
            let listed = server.api("GET", &format!("/clients{query}"), &token, None);
            let environments = column(&listed, "environment");
            assert!(environments.len() == expected && environments.iter().all(|one| one == "staging"), "{query}");
        }

        let keys = server.api("GET", "/signing-keys", &token, None);
        assert!(column(&keys, "environment").iter().all(|environment| environment == "staging"));
        assert_eq!(column(&keys, "kid").len(), 3);
        assert!(column(&server.api("GET", "/signing-keys?environment=production", &token, None), "kid").is_empty());
        let production_keys = server.api("GET", "/signing-keys?environment=production", &owner, None);
        let kid = column(&production_keys, "kid").remove(0);
        assert_problem(&server.api("POST", &format!("/signing-keys/{kid}/destroy"), &token, None), 404, "not_found");
        let rotate = json!({"environment": "production"});
        let response = server.api("POST", "/signing-keys/rotate", &token, Some(&rotate));
        assert_problem(&response, 403, "beyond_reach");
        let unchanged = server.api("GET", "/signing-keys?environment=production", &owner, None);
        assert_eq!(unchanged.body, production_keys.body);

        let events = server.api("GET", "/audit-events?limit=1000", &token, None);
        assert!(column(&events, "environment").iter().all(|environment| environment == "staging"));
        assert!(!column(&events, "id").is_empty());
        assert!(column(&server.api("GET", "/audit-events?environment=production", &token, None), "id").is_empty());
        assert!(
            column(&server.api("GET", &format!("/audit-events?credential={}", target.id), &token, None), "id")
                .iter()
                .all(|id| events.text.contains(id) || !id.is_empty())
        );
        let seen = server.api("GET", &format!("/audit-events?credential={}&outcome=success", target.id), &token, None);
        assert_eq!(seen.body["data"], json!([]), "nothing of production's client but its own failed attempts");
    }

    fn the_scope_registry_is_written_from_production_only(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let entry = json!({"name": "orders:read", "description": "Read orders."});
        assert_eq!(server.api("POST", "/scopes", &owner, Some(&entry)).status, 201);
        for environment in ["staging", "development"] {
            let token = server.owner_of(environment);
            assert_eq!(server.api("GET", "/scopes/orders:read", &token, None).status, 200);
            assert_eq!(column(&server.api("GET", "/scopes", &token, None), "name"), ["orders:read"]);
            for (method, path, body) in [
                ("POST", "/scopes", Some(json!({"name": "x:read"}))),
                ("PATCH", "/scopes/orders:read", Some(json!({"description": "other"}))),
                ("DELETE", "/scopes/orders:read", None),
            ] {
                assert_problem(&server.api(method, path, &token, body.as_ref()), 403, "production_only");
            }
        }
        let shown = server.api("GET", "/scopes", &owner, None);
        assert_eq!(shown.body["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(shown.body["data"][0]["description"], "Read orders.");
    }
}
