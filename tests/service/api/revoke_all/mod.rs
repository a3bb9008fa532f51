//! `POST /api/v1/revoke-all`, and what becomes of the credentials that it ends.

mod expansion;
mod reach;
mod table;

use std::time::Duration;

use serde_json::{Value, json};

use super::keys::{created_key, entered_customer, made_user};
use super::{assert_invalid, assert_problem, column, created, text};
use crate::support::{Database, Kind, Response, Server, TestKey, Work, both, eventually, run};

/// Whether a gateway of an environment lets a key pass.
fn passes(server: &Server, environment: &str, key: &str) -> bool {
    let url = format!("{}/api/v1/forward-auth?environment={environment}", server.url);
    let response = server.send(server.http.get(url).header("x-api-key", key));
    assert!(matches!(response.status, 200 | 401), "{}", response.text);
    response.status == 200
}

/// A key of production with these members.
fn key_of(server: &Server, more: &Value) -> TestKey {
    let mut body = json!({"name": "k", "scopes": ["orders:read"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (made, key) = created_key(server, &server.owner(), &body);
    TestKey { id: text(&made["id"]), key }
}

fn post(server: &Server, token: &str, body: &Value) -> Response {
    server.api("POST", "/revoke-all", token, Some(body))
}

/// The reasons of the events that revoked a credential.
fn revocations(server: &Server, id: &str) -> Vec<Value> {
    let events = server.events(&["--credential", id]);
    let is_revocation = |event: &&Value| {
        event["target"] == *id && matches!(event["action"].as_str(), Some("key.revoke" | "client.revoke"))
    };
    events.iter().filter(is_revocation).cloned().collect()
}

/// The states that rows have, whatever epochs say.
fn states(server: &Server, ids: &[&str]) -> Vec<String> {
    let state = |id: &&str| server.database.texts(&format!("SELECT state AS t FROM credentials WHERE id = '{id}'"));
    ids.iter().flat_map(state).collect()
}

/// Epochs that are not expanded.
fn open_epochs(database: &Database) -> i64 {
    database.numbers("SELECT COUNT(*) AS n FROM epochs WHERE expanded_at IS NULL")[0]
}
