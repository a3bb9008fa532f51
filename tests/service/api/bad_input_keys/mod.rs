//! What cannot be used of keys, customers, users and roles is refused with what is wrong with it, and nothing is changed.

mod keys;
mod people;

use serde_json::{Value, json};

use super::keys::{code, created_key, entered_customer, made_user, minimal_key};
use super::{assert_invalid, assert_problem, events_of, owner};
use crate::support::{Response, Server, both};

/// A list of so many entries.
fn many(count: usize, entry: &dyn Fn(usize) -> String) -> Value {
    json!((0..count).map(entry).collect::<Vec<_>>())
}

/// Values of every JSON type but one; what is said of `null` differs from field to field.
fn of_other_types(field: &'static str, right: &str) -> Vec<(&'static str, Value)> {
    [
        ("string", json!("x y")),
        ("number", json!(1.5)),
        ("list", json!([1])),
        ("list of lists", json!([["orders:read"]])),
        ("object", json!({"orders:read": true})),
        ("boolean", json!(false)),
    ]
    .into_iter()
    .filter(|(kind, _)| *kind != right)
    .map(|(_, value)| (field, value))
    .collect()
}

/// Values that no key may have, for creating and for changing one.
fn bad_values() -> Vec<(&'static str, Value)> {
    let mut bad = vec![
        ("name", json!("")),
        ("name", json!(" x")),
        ("name", json!("x\u{a0}")),
        ("name", json!("a\u{0}b")),
        ("name", json!("a\nb")),
        ("name", json!("a\u{1b}[31mb")),
        ("name", json!("a\u{85}b")),
        ("name", json!("ä".repeat(201))),
        ("name", Value::Null),
        ("description", json!("x".repeat(1001))),
        ("description", json!("a\u{7f}b")),
        ("description", json!("two\nlines")),
        ("scopes", json!([])),
        ("scopes", Value::Null),
        ("scopes", json!(["a b"])),
        ("scopes", json!([""])),
        ("scopes", json!(["a\"b"])),
        ("scopes", json!(["a\\b"])),
        ("scopes", json!(["ä"])),
        ("scopes", json!(["a\u{0}"])),
        ("scopes", json!(["x".repeat(129)])),
        ("scopes", json!(["sealwright.everything"])),
        ("scopes", json!(["sealwright.*"])),
        ("scopes", json!(["admin"])),
        ("scopes", many(101, &|n| format!("x{n}:read"))),
        ("allowed_ips", json!(["localhost"])),
        ("allowed_ips", json!([""])),
        ("allowed_ips", json!(["10.0.0.1 "])),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("allowed_ips", json!(["::/129"])),
        ("allowed_ips", json!(["10.0.0.0/-1"])),
        ("allowed_ips", json!(["010.0.0.1"])),
        ("allowed_ips", json!(["10.0.0"])),
        ("allowed_ips", json!(["10.0.0.1\u{0}"])),
        ("allowed_ips", json!(["192.0.2.1", "fe80::1%eth0"])),
        ("allowed_ips", many(101, &|n| format!("10.0.0.{n}"))),
        ("rate_per_minute", json!(0)),
        ("rate_per_minute", json!(-5)),
        ("rate_per_minute", json!(1_000_001)),
        ("rate_per_minute", json!("unlimited")),
        ("rate_per_minute", json!(u64::MAX)),
        ("burst_per_second", json!(0)),
        ("burst_per_second", json!(4_294_967_297_i64)),
        ("burst_per_second", json!(0.5)),
        ("burst_per_second", json!(1e300)),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("")),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("2999-01-01")),
        ("expires_at", json!("2999-02-30T00:00:00Z")),
        ("expires_at", json!("99999-01-01T00:00:00Z")),
        ("expires_at", json!(4_102_444_800_i64)),
        ("customers", json!(["nobody"])),
        ("customers", json!(["acme", "nobody"])),
        ("customers", json!([""])),
        ("customers", json!(["cus_0199c0de0000700080000000000000ff"])),
        ("customers", json!(["a".repeat(5_000)])),
        ("customers", many(21, &|_| "acme".to_owned())),
    ];
    for (field, right) in [
        ("name", "string"),
        ("description", "string"),
        ("scopes", "list"),
        ("allowed_ips", "list"),
        ("rate_per_minute", "number"),
        ("burst_per_second", "number"),
        ("expires_at", "string"),
        ("customers", "list"),
    ] {
        bad.extend(of_other_types(field, right));
    }
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
