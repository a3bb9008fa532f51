//! A client's life by `/api/v1/clients`.

mod create;
mod rotation;
mod settings;

use serde_json::{Value, json};

use super::{
    assert_invalid, assert_problem, column, created, is_active, millis, minimal, owner, rfc3339, text, texts,
    with_secret,
};
use crate::support::{Server, TestClient, Work, both};

/// Every member of a client's view, apart from the secret of a new one.
const MEMBERS: &[&str] = &[
    "allowed_ips",
    "audiences",
    "burst_per_second",
    "client_id",
    "created_at",
    "customers",
    "default_scopes",
    "description",
    "effective_scopes",
    "environment",
    "expires_at",
    "id",
    "inactive_reason",
    "last_used_at",
    "metadata",
    "name",
    "owner",
    "owner_email",
    "owner_name",
    "rate_per_minute",
    "resource_for",
    "rotated_at",
    "rotation_due",
    "scopes",
    "secrets",
    "signing_algorithm",
    "status",
    "token_lifetime",
    "token_typ",
    "tokens_revoked_before",
    "updated_at",
];

fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Makes a client and gives its path.
fn fresh(server: &Server, token: &str, name: &str) -> (String, TestClient) {
    let (body, client) = created(server, token, &minimal(name));
    (format!("/clients/{}", text(&body["id"])), client)
}

fn token_status(server: &Server, client: &TestClient) -> u16 {
    server.token(client).status
}
