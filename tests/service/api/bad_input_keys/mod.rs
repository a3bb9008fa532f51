//! What cannot be used of keys, customers, users and roles is refused with what is wrong with it, and nothing is
//! changed.

mod keys;
mod people;

use serde_json::{Value, json};

use super::bad_values::{self, BadValue, many, of_other_types};
use super::keys::{code, created_key, entered_customer, made_user, minimal_key};
use super::{assert_invalid, assert_problem, events_of, owner};
use crate::support::{Response, Server, both};

/// Values that no key may have, for creating and for changing one.
fn bad_values() -> Vec<BadValue> {
    let mut bad = bad_values::of_both_kinds();
    bad.extend([
        ("scopes", json!(["admin"])),
        ("customers", json!(["nobody"])),
        ("customers", json!(["acme", "nobody"])),
        ("customers", json!([""])),
        ("customers", json!(["cus_0199c0de0000700080000000000000ff"])),
        ("customers", json!(["a".repeat(5_000)])),
        ("customers", many(21, &|_| "acme".to_owned())),
    ]);
    bad.extend(of_other_types("customers", "list"));
    bad
}

/// Everything that these requests could change, as numbers.
fn state(server: &Server) -> Vec<i64> {
    [
        "SELECT COUNT(*) AS n FROM credentials",
        "SELECT COUNT(*) AS n FROM credential_secrets",
        "SELECT COUNT(*) AS n FROM credential_secrets WHERE ends_at IS NOT NULL",
        "SELECT COUNT(*) AS n FROM credential_customers",
        "SELECT COUNT(*) AS n FROM customers",
        "SELECT COUNT(*) AS n FROM users",
        "SELECT COUNT(*) AS n FROM roles",
        "SELECT COUNT(*) AS n FROM idempotency_keys",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM credentials",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM customers",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM users",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM roles",
    ]
    .iter()
    .flat_map(|sql| server.database.numbers(sql))
    .collect()
}

/// A server with one of each: the token, the key's path and string, and the user's path.
fn with_one_of_each(server: &Server) -> (String, String, String, String) {
    let token = owner(server);
    entered_customer(server, &token, "acme");
    let user = made_user(server, &token, "ann@example.com", "developer");
    let role = server.api("POST", "/roles", &token, Some(&json!({"name": "support", "scopes": ["read"]})));
    assert_eq!(role.status, 201, "{}", role.text);
    let (made, key) = created_key(server, &token, &minimal_key("good"));
    (token, format!("/keys/{}", made["id"].as_str().unwrap()), key, format!("/users/{user}"))
}

/// `good` with one field set to something else.
fn with(good: &Value, field: &str, value: &Value) -> Value {
    let mut body = good.clone();
    body[field] = value.clone();
    body
}

fn raw(server: &Server, token: &str, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Response {
    let mut request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    server.send(request.body(body))
}

/// Asserts which field is wrong, and says for which value where it is not that one.
#[track_caller]
fn refused(server: &Server, method: &str, path: &str, token: &str, body: &Value, fields: &[&str]) {
    let response = server.api(method, path, token, Some(body));
    assert_eq!(response.status, 422, "{method} {path} {body}: {}", response.text);
    assert_invalid(&response, fields);
    assert!(response.text.len() < 2_000, "what is wrong is not said again whole: {}", response.text);
}
