//! Customers, users and roles, and what their credentials may do because of them.

mod customers;
mod reach;
mod roles;
mod suspended;
mod users;

use serde_json::{Value, json};

use super::keys::{code, created_key, entered_customer, made_user, minimal_key, verdict};
use super::{assert_invalid, assert_problem, column, created, events_of, millis, minimal, owner, text, texts};
use crate::support::{Response, Server, TestClient, TestKey, both};

/// Calls the management API with a key.
fn by_key(server: &Server, method: &str, path: &str, key: &str, body: Option<&Value>) -> Response {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = server.http.request(method, format!("{}/api/v1{path}", server.url)).header("x-api-key", key);
    server.send(match body {
        Some(body) => request.json(body),
        None => request,
    })
}

/// Asks production for a token of a scope.
fn token_of(server: &Server, client: &TestClient, scope: &str) -> Response {
    let mut form = vec![("grant_type", "client_credentials")];
    if !scope.is_empty() {
        form.push(("scope", scope));
    }
    server.post_form("/api/oauth/token", client, &form)
}

fn introspected(server: &Server, observer: &TestClient, token: &str) -> Value {
    let response = server.post_form("/api/oauth/introspect", observer, &[("token", token)]);
    assert_eq!(response.status, 200, "{}", response.text);
    response.body
}

fn made_role(server: &Server, token: &str, name: &str, scopes: &[&str]) {
    let response = server.api("POST", "/roles", token, Some(&json!({"name": name, "scopes": scopes})));
    assert_eq!(response.status, 201, "{}", response.text);
}

/// An internal key of an owner's, which calls the management API.
fn calling_key(server: &Server, token: &str, scopes: &[&str], more: &Value) -> TestKey {
    let mut body = json!({"name": "caller", "type": "internal", "scopes": scopes});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (made, key) = created_key(server, token, &body);
    TestKey { id: text(&made["id"]), key }
}

#[track_caller]
fn ok(response: Response) -> Value {
    assert!(matches!(response.status, 200 | 201), "{}", response.text);
    response.body
}

/// Every page of a list, as one member of its rows.
fn paged(server: &Server, token: &str, path: &str, limit: usize, member: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.api("GET", &format!("{path}?limit={limit}{cursor}"), token, None);
        let rows = column(&page, member);
        assert!(rows.len() <= limit && !rows.is_empty(), "{limit}: {}", page.text);
        seen.extend(rows);
        match &page.body["next_cursor"] {
            Value::Null => return seen,
            next => cursor = format!("&cursor={}", text(next)),
        }
    }
}
