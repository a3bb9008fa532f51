//! What a caller may give and take.

use super::*;

both! {
    fn a_caller_gives_only_what_it_has(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let own = ["sealwright.clients:*", "sealwright.audit:read", "sealwright.keys:verify", "read", "orders:write"];
        let (_, token) = manager(&server, &owner, &own);
        for (scopes, allowed) in [
            (vec!["orders:read"], true),
            (vec!["read"], true),
            (vec!["orders:write", "x:read"], true),
            (vec!["sealwright.keys:verify"], true),
            (vec!["orders:*"], false),
            (vec!["orders:delete"], false),
            (vec!["write"], false),
            (vec!["invoices:write"], false),
            (vec!["orders:read", "invoices:write"], false),
            (vec!["admin"], false),
            (vec!["sealwright.keys:write"], false),
            (vec!["sealwright.jobs:read"], false),
            // Reserved: only an owner or the command line gives them, even to a caller that has them.
            (vec!["sealwright.clients:read"], false),
            (vec!["sealwright.audit:read"], false),
            (vec!["sealwright.admin"], false),
        ] {
            let body = json!({"name": "given", "scopes": scopes});
            let response = server.api("POST", "/clients", &token, Some(&body));
            if allowed {
                assert_eq!(response.status, 201, "{scopes:?}: {}", response.text);
            } else {
                assert_problem(&response, 403, "scope_exceeds_caller");
            }
            // The same by widening what is there.
            let (made, _) = created(&server, &owner, &json!({"name": "widened", "scopes": ["orders:read"]}));
            let path = format!("/clients/{}", text(&made["id"]));
            let response = server.api("PATCH", &path, &token, Some(&json!({"scopes": scopes})));
            if allowed {
                assert_eq!(response.status, 200, "{scopes:?}: {}", response.text);
            } else {
                assert_problem(&response, 403, "scope_exceeds_caller");
                assert_eq!(server.api("GET", &path, &token, None).body["scopes"], json!(["orders:read"]));
            }
        }
        assert_eq!(column(&server.api("GET", "/clients?name=given", &owner, None), "id").len(), 4);
        // An owner gives management permissions, but no business scopes that it lacks.
        let (_, pure) = manager(&server, &owner, &["sealwright.admin"]);
        let give = |scope: &str| server.api("POST", "/clients", &pure, Some(&json!({"name": "n", "scopes": [scope]})));
        assert_eq!(give("sealwright.clients:write").status, 201);
        assert_eq!(give("sealwright.admin").status, 201);
        assert_problem(&give("orders:read"), 403, "scope_exceeds_caller");
        assert_problem(&give("admin"), 403, "scope_exceeds_caller");
    }

    fn a_caller_takes_over_no_client_that_has_more_than_itself(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (_, token) = manager(&server, &owner, &["sealwright.clients:*", "orders:read"]);
        for scopes in [json!(["orders:write"]), json!(["orders:read", "x:read"]), json!(["sealwright.admin"])] {
            let (made, client) = created(&server, &owner, &json!({"name": "target", "scopes": scopes}));
            let path = format!("/clients/{}", client.id);
            let rotate = format!("{path}/rotate-secret");
            assert_problem(&server.api("POST", &rotate, &token, Some(&json!({}))), 403, "scope_exceeds_caller");
            for change in [
                json!({"allowed_ips": null}),
                json!({"token_lifetime": 60}),
                json!({"audiences": ["x"]}),
                json!({"resource_for": ["x"]}),
                json!({"expires_at": null}),
                json!({"default_scopes": null}),
                json!({"signing_algorithm": "RS256"}),
                json!({"token_typ": "JWT"}),
                json!({"rate_per_minute": null}),
                json!({"burst_per_second": 1_000}),
                json!({"name": "n", "rate_per_minute": null}),
            ] {
                assert_problem(&server.api("PATCH", &path, &token, Some(&change)), 403, "scope_exceeds_caller");
            }
            let shown = server.api("GET", &path, &token, None);
            assert_eq!((shown.status, &shown.body["updated_at"]), (200, &made["updated_at"]), "nothing changed");
            assert_eq!(shown.body["secrets"].as_array().unwrap().len(), 1);
            // Words, and what ends a client's power, are free to who may write clients.
            let words = json!({"name": "renamed", "description": "d"});
            assert_eq!(server.api("PATCH", &path, &token, Some(&words)).status, 200);
            for action in ["revoke-tokens", "disable"] {
                assert_eq!(server.api("POST", &format!("{path}/{action}"), &token, None).status, 200, "{action}");
            }
            let enabled = server.api("POST", &format!("{path}/enable"), &token, None);
            assert_problem(&enabled, 403, "scope_exceeds_caller");
            assert_eq!(server.api("GET", &path, &token, None).body["status"], "inactive");
            // To cut it down to what the caller has, and then to take its secret, would be to take it over.
            let narrowed =
                server.api("PATCH", &path, &token, Some(&json!({"scopes": ["orders:read"], "allowed_ips": null})));
            assert_problem(&narrowed, 403, "scope_exceeds_caller");
            assert_eq!(server.api("POST", &format!("{path}/revoke"), &token, None).status, 200);
        }
    }

    fn who_may_not_introspect_makes_nobody_who_may(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let scopes = ["sealwright.clients:write", "orders:read"];
        let (_, token) = manager(&server, &owner, &scopes);
        let body = json!({"name": "api", "scopes": ["orders:read"], "resource_for": ["https://orders.example"]});
        assert_problem(&server.api("POST", "/clients", &token, Some(&body)), 403, "scope_exceeds_caller");
        let (_, client) = created(&server, &owner, &body);
        let path = format!("/clients/{}", client.id);
        let more = json!({"resource_for": ["https://orders.example", "https://other.example"]});
        assert_problem(&server.api("PATCH", &path, &token, Some(&more)), 403, "scope_exceeds_caller");
        assert_eq!(
            server.api("PATCH", &path, &token, Some(&json!({"token_lifetime": 60}))).status,
            200,
            "it keeps what it has"
        );
        let (_, introspector) = manager(&server, &owner, &[&scopes[..], &["sealwright.tokens:introspect"]].concat());
        assert_eq!(server.api("PATCH", &path, &introspector, Some(&more)).status, 200);
        // Its secret would be the same power; a client's own is its own.
        for verb in ["rotate-secret", "enable"] {
            let refused = server.api("POST", &format!("{path}/{verb}"), &token, None);
            assert_problem(&refused, 403, "scope_exceeds_caller");
        }
        let (own, own_token) = manager(&server, &owner, &scopes);
        let rotated = server.api("POST", &format!("/clients/{}/rotate-secret", own.id), &own_token, None);
        assert_eq!(rotated.status, 200, "{}", rotated.text);
    }

    /// A kept response is for callers who could have got it.
    fn a_token_that_may_less_gets_no_answer_of_one_that_may_more(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (client, token) = manager(&server, &owner, &["sealwright.clients:write", "orders:read"]);
        let audience = format!("{}/api/v1", server.url);
        let form =
            [("grant_type", "client_credentials"), ("scope", "sealwright.clients:write"), ("audience", &*audience)];
        let narrow = text(&server.post_form("/api/oauth/token", &client, &form).body["access_token"]);
        let body = json!({"name": "x", "scopes": ["orders:read"]});
        let post = |token: &str| {
            let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(token);
            server.send(request.header("idempotency-key", "key").json(&body))
        };
        assert_eq!(post(&token).status, 201);
        let replayed = post(&narrow);
        assert_eq!((replayed.status, &replayed.body["client_secret"]), (201, &json!(null)), "{}", replayed.text);
        assert!(post(&token).body["client_secret"].is_string());
    }

    fn what_a_token_may_shrinks_with_its_client_at_once(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (client, token) = manager(&server, &owner, &["sealwright.clients:*", "sealwright.audit:read"]);
        let path = format!("/clients/{}", client.id);
        assert_eq!(server.api("GET", "/audit-events", &token, None).status, 200);
        let shrunk = json!({"scopes": ["sealwright.clients:read"]});
        assert_eq!(server.api("PATCH", &path, &owner, Some(&shrunk)).status, 200);
        assert_problem(&server.api("GET", "/audit-events", &token, None), 403, "permission_denied");
        assert_problem(&server.api("POST", "/clients", &token, Some(&json!({}))), 403, "permission_denied");
        // What is left of `clients:*` once only `clients:read` is had: a token is cut to scopes that are still covered.
        let renewed = server.management_token(&client);
        assert_eq!(server.api("GET", "/clients", &renewed, None).status, 200);
        assert_eq!(server.api("PATCH", &path, &owner, Some(&json!({"allowed_ips": ["192.0.2.1"]}))).status, 200);
        assert_problem(&server.api("GET", "/clients", &renewed, None), 401, "invalid_token");
        assert_eq!(server.api("PATCH", &path, &owner, Some(&json!({"allowed_ips": null}))).status, 200);
        assert_eq!(server.api("GET", "/clients", &renewed, None).status, 200);
        assert_eq!(server.api("POST", &format!("{path}/revoke-tokens"), &owner, None).status, 200);
        assert_problem(&server.api("GET", "/clients", &renewed, None), 401, "invalid_token");
    }
}
