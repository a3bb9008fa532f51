//! `POST /api/oauth/introspect` (RFC 7662), and what the management API makes of the same tokens (RFC 6750).

use serde_json::{Value, json};

use super::{
    access_token, client, forgeries, grant, introspect, is_active, parts, published_keys, revoke, spawn, start, token,
};
use crate::support::{TestClient, both};

const INACTIVE: &str = r#"{"active":false}"#;

both! {
    /// RFC 7662 §2.2, §4: everything about a token in force, never cached.
    fn an_active_token_is_told_with_its_claims(database) {
        let server = start(database, &[]);
        let resource = ["--audience", "https://a.example", "--audience", "b"];
        let client = client(&server, "orders:read orders:write", &resource);
        let both = [("resource", "https://a.example"), ("audience", "b")];
        for form in [&both[..1], &both] {
            let response = grant(&server, "", &client, form);
            let (_, claims) = parts(access_token(&response));
            let told = introspect(&server, "", &client, access_token(&response));
            let mut expected = claims.clone();
            expected["active"] = json!(true);
            expected["token_type"] = json!("Bearer");
            assert_eq!((told.status, &told.body), (200, &expected));
            assert_eq!(told.header("content-type"), "application/json");
            assert_eq!((told.header("cache-control"), told.header("pragma")), ("no-store", "no-cache"));
            let events = server.events(&["--request-id", told.header("x-request-id")]);
            assert_eq!(events.len(), 1);
            assert_eq!((&events[0]["action"], &events[0]["reason"]), (&json!("token.introspect"), &json!("active")));
            assert_eq!((&events[0]["jti"], &events[0]["credential"]), (&claims["jti"], &json!(client.id)));
        }
    }

    /// RFC 7662 §2.1, §2.2, §4: own tokens, those of an audience that the caller is the
    /// resource server of, and with the permission all of its environment.
    fn a_caller_is_told_only_of_tokens_that_concern_it(database) {
        let server = start(database, &[]);
        let owner = client(&server, "orders:read", &["--audience", "https://orders.example", "--audience", "other"]);
        let staging = ["--environment", "staging"];
        let callers = [
            ("the client itself", true, false, owner.clone()),
            ("another client", false, false, client(&server, "admin", &[])),
            (
                "its resource server",
                true,
                false,
                client(&server, "orders:read", &["--resource-for", "x", "--resource-for", "https://orders.example"]),
            ),
            ("another resource server", false, true, client(&server, "orders:read", &["--resource-for", "other"])),
            (
                "one that has the audience itself",
                false,
                false,
                client(&server, "orders:read", &["--audience", "https://orders.example"]),
            ),
            (
                "a resource server of part of the audience",
                false,
                false,
                client(&server, "orders:read", &["--resource-for", "https://orders.example/"]),
            ),
            ("a holder of the permission", true, true, client(&server, "sealwright.tokens:introspect", &[])),
            ("an administrator", true, true, client(&server, "sealwright.admin", &[])),
            ("a holder of another permission", false, false, client(&server, "sealwright.clients:read", &[])),
        ];
        let orders = token(&server, &owner);
        let other = access_token(&grant(&server, "", &owner, &[("audience", "other")])).to_owned();
        for (name, sees_orders, sees_other, caller) in &callers {
            assert_eq!(is_active(&server, caller, &orders), *sees_orders, "{name}");
            assert_eq!(is_active(&server, caller, &other), *sees_other || caller.id == owner.id, "{name}");
        }
        let refused = introspect(&server, "", &callers[1].3, &orders);
        let event = &server.events(&["--request-id", refused.header("x-request-id")])[0];
        assert_eq!(event["reason"], "not_for_this_caller");

        // Nothing crosses environments, whatever the permission.
        let stranger = client(&server, "sealwright.tokens:introspect", &staging);
        let told = introspect(&server, "/staging", &stranger, &orders);
        assert_eq!((told.status, &*told.text), (200, INACTIVE));
        assert_eq!(introspect(&server, "", &stranger, &orders).status, 401);
        assert_eq!(introspect(&server, "/staging", &owner, &orders).status, 401);
    }

    /// RFC 7515, 7519, 8725, 9068 §4, RFC 6750 §3.1: what is not our token in force
    /// is inactive to everybody, and no token for the management API.
    fn forged_and_foreign_tokens_are_inactive_and_open_nothing(database) {
        let server = start(database, &[]);
        let scopes = "sealwright.clients:read sealwright.tokens:introspect";
        let manager = client(&server, scopes, &[]);
        let genuine = server.management_token(&manager);
        assert!(is_active(&server, &manager, &genuine));
        assert_eq!(server.api("GET", "/clients", &genuine, None).status, 200);

        let mut bad = forgeries(&genuine, &published_keys(&server, ""));
        // A true signature of the same server, by another environment's key: another issuer, another audience.
        let staging = client(&server, scopes, &["--environment", "staging"]);
        let foreign = access_token(&grant(&server, "/staging", &staging, &[])).to_owned();
        bad.push(("a staging token", foreign.clone()));
        let brief = client(&server, "sealwright.clients:read", &["--token-lifetime", "1s"]);
        let expired = token(&server, &brief);
        let revoked = token(&server, &manager);
        assert_eq!(revoke(&server, "", &manager, &revoked).status, 200);
        bad.push(("a revoked token", revoked));
        let exp = parts(&expired).1["exp"].as_i64().unwrap();
        // A token is refused at `exp` exactly (RFC 7519 §4.1.4).
        server.wait_until(exp * 1_000);
        bad.push(("an expired token", expired));

        for (name, token) in &bad {
            assert!(!is_active(&server, &manager, token), "{name}");
            let asked = server.http.get(format!("{}/api/v1/forward-auth", server.url)).bearer_auth(token);
            let denied = server.send(asked).status;
            // The genuine one is the management API's, and not for what is behind a gateway.
            assert_eq!(denied, if *name == "white space around it" { 403 } else { 401 }, "{name}");
            if *name == "a staging token" {
                continue;
            }
            let refused = server.api("GET", "/clients", token, None);
            let challenge = refused.header("www-authenticate");
            // White space around a bearer token is no part of it (RFC 9110 §5.5).
            if *name == "white space around it" {
                continue;
            }
            let expected = (401, "invalid_token", "Bearer realm=\"sealwright\", error=\"invalid_token\"");
            assert_eq!((refused.status, refused.body["code"].as_str().unwrap(), challenge), expected, "{name}");
        }
        assert!(is_active(&server, &manager, &genuine), "nothing of this harmed the genuine one");

        // A staging token manages staging, and sees nothing of production.
        let seen = server.api("GET", "/clients", &foreign, None);
        let clients = seen.body["data"].as_array().unwrap();
        let environments: Vec<&Value> = clients.iter().map(|client| &client["environment"]).collect();
        assert_eq!((seen.status, environments), (200, vec![&json!("staging"); 2]), "its owner and itself");

        let events = server.events(&["--action", "token.introspect"]);
        for reason in ["malformed_token", "unknown_key", "bad_signature", "token_revoked", "token_expired"] {
            assert!(events.iter().any(|event| event["reason"] == reason), "no event has the reason {reason}");
        }
        assert_eq!(crate::support::in_process::panics(), Vec::<String>::new());
    }

    /// RFC 6750 §2, §3, RFC 9068 §4: how a token is presented to the management API, and for whom
    /// it is.
    fn the_management_api_takes_one_bearer_token_for_itself(database) {
        let server = spawn(database, &[]);
        let manager = client(&server, "sealwright.clients:read", &["--audience", "https://orders.example"]);
        let good = server.management_token(&manager);
        let elsewhere = token(&server, &manager);
        let poor = client(&server, "sealwright.audit:read", &[]);
        let poor = server.management_token(&poor);
        let realm = "Bearer realm=\"sealwright\"";
        let invalid_token = format!("{realm}, error=\"invalid_token\"");
        let invalid_request = format!("{realm}, error=\"invalid_request\"");
        let insufficient = format!("{realm}, error=\"insufficient_scope\", scope=\"sealwright.clients:read\"");
        let table: Vec<(&str, Vec<String>, &str, u16, &str)> = vec![
            ("bearer", vec![format!("Bearer {good}")], "", 200, ""),
            ("scheme in small letters", vec![format!("bearer {good}")], "", 200, ""),
            ("scheme in capitals", vec![format!("BEARER {good}")], "", 200, ""),
            ("nothing: no error code", vec![], "", 401, realm),
            ("in the query", vec![], "?access_token=", 401, realm),
            ("twice", vec![format!("Bearer {good}"), format!("Bearer {good}")], "", 400, &invalid_request),
            ("two in one field", vec![format!("Bearer {good} {good}")], "", 400, &invalid_request),
            ("scheme only", vec!["Bearer".into()], "", 400, &invalid_request),
            ("for another audience", vec![format!("Bearer {elsewhere}")], "", 401, &invalid_token),
            ("without the permission", vec![format!("Bearer {poor}")], "", 403, &insufficient),
        ];
        for (name, fields, query, status, challenge) in table {
            let query = if query.is_empty() { String::new() } else { format!("{query}{good}") };
            let mut request = server.http.get(format!("{}/api/v1/clients{query}", server.url));
            for field in fields {
                request = request.header("authorization", field);
            }
            let response = server.send(request);
            assert_eq!((response.status, response.header("www-authenticate")), (status, challenge), "{name}");
        }
        assert!(!server.log().contains(&good), "a token in the query is not logged");
    }

    /// RFC 7662 §4, Keycloak CVE-2026-8922: revocation, the client's state and its scopes now are asked
    /// together, and the strictest wins.
    fn a_token_is_in_force_only_as_far_as_its_client_is_now(database) {
        let server = start(database, &[]);
        let observer = client(&server, "sealwright.tokens:introspect", &[]);
        let told = |token: &str| introspect(&server, "", &observer, token).body;

        let disabled = client(&server, "read", &[]);
        let its_token = token(&server, &disabled);
        server.manage("POST", &format!("/clients/{}/disable", disabled.id), None);
        assert!(!is_active(&server, &observer, &its_token), "its client was disabled");
        server.manage("POST", &format!("/clients/{}/enable", disabled.id), None);
        assert!(is_active(&server, &observer, &its_token), "its client was enabled again");

        let revoked = client(&server, "read", &[]);
        let its_token = token(&server, &revoked);
        server.manage("POST", &format!("/clients/{}/revoke", revoked.id), None);
        assert!(!is_active(&server, &observer, &its_token), "its client was revoked");

        let narrowed = client(&server, "orders:read orders:write", &[]);
        let its_token = token(&server, &narrowed);
        server.manage("PATCH", &format!("/clients/{}", narrowed.id), Some(&json!({"scopes": ["orders:read"]})));
        assert!(told(&its_token)["scope"] == "orders:read", "its scopes shrank");

        let emptied = client(&server, "orders:read", &[]);
        let its_token = token(&server, &emptied);
        server.manage("PATCH", &format!("/clients/{}", emptied.id), Some(&json!({"scopes": ["invoices:read"]})));
        assert!(told(&its_token)["scope"] == "", "nothing of its scopes is left");

        let manager = client(&server, "sealwright.clients:read sealwright.audit:read", &[]);
        let its_token = server.management_token(&manager);
        assert_eq!(server.api("GET", "/clients", &its_token, None).status, 200);
        server.manage(
            "PATCH",
            &format!("/clients/{}", manager.id),
            Some(&json!({"scopes": ["sealwright.audit:read"]})),
        );
        assert!(server.api("GET", "/clients", &its_token, None).status == 403, "the permission was taken");
    }

    /// `revoke-tokens` ends what was issued before its moment, to the millisecond, and nothing after it.
    fn revoke_tokens_ends_what_was_issued_before_to_the_millisecond(database) {
        let server = start(database, &[]);
        let manager = client(&server, "sealwright.clients:write orders:read", &[]);
        let management = server.management_token(&manager);
        let (target, other) = (client(&server, "orders:read", &[]), client(&server, "orders:read", &[]));
        let others_token = token(&server, &other);
        for _ in 0..5 {
            // Issued just before and just after, most often within the same second.
            let before: Vec<String> = (0..3).map(|_| token(&server, &target)).collect();
            // Ids have whole milliseconds: the moment must be a later one.
            server.advance(1);
            let path = format!("/clients/{}/revoke-tokens", target.id);
            let done = server.api("POST", &path, &management, None);
            assert_eq!(done.status, 200, "{}", done.text);
            let after = token(&server, &target);
            for token in &before {
                assert!(!is_active(&server, &target, token));
            }
            assert!(is_active(&server, &target, &after));
        }
        assert!(is_active(&server, &other, &others_token), "another client's tokens are not concerned");
    }

    /// RFC 7662 §2.1: the endpoint is not open, and who may not use it learns nothing of the token.
    fn a_caller_must_be_an_active_client_of_the_environment(database) {
        let server = start(database, &[]);
        let owner = client(&server, "orders:read", &[]);
        let good = token(&server, &owner);
        let wrong = TestClient { secret: "wrong".into(), ..owner.clone() };
        let disabled = client(&server, "orders:read", &[]);
        server.manage("POST", &format!("/clients/{}/disable", disabled.id), None);
        for caller in [wrong, disabled] {
            let (known, unknown) = (introspect(&server, "", &caller, &good), introspect(&server, "", &caller, "x"));
            assert_eq!((known.status, known.body["error"].as_str()), (401, Some("invalid_client")));
            assert!(known.header("www-authenticate").starts_with("Basic "));
            assert_eq!(known.text, unknown.text);
        }
        let by_bearer = server.http.post(format!("{}/api/oauth/introspect", server.url)).bearer_auth(&good);
        assert_eq!(server.send(by_bearer.form(&[("token", &good)])).status, 401);
    }
}
