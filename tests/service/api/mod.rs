//! The management API, below `/api/v1`.

mod audit_events;
mod bad_input;
mod bad_input_keys;
mod bad_values;
mod clients;
mod credentials;
mod escalation;
mod forward_auth;
mod idempotency;
mod in_force;
mod keys;
mod limits;
mod people;
mod permissions;
mod revoke_all;
mod scopes;
mod signing_keys;
mod verify;

use serde_json::{Value, json};

use crate::support::{Response, Server, TestClient};
pub use crate::support::{rfc3339, system_now as now};

/// A token that may do anything and give anything in production.
pub fn owner(server: &Server) -> String {
    server.owner()
}

/// Makes a client by the API; the response and its credentials.
pub fn created(server: &Server, token: &str, body: &Value) -> (Value, TestClient) {
    let mut body = body.clone();
    for limit in ["rate_per_minute", "burst_per_second"] {
        body.as_object_mut().unwrap().entry(limit).or_insert(Value::Null);
    }
    let response = server.api("POST", "/clients", token, Some(&body));
    assert_eq!(response.status, 201, "{}", response.text);
    let client = with_secret(&response.body);
    (response.body, client)
}

/// The credentials in a response that has them.
pub fn with_secret(body: &Value) -> TestClient {
    TestClient { id: text(&body["client_id"]), secret: text(&body["client_secret"]) }
}

/// The smallest body of a client.
pub fn minimal(name: &str) -> Value {
    json!({"name": name, "scopes": ["orders:read"]})
}

/// The text in a value.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// The texts in a list.
#[track_caller]
pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}")).iter().map(text).collect()
}

/// One member of every object in a list's `data`.
#[track_caller]
pub fn column(response: &Response, name: &str) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["data"].as_array().unwrap().iter().map(|row| text(&row[name])).collect()
}

/// An RFC 3339 time in UTC as milliseconds since the epoch.
#[track_caller]
pub fn millis(value: &Value) -> i64 {
    crate::support::from_rfc3339(&text(value))
}

/// Asserts an RFC 9457 problem.
#[track_caller]
pub fn assert_problem(response: &Response, status: u16, code: &str) {
    assert_eq!((response.status, response.body["code"].as_str()), (status, Some(code)), "{}", response.text);
    assert_eq!(response.header("content-type"), "application/problem+json");
    assert_eq!(response.header("cache-control"), "no-store");
    assert!(response.header("x-request-id").starts_with("req_"));
    assert_eq!(response.body["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(!text(&response.body[member]).is_empty(), "{member}: {}", response.text);
    }
}

/// Asserts that exactly these fields are named as wrong.
#[track_caller]
pub fn assert_invalid(response: &Response, fields: &[&str]) {
    assert_problem(response, 422, "invalid_input");
    let mut named: Vec<String> =
        response.body["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    named.sort();
    let mut expected: Vec<&str> = fields.to_vec();
    expected.sort_unstable();
    assert_eq!(named, expected, "{}", response.text);
    for error in response.body["errors"].as_array().unwrap() {
        assert!(!text(&error["detail"]).is_empty(), "{}", response.text);
    }
}

/// The events of one request, as far as `token` sees them.
pub fn events_of(server: &Server, token: &str, response: &Response) -> Vec<Value> {
    let id = response.header("x-request-id");
    let found = server.api("GET", &format!("/audit-events?request_id={id}"), token, None);
    assert_eq!(found.status, 200, "{}", found.text);
    found.body["data"].as_array().unwrap().clone()
}

/// Whether a token is in force, as its own client is told.
pub fn is_active(server: &Server, client: &TestClient, token: &str) -> bool {
    let response = server.post_form("/api/oauth/introspect", client, &[("token", token)]);
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["active"].as_bool().unwrap()
}
