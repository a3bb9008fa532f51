//! What is in force of a credential: under its owner and the role, its customers, and acts that end many at once.

use serde_json::{Value, json};

use super::keys::{created_key, entered_customer, made_user};
use super::{created, owner, text, texts};
use crate::support::{Server, both};

/// A credential as it is shown, which lists and the command line must show alike.
#[track_caller]
fn shown(server: &Server, token: &str, kind: &str, id: &str) -> Value {
    let shown = server.api("GET", &format!("/{kind}s/{id}"), token, None).body;
    let listed = server.api("GET", &format!("/{kind}s?limit=1000"), token, None).body;
    let rows = listed["data"].as_array().unwrap();
    assert_eq!(rows.iter().find(|row| row["id"] == id), Some(&shown));
    assert_eq!(server.cli(&[kind, "show", id]), shown);
    shown
}

/// Its status, why it is inactive, and its scopes at this moment.
#[track_caller]
fn in_force(server: &Server, token: &str, kind: &str, id: &str) -> (String, Value, Vec<String>) {
    let shown = shown(server, token, kind, id);
    (text(&shown["status"]), shown["inactive_reason"].clone(), texts(&shown["effective_scopes"]))
}

fn active(scopes: &[&str]) -> (String, Value, Vec<String>) {
    ("active".to_owned(), Value::Null, scopes.iter().map(|scope| (*scope).to_owned()).collect())
}

fn inactive(why: &str) -> (String, Value, Vec<String>) {
    ("inactive".to_owned(), json!(why), vec![])
}

both! {
    fn a_credential_shows_what_its_owner_and_the_role_leave_of_it(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let call = |method: &str, path: &str, body: Option<Value>| {
            let response = server.api(method, path, &token, body.as_ref());
            assert!(response.status < 300, "{method} {path}: {}", response.text);
        };
        call("POST", "/roles", Some(json!({"name": "support", "scopes": ["orders:read"]})));
        let ann = made_user(&server, &token, "ann@example.com", "support");
        let body = json!({"name": "of ann", "scopes": ["orders:read", "orders:write"], "owner": ann});
        let key = text(&created_key(&server, &token, &body).0["id"]);
        let client = created(&server, &token, &body).1.id;
        for (kind, id) in [("key", &key), ("client", &client)] {
            let now = || in_force(&server, &token, kind, id);
            assert_eq!(now(), active(&["orders:read"]), "{kind}");
            call("PATCH", "/roles/support", Some(json!({"scopes": []})));
            assert_eq!(now(), active(&[]), "{kind}");
            call("PATCH", "/roles/support", Some(json!({"scopes": ["orders:read"]})));
            call("POST", &format!("/users/{ann}/disable"), None);
            assert_eq!(now(), inactive("owner_inactive"), "{kind}");
            call("POST", &format!("/{kind}s/{id}/disable"), None);
            assert_eq!(now(), inactive("disabled"), "{kind}");
            call("POST", &format!("/{kind}s/{id}/enable"), None);
            call("POST", &format!("/users/{ann}/enable"), None);
            assert_eq!(now(), active(&["orders:read"]), "{kind}");
            call("POST", &format!("/{kind}s/{id}/transfer"), Some(json!({"owner": null})));
            assert_eq!(now(), active(&["orders:read", "orders:write"]), "{kind}");
            call("POST", &format!("/{kind}s/{id}/revoke"), None);
            assert_eq!(now(), ("revoked".to_owned(), Value::Null, vec![]), "{kind}");
        }
    }

    fn a_credential_shows_that_its_customers_are_suspended_and_that_an_act_ended_it(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for name in ["acme", "globex"] {
            entered_customer(&server, &token, name);
        }
        let key = |customers: &[&str]| {
            let body = json!({"name": "x", "scopes": ["orders:read"], "customers": customers});
            text(&created_key(&server, &token, &body).0["id"])
        };
        let (of_acme, of_both) = (key(&["acme"]), key(&["acme", "globex"]));
        let now = |id: &str| in_force(&server, &token, "key", id);
        server.manage("POST", "/customers/acme/suspend", None);
        assert_eq!((now(&of_acme), now(&of_both)), (inactive("customer_suspended"), active(&["orders:read"])));
        server.manage("POST", "/customers/globex/suspend", None);
        assert_eq!(now(&of_both), inactive("customer_suspended"));
        server.manage("POST", "/customers/acme/resume", None);
        assert_eq!((now(&of_acme), now(&of_both)), (active(&["orders:read"]), active(&["orders:read"])));
        server.manage("POST", "/revoke-all", Some(&json!({"customer": "globex"})));
        assert_eq!(now(&of_both), ("revoked".to_owned(), Value::Null, vec![]));
        assert_eq!(now(&of_acme), active(&["orders:read"]));
    }

    fn owners_have_names_for_callers_who_may_read_users(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let ann = server.manage(
            "POST",
            "/users",
            Some(&json!({"email": "ann@example.com", "role": "developer", "name": "Ann Example"})),
        );
        let body = json!({"name": "of ann", "scopes": ["orders:read"], "owner": ann["id"]});
        let (made, _) = created_key(&server, &token, &body);
        let names = |key: &Value| (key["owner"].clone(), key["owner_email"].clone(), key["owner_name"].clone());
        let known = (ann["id"].clone(), json!("ann@example.com"), json!("Ann Example"));
        assert_eq!(names(&made), known);
        let id = text(&made["id"]);
        assert_eq!(names(&shown(&server, &token, "key", &id)), known);
        let reader = server.key_with("sealwright.keys:read", &["--type", "internal"]);
        let seen = server.api_with_key("GET", &format!("/keys/{id}"), &reader.key, None).body;
        assert_eq!(names(&seen), (ann["id"].clone(), Value::Null, Value::Null), "{seen}");
        let own = server.key_with("sealwright.credentials:own", &["--type", "internal", "--owner", "ann@example.com"]);
        let seen = server.api_with_key("GET", &format!("/keys/{id}"), &own.key, None).body;
        assert_eq!(names(&seen), known, "{seen}");
        let free = server.key("orders:read");
        assert_eq!(names(&shown(&server, &token, "key", &free.id)), (Value::Null, Value::Null, Value::Null));
    }
}
