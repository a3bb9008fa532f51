//! What clients and API keys have in common: the order of checks, revoked credentials, and a clock that steps back.

use serde_json::{Value, json};

use super::keys::code;
use super::{assert_invalid, assert_problem, created, is_active, owner, text, with_secret};
use crate::support::{Response, Server, TestClient, both};

/// A kind of credential, as the API has it.
struct Kind {
    collection: &'static str,
    rotate: &'static str,
    secrets: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind { collection: "/clients", rotate: "rotate-secret", secrets: "secrets" },
    Kind { collection: "/keys", rotate: "rotate", secrets: "values" },
];

/// What a change of a credential is refused with, in the order of the checks.
#[derive(Clone, Copy)]
enum Refused {
    Invalid(&'static str),
    Forbidden,
}

/// The changes that a caller tries who has `orders:read` and is tied to one customer: the request, and its refusal
/// while the credential, which has `orders:write`, is not revoked.
fn changes(kind: &Kind) -> [(&'static str, String, Value, Refused); 6] {
    let patch = |body, refused| ("PATCH", String::new(), body, refused);
    [
        patch(json!({"name": ""}), Refused::Invalid("name")),
        patch(json!({"customers": []}), Refused::Invalid("customers")),
        patch(json!({"customers": null}), Refused::Invalid("customers")),
        patch(json!({"scopes": ["orders:write", "orders:delete"]}), Refused::Forbidden),
        ("POST", format!("/{}", kind.rotate), json!({}), Refused::Forbidden),
        ("POST", "/enable".to_owned(), json!({}), Refused::Forbidden),
    ]
}

/// Creates a credential, and returns its path and the response.
fn create(server: &Server, token: &str, kind: &Kind, body: &Value) -> (String, Value) {
    let response = server.api("POST", kind.collection, token, Some(body));
    assert_eq!(response.status, 201, "{}", response.text);
    (format!("{}/{}", kind.collection, text(&response.body["id"])), response.body)
}

fn call(server: &Server, key: &str, method: &str, path: &str, body: &Value) -> Response {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = server.http.request(method, format!("{}/api/v1{path}", server.url));
    server.send(request.header("x-api-key", key).json(body))
}

/// Whether what a response of a create or rotate revealed is accepted.
fn is_accepted(server: &Server, token: &str, revealed: &Value) -> bool {
    match revealed["key"].as_str() {
        Some(key) => code(server, token, key, &json!({})) == "VALID",
        None => server.token(&with_secret(revealed)).status == 200,
    }
}

both! {
    /// Existence is checked before the state, the state before the input that depends on it, and that before what the
    /// caller may do.
    fn the_checks_of_a_change_have_one_order_for_both_kinds(database) {
        let server = Server::start(database);
        let token = owner(&server);
        server.manage("POST", "/customers", Some(&json!({"external_id": "acme", "name": "Acme"})));
        let scopes = ["sealwright.keys:*", "sealwright.clients:*", "orders:read"];
        let body = json!({"name": "caller", "type": "internal", "scopes": scopes, "customers": ["acme"]});
        let caller = text(&server.manage("POST", "/keys", Some(&body))["key"]);
        for kind in &KINDS {
            let target = |customers: Value| json!({"name": "x", "scopes": ["orders:write"], "customers": customers});
            let (invisible, _) = create(&server, &token, kind, &target(json!([])));
            let (path, _) = create(&server, &token, kind, &target(json!(["acme"])));
            for (method, verb, body, refused) in &changes(kind) {
                let response = call(&server, &caller, method, &format!("{path}{verb}"), body);
                match refused {
                    Refused::Invalid(field) => assert_invalid(&response, &[field]),
                    Refused::Forbidden => assert_problem(&response, 403, "scope_exceeds_caller"),
                }
            }
            assert_eq!(server.api("POST", &format!("{path}/revoke"), &token, None).status, 200);
            for (method, verb, body, refused) in &changes(kind) {
                // A name that no credential can have is refused when the body is read.
                if matches!(refused, Refused::Invalid("name")) {
                    continue;
                }
                let response = call(&server, &caller, method, &format!("{path}{verb}"), body);
                assert_problem(&response, 409, "revoked");
                let response = call(&server, &caller, method, &format!("{invisible}{verb}"), body);
                assert_problem(&response, 404, "not_found");
            }
        }
    }

    fn a_revoked_credential_has_no_live_secret_and_stays_as_it_is(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for kind in &KINDS {
            let (path, _) = create(&server, &token, kind, &json!({"name": "x", "scopes": ["orders:read"]}));
            let revoke = || server.api("POST", &format!("{path}/revoke"), &token, None);
            assert_eq!(revoke().status, 200);
            let shown = server.api("GET", &path, &token, None).body;
            assert_eq!(shown[kind.secrets][0]["live"], json!(false), "{shown}");
            server.advance(1_000);
            assert_eq!(revoke().status, 200, "revoking again is no error");
            assert_eq!(server.api("GET", &path, &token, None).body["updated_at"], shown["updated_at"]);
        }
    }

    /// What was replaced at once has ended, whatever the clock says later.
    fn a_clock_that_steps_back_revives_no_replaced_secret(database) {
        let server = Server::start(database);
        // The signing keys are older than the step.
        server.advance(60_000);
        let token = owner(&server);
        for kind in &KINDS {
            let (path, first) = create(&server, &token, kind, &json!({"name": "x", "scopes": ["orders:read"]}));
            let second = server.api("POST", &format!("{path}/{}", kind.rotate), &token, None).body;
            server.advance(-30_000);
            let earlier = owner(&server);
            assert!(!is_accepted(&server, &earlier, &first), "{path}");
            assert!(is_accepted(&server, &earlier, &second), "{path}");
            let body = json!({"grace": "1h"});
            let third = server.api("POST", &format!("{path}/{}", kind.rotate), &earlier, Some(&body)).body;
            let accepted = [&first, &second, &third].map(|revealed| is_accepted(&server, &earlier, revealed));
            assert_eq!(accepted, [false, true, true], "{path}");
            server.advance(30_000);
        }
    }

    fn all_fields_that_violate_a_rule_are_told_at_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let past = "2020-01-01T00:00:00Z";
        let nobody = "usr_0199c0de0000700080000000000000ff";
        for (collection, body, fields) in [
            (
                "/clients",
                json!({"name": "x", "scopes": ["orders:read"], "default_scopes": ["orders:write"], "expires_at": past,
                       "customers": ["nobody"], "owner": nobody}),
                ["customers", "default_scopes", "expires_at", "owner"].as_slice(),
            ),
            (
                "/keys",
                json!({"name": "x", "scopes": ["admin"], "type": "client", "expires_at": past, "owner": nobody}),
                &["customers", "expires_at", "owner", "scopes"],
            ),
            (
                "/keys",
                json!({"name": "", "scopes": ["admin"], "preset": "full", "type": "other", "allowed_ips": ["x"]}),
                &["allowed_ips", "name", "preset", "type"],
            ),
        ] {
            assert_invalid(&server.api("POST", collection, &token, Some(&body)), fields);
        }
        let (_, client) = created(&server, &token, &json!({"name": "x", "scopes": ["orders:read"]}));
        let body = json!({"default_scopes": ["orders:write"], "expires_at": past, "customers": ["nobody"]});
        let response = server.api("PATCH", &format!("/clients/{}", client.id), &token, Some(&body));
        assert_invalid(&response, &["customers", "default_scopes", "expires_at"]);
    }

    fn revoking_the_tokens_of_a_revoked_client_changes_nothing(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &json!({"name": "x", "scopes": ["orders:read"]}));
        let path = format!("/clients/{}", client.id);
        let revoked = server.api("POST", &format!("{path}/revoke"), &token, None);
        server.advance(1000);
        let again = server.api("POST", &format!("{path}/revoke-tokens"), &token, None);
        assert_eq!((again.status, &again.body), (200, &revoked.body));
    }

    fn a_clock_that_steps_back_revives_no_revoked_token(database) {
        let server = Server::start(database);
        // The signing keys are older than the step.
        server.advance(60_000);
        let token = owner(&server);
        let (body, client): (Value, TestClient) =
            created(&server, &token, &json!({"name": "x", "scopes": ["orders:read"]}));
        let issued = text(&server.token(&client).body["access_token"]);
        assert!(is_active(&server, &client, &issued));
        server.advance(-30_000);
        let path = format!("/clients/{}/revoke-tokens", text(&body["id"]));
        assert_eq!(server.api("POST", &path, &owner(&server), None).status, 200);
        assert!(!is_active(&server, &client, &issued), "it was issued before, though at a later time");
        server.advance(31_000);
        assert!(!is_active(&server, &client, &issued), "nor when the clock is right again");
    }
}
