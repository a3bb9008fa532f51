//! Every call of the management API leaves its event, with the true reason; and events are found.

mod filters;
mod long_log;
mod search;

use super::{assert_problem, column, created, events_of, minimal, owner, rfc3339, text};
use crate::durability::assert_indexed;
use crate::support::{Response, Server, TestClient, both};
use serde_json::{Value, json};

/// The one event of a response's request.
#[track_caller]
fn event_of(server: &Server, response: &Response) -> Value {
    let id = response.header("x-request-id");
    let mut events = server.events(&["--request-id", id]);
    assert_eq!(events.len(), 1, "events of {} {}", response.status, response.text);
    events.remove(0)
}

fn client_id_of(server: &Server, scopes: &str) -> (String, String) {
    let client = server.client(scopes);
    (server.management_token(&client), client.id)
}

both! {
    fn every_call_of_the_management_api_has_its_event(database) {
        let server = Server::start(database);
        let (token, caller) = client_id_of(&server, "sealwright.admin admin");
        let (_, client) = created(&server, &token, &minimal("seen"));
        let at = |action: &str| format!("/clients/{}{action}", client.id);
        let kids = column(&server.api("GET", "/signing-keys?algorithm=RS256", &token, None), "kid");
        let good = |action: &'static str, method: &'static str, path: String, body: Option<Value>, status: u16| {
            (action, method, path, body, status, "ok")
        };
        let bad = |action: &'static str,
                   method: &'static str,
                   path: String,
                   body: Option<Value>,
                   status: u16,
                   reason: &'static str| (action, method, path, body, status, reason);
        let scope = |name: &str| Some(json!({"name": name}));
        for (action, method, path, body, status, reason) in [
            good("client.list", "GET", "/clients".into(), None, 200),
            good("client.create", "POST", "/clients".into(), Some(minimal("other")), 201),
            good("client.read", "GET", at(""), None, 200),
            good("client.update", "PATCH", at(""), Some(json!({"description": "d"})), 200),
            good("client.rotate_secret", "POST", at("/rotate-secret"), None, 200),
            good("client.revoke_tokens", "POST", at("/revoke-tokens"), None, 200),
            good("client.disable", "POST", at("/disable"), None, 200),
            good("client.enable", "POST", at("/enable"), None, 200),
            bad("client.update", "PATCH", at(""), Some(json!({"token_lifetime": 0})), 422, "invalid_input"),
            bad("client.update", "PATCH", at(""), Some(json!({"unknown": 0})), 422, "invalid_input"),
            bad(
                "client.rotate_secret",
                "POST",
                at("/rotate-secret"),
                Some(json!({"grace": "31d"})),
                422,
                "invalid_input",
            ),
            bad(
                "client.rotate_secret",
                "POST",
                at("/rotate-secret"),
                Some(json!({"grace": "?"})),
                422,
                "invalid_input",
            ),
            good("client.revoke", "POST", at("/revoke"), None, 200),
            bad("client.update", "PATCH", at(""), Some(json!({"name": "x"})), 409, "revoked"),
            bad("client.enable", "POST", at("/enable"), None, 409, "revoked"),
            bad("client.rotate_secret", "POST", at("/rotate-secret"), None, 409, "revoked"),
            bad("client.read", "GET", "/clients/cli_1".into(), None, 404, "not_found"),
            bad("client.disable", "POST", "/clients/cli_1/disable".into(), None, 404, "not_found"),
            bad("client.create", "POST", "/clients".into(), Some(json!({})), 422, "invalid_input"),
            bad("client.create", "POST", "/clients".into(), Some(json!({"unknown": 1})), 422, "invalid_input"),
            bad("client.list", "GET", "/clients?limit=0".into(), None, 422, "invalid_input"),
            good("scope.create", "POST", "/scopes".into(), scope("a:read"), 201),
            bad("scope.create", "POST", "/scopes".into(), scope("a:read"), 409, "scope_exists"),
            bad("scope.create", "POST", "/scopes".into(), scope("a b"), 422, "invalid_input"),
            bad("scope.create", "POST", "/scopes".into(), Some(json!({})), 422, "invalid_input"),
            good("scope.list", "GET", "/scopes".into(), None, 200),
            bad("scope.list", "GET", "/scopes?x=1".into(), None, 422, "invalid_input"),
            good("scope.read", "GET", "/scopes/a:read".into(), None, 200),
            good("scope.update", "PATCH", "/scopes/a:read".into(), Some(json!({"description": "x"})), 200),
            bad("scope.update", "PATCH", "/scopes/a:read".into(), Some(json!({"x": "x"})), 422, "invalid_input"),
            good("scope.delete", "DELETE", "/scopes/a:read".into(), None, 204),
            bad("scope.delete", "DELETE", "/scopes/a:read".into(), None, 404, "not_found"),
            good("signing_key.list", "GET", "/signing-keys".into(), None, 200),
            bad("signing_key.list", "GET", "/signing-keys?limit=0".into(), None, 422, "invalid_input"),
            good("signing_key.rotate", "POST", "/signing-keys/rotate".into(), Some(json!({"algorithm": "RS256"})), 201),
            bad(
                "signing_key.rotate",
                "POST",
                "/signing-keys/rotate".into(),
                Some(json!({"algorithm": "RS256"})),
                409,
                "rotation_pending",
            ),
            bad(
                "signing_key.rotate",
                "POST",
                "/signing-keys/rotate".into(),
                Some(json!({"x": 1})),
                422,
                "invalid_input",
            ),
            good("signing_key.destroy", "POST", format!("/signing-keys/{}/destroy", kids[0]), None, 200),
            bad("signing_key.destroy", "POST", format!("/signing-keys/{}/destroy", kids[0]), None, 409, "destroyed"),
            good("audit.list", "GET", "/audit-events?limit=1".into(), None, 200),
            bad("audit.list", "GET", "/audit-events?limit=0".into(), None, 422, "invalid_input"),
        ] {
            let response = server.api(method, &path, &token, body.as_ref());
            assert_eq!(response.status, status, "{method} {path}: {}", response.text);
            let events = events_of(&server, &token, &response);
            assert_eq!(events.len(), 1, "{method} {path} {body:?}: one event, not {events:?}");
            let event = &events[0];
            let place = format!("{method} {path}: {event}");
            // A call whose input cannot be read reaches no verb: method and path tell what it was to be.
            let unread = reason == "invalid_input" && event["action"] == "api.call";
            assert!(unread || event["action"] == action, "{place}");
            assert_eq!((&event["status"], &event["reason"]), (&json!(status), &json!(reason)), "{place}");
            assert_eq!(event["outcome"], if reason == "ok" { "success" } else { "refused" }, "{place}");
            assert_eq!((&event["actor"], &event["credential"]), (&json!(caller), &json!(caller)), "{place}");
            assert_eq!(event["environment"], "production", "{place}");
            assert_eq!(event["method"], method, "{place}");
            assert_eq!(event["path"], format!("/api/v1{}", path.split('?').next().unwrap()), "{place}");
            assert_eq!(event["address"], "127.0.0.1", "{place}");
            assert!(event["duration_micros"].as_i64().unwrap() > 0, "{place}");
            if path.contains(&client.id) && !unread {
                assert_eq!(event["target"], client.id, "{place}");
            }
        }
    }

    fn every_body_that_is_refused_unread_has_its_event(database) {
        let server = Server::start(database);
        let (token, caller) = client_id_of(&server, "sealwright.admin admin");
        for (content_type, body, status, code) in [
            ("application/json", "{".to_owned(), 400, "malformed_json"),
            ("text/plain", "{}".to_owned(), 415, "unsupported_media_type"),
            ("application/json", " ".repeat(65_537), 413, "body_too_large"),
        ] {
            for path in ["/clients", "/scopes", "/signing-keys/rotate"] {
                let request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(&token);
                let response = server.send(request.header("content-type", content_type).body(body.clone()));
                assert_problem(&response, status, code);
                let event = &events_of(&server, &token, &response)[0];
                assert_eq!((&event["status"], &event["reason"]), (&json!(status), &json!(code)), "{path}: {event}");
                assert_eq!(event["actor"], caller, "{path}: {event}");
            }
        }
    }

    fn who_is_turned_away_has_an_event_with_the_true_reason(database) {
        let server = Server::start(database);
        let (token, caller) = client_id_of(&server, "sealwright.admin read");
        let reader = server.client("sealwright.audit:read");
        let reader_token = server.management_token(&reader);
        let resource = format!("{}/resources", server.url);
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let everything = TestClient { id: caller.clone(), secret: String::new() };
        let rotated = server.manage("POST", &format!("/clients/{}/rotate-secret", everything.id), None);
        let everything = crate::api::with_secret(&rotated);
        let elsewhere = text(&server.post_form("/api/oauth/token", &everything, &form).body["access_token"]);
        let ended_client = server.client("sealwright.admin");
        let ended = server.management_token(&ended_client);
        server.api("POST", &format!("/clients/{}/disable", ended_client.id), &token, None);
        let forged = format!("{}AAAA", &token[..token.len() - 4]);

        for (bearer, status, reason, credential) in [
            (reader_token.as_str(), 403, "permission_denied", json!(reader.id)),
            (&elsewhere, 401, "wrong_audience", json!(caller)),
            (&ended, 401, "client_not_active", json!(ended_client.id)),
            (&forged, 401, "bad_signature", Value::Null),
            ("x", 401, "malformed_credential", Value::Null),
        ] {
            let response = server.api("GET", "/clients", bearer, None);
            assert_eq!(response.status, status);
            let event = event_of(&server, &response);
            assert_eq!((&event["status"], &event["reason"]), (&json!(status), &json!(reason)), "{event}");
            assert_eq!((&event["outcome"], &event["credential"]), (&json!("refused"), &credential), "{event}");
            assert!(!event.to_string().contains(bearer) || bearer.len() == 1, "no token in an event");
        }
        let none = server.get("/api/v1/clients");
        assert_eq!(event_of(&server, &none)["reason"], "no_credentials");
        let two = server.http.get(format!("{}/api/v1/clients", server.url)).bearer_auth(&token).bearer_auth(&token);
        assert_eq!(event_of(&server, &server.send(two))["reason"], "two_credentials");
        assert_problem(
            &server.api("POST", "/clients", &token, Some(&json!({"name": "x", "scopes": ["admin"]}))),
            403,
            "scope_exceeds_caller",
        );
        let denied = server.events(&["--action", "client.create", "--outcome", "refused"]);
        assert_eq!(
            (denied[0]["reason"].as_str(), denied[0]["actor"].as_str()),
            (Some("scope_exceeds_caller"), Some(&*caller))
        );
    }

    fn an_answer_that_is_replayed_has_an_event_of_its_own(database) {
        let server = Server::start(database);
        let (token, caller) = client_id_of(&server, "sealwright.admin admin");
        let post = |key: &str, body: &Value| {
            let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(&token);
            server.send(request.header("idempotency-key", key).json(body))
        };
        assert_eq!(event_of(&server, &post("key", &minimal("one")))["reason"], "ok");
        let replayed = event_of(&server, &post("key", &minimal("one")));
        assert_eq!(
            (replayed["action"].as_str(), replayed["outcome"].as_str(), replayed["actor"].as_str()),
            (Some("client.create"), Some("success"), Some(&*caller)),
            "a secret was handed out once more"
        );
        let reused = event_of(&server, &post("key", &minimal("two")));
        assert_eq!((reused["status"].as_i64(), reused["reason"].as_str()), (Some(422), Some("idempotency_key_reused")));
        let malformed = event_of(&server, &post("a b", &minimal("two")));
        assert_eq!((malformed["status"].as_i64(), malformed["reason"].as_str()), (Some(422), Some("invalid_input")));
    }

    /// Never a secret, wherever a caller puts it.
    fn a_secret_in_a_path_is_not_recorded(database) {
        let server = Server::spawn(database);
        let token = owner(&server);
        let secret = server.client("read").secret;
        for path in [format!("/clients/{secret}"), format!("/clients/{token}/disable"), format!("/nothing/{secret}")] {
            let response = server.api(if path.ends_with("disable") { "POST" } else { "GET" }, &path, &token, None);
            assert_eq!(response.status, 404);
            assert!(!response.text.contains(&secret[..20]), "{}", response.text);
            let event = event_of(&server, &response).to_string();
            assert!(!event.contains(&secret[4..20]) && !event.contains(&token[..20]), "{event}");
        }
        let log = server.log();
        assert!(!log.contains(&secret[4..20]) && !log.contains(&token[..20]), "{log}");
    }
}
