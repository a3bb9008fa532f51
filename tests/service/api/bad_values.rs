//! Values that no credential of either kind may have, for creating and for changing one.

use serde_json::{Value, json};

/// A field, and a value that it may not have.
pub type BadValue = (&'static str, Value);

/// Those of the fields that both kinds have.
pub fn of_both_kinds() -> Vec<BadValue> {
    let others = [
        ("name", "string"),
        ("description", "string"),
        ("scopes", "list"),
        ("allowed_ips", "list"),
        ("rate_per_minute", "number"),
        ("burst_per_second", "number"),
        ("expires_at", "string"),
        ("metadata", "object"),
    ];
    let others = others.into_iter().flat_map(|(field, right)| of_other_types(field, right));
    texts()
        .into_iter()
        .chain(metadata())
        .chain(scopes())
        .chain(addresses())
        .chain(limits_and_ends())
        .chain(others)
        .collect()
}

fn texts() -> Vec<BadValue> {
    vec![
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
    ]
}

fn metadata() -> Vec<BadValue> {
    let pair = |key: &str, value: Value| json!({key: value});
    let wrong = [
        pair("", json!("x")),
        pair(&"ä".repeat(41), json!("x")),
        pair("a\u{0}b", json!("x")),
        pair(" a", json!("x")),
        pair("a", json!("ä".repeat(501))),
        pair("a", json!("a\u{1b}[31mb")),
        pair("a", json!(1)),
        pair("a", json!(true)),
        pair("a", json!(["x"])),
        pair("a", json!({"b": "x"})),
        Value::Object((0..21).map(|n| (n.to_string(), json!("x"))).collect()),
    ];
    wrong.map(|value| ("metadata", value)).into()
}

fn scopes() -> Vec<BadValue> {
    let wrong = [
        json!([]),
        Value::Null,
        json!(["a b"]),
        json!([""]),
        json!(["a\"b"]),
        json!(["a\\b"]),
        json!(["ä"]),
        json!(["a\u{0}"]),
        json!(["x".repeat(129)]),
        json!(["sealwright.everything"]),
        json!(["sealwright.*"]),
        json!(["sealwright."]),
        many(101, &|n| format!("x{n}:read")),
    ];
    wrong.map(|value| ("scopes", value)).into()
}

fn addresses() -> Vec<BadValue> {
    let wrong = [
        json!(["localhost"]),
        json!([""]),
        json!(["10.0.0.1 "]),
        json!(["10.0.0.0/33"]),
        json!(["::/129"]),
        json!(["10.0.0.0/-1"]),
        json!(["010.0.0.1"]),
        json!(["10.0.0"]),
        json!(["10.0.0.1\u{0}"]),
        json!(["192.0.2.1", "fe80::1%eth0"]),
        many(101, &|n| format!("10.0.0.{n}")),
    ];
    wrong.map(|value| ("allowed_ips", value)).into()
}

fn limits_and_ends() -> Vec<BadValue> {
    vec![
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
    ]
}

/// A list of so many entries.
pub fn many(count: usize, entry: &dyn Fn(usize) -> String) -> Value {
    json!((0..count).map(entry).collect::<Vec<_>>())
}

/// Values of every JSON type but one; what is said of `null` differs from field to field.
pub fn of_other_types(field: &'static str, right: &str) -> Vec<BadValue> {
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
