//! `sealwright key`, `customer`, `user`, `role`, and `revoke-all` by owner and customer.

mod find;
mod life;
mod people;
mod revoke_all;
mod usage;

use serde_json::{Value, json};

use super::client::within_a_second;
use super::{end_with, end_with_input, on_a_terminal};
use crate::api::{millis, now, rfc3339, text, texts};
use crate::support::{Server, TestKey, binary, both};

/// What a running server says of a key.
fn code(server: &Server, verifier: &str, key: &str, scopes: &[&str]) -> String {
    let body = json!({"key": key, "environment": "production", "scopes": scopes});
    let request = server.http.post(format!("{}/api/v1/keys/verify", server.url)).header("x-api-key", verifier);
    let response = server.send(request.json(&body));
    text(&response.body["code"])
}

/// The exit status and the JSON of `key verify`.
#[track_caller]
fn verified(server: &Server, status: i32, key: &str, options: &[&str]) -> Value {
    let mut arguments = vec!["key", "verify", key];
    arguments.extend(options);
    arguments.push("--json");
    let ended = end_with(status, &mut server.command(&arguments));
    assert_eq!(ended.err, "", "{ended:?}");
    let said: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(said["valid"], json!(status == 0), "{said}");
    said
}

/// The names of a list's rows, in a row.
fn names(server: &Server, arguments: &[&str], member: &str) -> Vec<String> {
    let listed = server.cli(arguments);
    assert!(arguments.contains(&"--limit") || listed["next_cursor"].is_null(), "{listed}");
    listed["data"].as_array().unwrap().iter().map(|row| text(&row[member])).collect()
}

fn made_user(server: &Server, email: &str, role: &str) -> String {
    let mut command = server.command(&["user", "create", "--email", email, "--role", role, "--json"]);
    let ended = end_with_input(0, &mut command, "correct horse battery\n");
    text(&serde_json::from_str::<Value>(&ended.out).unwrap()["id"])
}
