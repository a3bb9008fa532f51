//! No path escalates: every kind of caller tries to create, rotate, widen, enable and transfer what it does not hold
//! itself.

use serde_json::{Value, json};

use super::{created, owner, text};
use crate::support::{Response, Server, both};

/// What every caller has; the targets have `orders:write`.
const HELD: [&str; 5] =
    ["sealwright.keys:*", "sealwright.clients:*", "sealwright.users:*", "sealwright.roles:*", "orders:read"];

/// A caller by its header field.
struct Caller {
    kind: &'static str,
    field: (&'static str, String),
    /// What the targets are made with, so that the caller reaches them.
    place: Value,
    /// What it gets where it tries: 403, or 404 where it reaches nothing.
    status: u16,
}

impl Caller {
    fn call(&self, server: &Server, method: &str, path: &str, body: &Value) -> Response {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = server.http.request(method, format!("{}/api/v1{path}", server.url));
        server.send(request.header(self.field.0, &self.field.1).json(body))
    }
}

fn with(base: Value, more: &Value) -> Value {
    let mut body = base;
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Makes something that must be made.
fn make(server: &Server, token: &str, path: &str, body: &Value) -> Value {
    let made = server.api("POST", path, token, Some(body));
    assert_eq!(made.status, 201, "{path} {body}: {}", made.text);
    made.body
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// Every kind of caller, each with [`HELD`] at this moment and no more.
fn callers(server: &Server, token: &str) -> Vec<Caller> {
    let key = |more: Value| {
        let body = with(json!({"name": "caller", "type": "internal", "scopes": HELD}), &more);
        ("x-api-key", text(&make(server, token, "/keys", &body)["key"]))
    };
    make(server, token, "/customers", &json!({"external_id": "acme", "name": "Acme"}));
    make(server, token, "/roles", &json!({"name": "manager", "scopes": HELD}));
    make(server, token, "/roles", &json!({"name": "own", "scopes": ["sealwright.credentials:own", "orders:read"]}));
    let manager = text(&make(server, token, "/users", &json!({"email": "m@b.c", "role": "manager"}))["id"]);
    let own = text(&make(server, token, "/users", &json!({"email": "o@b.c", "role": "own"}))["id"]);
    let (_, client) = created(server, token, &json!({"name": "caller", "scopes": HELD}));
    let (_, wide) = created(server, token, &json!({"name": "wide", "scopes": ["sealwright.admin", "admin"]}));
    let audience = format!("{}/api/v1", server.url);
    let scope = HELD.join(" ");
    let form = [("grant_type", "client_credentials"), ("resource", &*audience), ("scope", &*scope)];
    let narrow = text(&server.post_form("/api/oauth/token", &wide, &form).body["access_token"]);
    let staging = server.client_with("sealwright.admin admin", &["--environment", "staging"]);
    let everything = json!({"scopes": ["sealwright.admin", "admin"], "owner": manager});
    let own_only = json!({"scopes": ["sealwright.credentials:own", "admin"], "owner": own});
    let caller = |kind, field, place, status| Caller { kind, field, place, status };
    vec![
        caller("a client's token", bearer(&server.management_token(&client)), json!({}), 403),
        caller("a narrow token of a wide client", bearer(&narrow), json!({}), 403),
        caller("a key", key(json!({})), json!({}), 403),
        caller("a key that its owner's role cuts", key(everything), json!({}), 403),
        caller("a key for its owner's credentials", key(own_only), json!({"owner": own}), 403),
        caller("a key of a customer", key(json!({"customers": ["acme"]})), json!({"customers": ["acme"]}), 403),
        caller("a token of staging", bearer(&server.management_token_of("staging", &staging)), json!({}), 404),
    ]
}

both! {
    fn nobody_gets_at_what_it_does_not_hold(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for caller in callers(&server, &token) {
            let Caller { kind, place, status, .. } = &caller;
            let target = with(json!({"name": "target", "scopes": ["orders:write"]}), place);
            let held = with(json!({"name": "held", "scopes": ["orders:read"]}), place);
            for (list, rotate) in [("/keys", "rotate"), ("/clients", "rotate-secret")] {
                let target = format!("{list}/{}", text(&make(&server, &token, list, &target)["id"]));
                let held = format!("{list}/{}", text(&make(&server, &token, list, &held)["id"]));
                assert_eq!(server.api("POST", &format!("{target}/disable"), &token, None).status, 200);
                let before = server.api("GET", &target, &token, None).body;
                let held_before = server.api("GET", &held, &token, None).body;
                for (action, method, path, body) in [
                    ("rotate", "POST", format!("{target}/{rotate}"), json!({})),
                    ("enable", "POST", format!("{target}/enable"), json!({})),
                    ("transfer", "POST", format!("{target}/transfer"), json!({"owner": null})),
                    ("transfer to a user", "POST", format!("{target}/transfer"), json!({"owner": "o@b.c"})),
                    ("narrow", "PATCH", target.clone(), json!({"scopes": ["orders:read"]})),
                    ("open", "PATCH", target.clone(), json!({"allowed_ips": []})),
                    ("widen", "PATCH", held.clone(), json!({"scopes": ["orders:read", "orders:write"]})),
                    ("widen to a wildcard", "PATCH", held.clone(), json!({"scopes": ["orders:*"]})),
                    ("widen to a level", "PATCH", held.clone(), json!({"scopes": ["read"]})),
                    (
                        "widen to management",
                        "PATCH",
                        held.clone(),
                        json!({"scopes": ["sealwright.signing-keys:write"]}),
                    ),
                ] {
                    let response = caller.call(&server, method, &path, &body);
                    let refused = [*status, 422].contains(&response.status);
                    assert!(refused, "{kind}: {action} {path}: {} {}", response.status, response.text);
                    assert!(
                        response.body.get("key").or(response.body.get("client_secret")).is_none(),
                        "{}",
                        response.text
                    );
                }
                assert_eq!(server.api("GET", &target, &token, None).body, before, "{kind}: {target}");
                assert_eq!(server.api("GET", &held, &token, None).body, held_before, "{kind}: {held}");
                for (action, scopes) in [
                    ("another scope", json!(["orders:write"])),
                    ("a wildcard", json!(["orders:*"])),
                    ("a level", json!(["read"])),
                    ("admin", json!(["admin"])),
                    ("all management", json!(["sealwright.admin"])),
                    ("a permission", json!(["sealwright.audit:read"])),
                ] {
                    // Staging makes what is its own; what it names of production is refused.
                    let mut body = with(json!({"name": "made", "scopes": scopes, "environment": "production"}), place);
                    body.as_object_mut().unwrap().remove("owner");
                    if list == "/keys" {
                        body["type"] = json!("internal");
                    }
                    let response = caller.call(&server, "POST", list, &body);
                    assert_eq!(response.status, 403, "{kind}: makes {list} with {action}: {}", response.text);
                }
            }
            // Users and roles are the same power by another name.
            if *status == 403 {
                for (method, path, body) in [
                    ("POST", "/users", json!({"email": "new@b.c", "role": "owner"})),
                    ("POST", "/users", json!({"email": "new@b.c", "role": "developer"})),
                    ("POST", "/roles", json!({"name": "new", "scopes": ["orders:write"]})),
                    ("PATCH", "/roles/developer", json!({"scopes": ["orders:read"]})),
                    ("PATCH", "/roles/manager", json!({"scopes": ["orders:write"]})),
                    ("PATCH", "/roles/own", json!({"scopes": ["*:*"]})),
                ] {
                    let response = caller.call(&server, method, path, &body);
                    assert!([403, 404].contains(&response.status), "{kind}: {method} {path} {body}: {}", response.text);
                }
            }
        }
        let users = server.api("GET", "/users", &token, None).body;
        assert_eq!(users["data"].as_array().unwrap().len(), 2, "{users}");
    }

    /// What `*:*` means in a role is more than it means as a scope that a credential has.
    fn who_holds_the_token_of_any_resource_does_not_hold_every_resource(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let scopes = ["*:*", "sealwright.roles:*", "sealwright.users:*"];
        let body = json!({"name": "caller", "type": "internal", "scopes": scopes});
        let key = text(&make(&server, &token, "/keys", &body)["key"]);
        let by_key =
            |method: &str, path: &str, body: Value| server.api_with_key(method, path, &key, Some(&body)).status;
        make(&server, &token, "/roles", &json!({"name": "none", "scopes": []}));
        assert_eq!(by_key("PATCH", "/roles/none", json!({"scopes": ["*:*"]})), 403);
        assert_eq!(by_key("POST", "/roles", json!({"name": "any", "scopes": ["*:*"]})), 403);
        assert_eq!(by_key("POST", "/users", json!({"email": "a@b.c", "role": "developer"})), 403);
    }

    /// A kept response is for callers who could have its secret now.
    fn a_replay_gives_no_secret_of_what_is_above_or_beyond_the_caller_now(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let body = json!({"name": "caller", "type": "internal", "scopes": ["sealwright.keys:*", "orders:read"]});
        let caller = text(&make(&server, &token, "/keys", &body)["key"]);
        for name in ["acme", "bolt"] {
            make(&server, &token, "/customers", &json!({"external_id": name, "name": name}));
        }
        let create = |idempotency_key: &str| {
            let request = server.http.post(format!("{}/api/v1/keys", server.url)).header("x-api-key", &caller);
            let request = request.header("idempotency-key", idempotency_key);
            server.send(request.json(&json!({"name": "made", "scopes": ["orders:read"]})))
        };
        let made = create("one");
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(create("one").body, made.body);
        let path = format!("/keys/{}", text(&made.body["id"]));
        let wider = json!({"scopes": ["orders:read", "orders:write"]});
        assert_eq!(server.api("PATCH", &path, &token, Some(&wider)).status, 200);
        let again = create("one");
        assert_eq!((again.status, again.body.get("key")), (201, None), "{}", again.text);
        let made = create("two");
        let path = format!("/keys/{}", text(&made.body["id"]));
        let id = server.api_with_key("GET", "/keys?name=caller", &caller, None).body["data"][0]["id"].clone();
        assert_eq!(server.api("PATCH", &path, &token, Some(&json!({"customers": ["bolt"]}))).status, 200);
        let tied = json!({"customers": ["acme"]});
        assert_eq!(server.api("PATCH", &format!("/keys/{}", text(&id)), &token, Some(&tied)).status, 200);
        assert_eq!(create("two").status, 404);
    }

    /// A token reaches no further than when it was issued.
    fn a_token_keeps_to_the_customers_that_it_was_issued_for(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for name in ["acme", "bolt"] {
            make(&server, &token, "/customers", &json!({"external_id": name, "name": name}));
        }
        let body = json!({"name": "tied", "scopes": ["sealwright.keys:read"], "customers": ["acme"]});
        let (made, client) = created(&server, &token, &body);
        let old = server.management_token(&client);
        let names = |token: &str| server.api("GET", "/keys", token, None).body["data"].as_array().unwrap().len();
        make(&server, &token, "/keys", &json!({"name": "bolt's", "scopes": ["a"], "customers": ["bolt"]}));
        make(&server, &token, "/keys", &json!({"name": "acme's", "scopes": ["a"], "customers": ["acme"]}));
        assert_eq!(names(&old), 1);
        let path = format!("/clients/{}", text(&made["id"]));
        let tie = |customers: Value| {
            assert_eq!(server.api("PATCH", &path, &token, Some(&json!({"customers": customers}))).status, 200)
        };
        tie(json!([]));
        assert_eq!((names(&old), names(&server.management_token(&client))), (1, 2));
        tie(json!(["acme", "bolt"]));
        assert_eq!((names(&old), names(&server.management_token(&client))), (1, 2));
        tie(json!(["bolt"]));
        assert_eq!(server.api("GET", "/keys", &old, None).status, 401);
    }
}
