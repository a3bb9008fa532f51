//! An API key's life by `/api/v1/keys`.

mod create;
mod find;
mod life;
mod lists;
mod long_lists;
mod rotation;
mod settings;

use serde_json::{Value, json};

use super::{assert_invalid, assert_problem, column, events_of, millis, owner, rfc3339, text, texts};
use crate::support::{Kind, Response, Server, Work, both, pause};

/// Every member of a key's view, apart from the value of a new one.
const MEMBERS: &[&str] = &[
    "allowed_ips",
    "burst_per_second",
    "created_at",
    "customers",
    "description",
    "effective_scopes",
    "environment",
    "expires_at",
    "id",
    "inactive_reason",
    "last_four",
    "last_used_address",
    "last_used_at",
    "metadata",
    "name",
    "owner",
    "owner_email",
    "owner_name",
    "prefix",
    "rate_per_minute",
    "rotated_at",
    "rotation_due",
    "scopes",
    "status",
    "type",
    "updated_at",
    "values",
];

const DAY: i64 = 86_400_000;

/// Makes a key by the API, without limits unless the body names some; the response and the value.
#[track_caller]
pub fn created_key(server: &Server, token: &str, body: &Value) -> (Value, String) {
    let mut body = body.clone();
    for limit in ["rate_per_minute", "burst_per_second"] {
        body.as_object_mut().unwrap().entry(limit).or_insert(Value::Null);
    }
    let response = server.api("POST", "/keys", token, Some(&body));
    assert_eq!(response.status, 201, "{}", response.text);
    let key = text(&response.body["key"]);
    (response.body, key)
}

/// The smallest body of a key.
pub fn minimal_key(name: &str) -> Value {
    json!({"name": name, "scopes": ["orders:read"]})
}

/// Asks whether a key may be used in production, with further members of the question.
#[track_caller]
pub fn verdict(server: &Server, token: &str, key: &str, more: &Value) -> Value {
    let mut body = json!({"key": key, "environment": "production"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let response = server.api("POST", "/keys/verify", token, Some(&body));
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(response.body["valid"], json!(response.body["code"] == "VALID"), "{}", response.text);
    response.body
}

/// The code of that.
#[track_caller]
pub fn code(server: &Server, token: &str, key: &str, more: &Value) -> String {
    text(&verdict(server, token, key, more)["code"])
}

/// The code of a key for nothing in particular.
#[track_caller]
fn plain_code(server: &Server, token: &str, key: &str) -> String {
    code(server, token, key, &json!({}))
}

/// Enters a customer; its id.
#[track_caller]
pub fn entered_customer(server: &Server, token: &str, external_id: &str) -> String {
    let body = json!({"external_id": external_id, "name": external_id});
    let response = server.api("POST", "/customers", token, Some(&body));
    assert_eq!(response.status, 201, "{}", response.text);
    text(&response.body["id"])
}

/// Makes a user; its id.
#[track_caller]
pub fn made_user(server: &Server, token: &str, email: &str, role: &str) -> String {
    let response = server.api("POST", "/users", token, Some(&json!({"email": email, "role": role})));
    assert_eq!(response.status, 201, "{}", response.text);
    text(&response.body["id"])
}

fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The CRC-32 of ISO-HDLC, bit by bit, so that it is not the program's own that judges it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Asserts the form of a production, staging or development key, and its checksum.
#[track_caller]
fn assert_formed(key: &str, tag: &str) {
    let body = key.strip_prefix(&format!("sw_{tag}_")).unwrap_or_else(|| panic!("{key} is not of {tag}"));
    assert!(body.len() == 38 && body.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
    let (random, sum) = body.split_at(32);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let value = sum.bytes().fold(0_u64, |value, digit| {
        value * 62 + u64::try_from(digits.iter().position(|known| *known == digit).unwrap()).unwrap()
    });
    assert_eq!(value, u64::from(crc32(random.as_bytes())), "{key}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In how many places of the database, or of its files, a text is.
pub fn places_of(server: &Server, wanted: &str) -> i64 {
    if server.database.kind == Kind::Sqlite {
        let files = std::fs::read_dir(server.database.data_dir()).unwrap().map(|entry| entry.unwrap().path());
        let holds = |path: &std::path::PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
        };
        return i64::try_from(files.filter(holds).count()).unwrap();
    }
    let tables = "SELECT CAST(table_name AS TEXT) AS t FROM information_schema.tables WHERE table_schema = 'public'";
    let tables = server.database.texts(tables);
    assert!(tables.iter().any(|table| table == "credential_secrets"), "{tables:?}");
    let count = |table: &String| {
        let binary = hex(wanted.as_bytes());
        let like = format!("CAST(t AS TEXT) LIKE '%{wanted}%' OR CAST(t AS TEXT) LIKE '%{binary}%'");
        server.database.numbers(&format!("SELECT COUNT(*) AS n FROM {table} AS t WHERE {like}"))[0]
    };
    tables.iter().map(count).sum()
}

/// Asserts that the secret part of a key is nowhere at rest.
#[track_caller]
fn assert_nowhere_at_rest(server: &Server, key: &str) {
    let (shown, random) = key.split_at(key.len() - 34);
    assert!(places_of(server, shown) > 0, "{shown} is kept for display, so that this looks in the right place");
    assert_eq!(places_of(server, random), 0, "{key}");
}

/// The ids of a list's rows.
#[track_caller]
fn listed(server: &Server, token: &str, query: &str) -> Vec<String> {
    column(&server.api("GET", &format!("/keys?{query}"), token, None), "id")
}

fn rotated(server: &Server, token: &str, path: &str, body: Option<&Value>) -> (Value, String) {
    let response = server.api("POST", &format!("{path}/rotate"), token, body);
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(response.header("cache-control"), "no-store");
    let key = text(&response.body["key"]);
    (response.body, key)
}

fn repeatable(server: &Server, token: &str, path: &str, key: &str, body: &Value) -> Response {
    let request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    server.send(request.header("idempotency-key", key).json(body))
}
