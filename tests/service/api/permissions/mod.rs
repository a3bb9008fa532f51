//! Who may do what: every route below `/api/v1` for every kind of caller.

mod environments;
mod power;
mod routes;

use std::collections::BTreeSet;

use serde_json::json;

use super::{assert_problem, column, created, owner, text, texts, with_secret};
use crate::support::{Database, Kind, Response, Server, TestClient, both};

/// One route: what it needs, and what a caller with the permission gets for a request that changes nothing.
struct Row {
    method: &'static str,
    route: &'static str,
    permission: &'static str,
    body: Option<&'static str>,
    let_in: u16,
}

const fn row(
    method: &'static str,
    route: &'static str,
    permission: &'static str,
    body: Option<&'static str>,
    let_in: u16,
) -> Row {
    Row { method, route, permission, body, let_in }
}

const CLIENTS_READ: &str = "sealwright.clients:read";

const CLIENTS_WRITE: &str = "sealwright.clients:write";

const SCOPES_READ: &str = "sealwright.scopes:read";

const SCOPES_WRITE: &str = "sealwright.scopes:write";

const SIGNING_KEYS_READ: &str = "sealwright.signing-keys:read";

const SIGNING_KEYS_WRITE: &str = "sealwright.signing-keys:write";

const KEYS_READ: &str = "sealwright.keys:read";

const KEYS_WRITE: &str = "sealwright.keys:write";

const KEYS_VERIFY: &str = "sealwright.keys:verify";

const CUSTOMERS_READ: &str = "sealwright.customers:read";

const CUSTOMERS_WRITE: &str = "sealwright.customers:write";

const USERS_READ: &str = "sealwright.users:read";

const USERS_WRITE: &str = "sealwright.users:write";

const ROLES_READ: &str = "sealwright.roles:read";

const ROLES_WRITE: &str = "sealwright.roles:write";

const AUDIT_READ: &str = "sealwright.audit:read";

/// Every route needs a row here.
const TABLE: &[Row] = &[
    row("GET", "/api/v1/clients", CLIENTS_READ, None, 200),
    row("POST", "/api/v1/clients", CLIENTS_WRITE, Some("{}"), 422),
    row("GET", "/api/v1/clients/{id}", CLIENTS_READ, None, 404),
    row("PATCH", "/api/v1/clients/{id}", CLIENTS_WRITE, Some("{}"), 404),
    row("POST", "/api/v1/clients/{id}/rotate-secret", CLIENTS_WRITE, Some("{}"), 404),
    row("POST", "/api/v1/clients/{id}/disable", CLIENTS_WRITE, None, 404),
    row("POST", "/api/v1/clients/{id}/enable", CLIENTS_WRITE, None, 404),
    row("POST", "/api/v1/clients/{id}/revoke", CLIENTS_WRITE, None, 404),
    row("POST", "/api/v1/clients/{id}/revoke-tokens", CLIENTS_WRITE, None, 404),
    row("POST", "/api/v1/clients/{id}/transfer", CLIENTS_WRITE, Some(r#"{"owner":null}"#), 404),
    row("GET", "/api/v1/keys", KEYS_READ, None, 200),
    row("POST", "/api/v1/keys", KEYS_WRITE, Some("{}"), 422),
    row("POST", "/api/v1/keys/verify", KEYS_VERIFY, Some("{}"), 422),
    row("POST", "/api/v1/keys/find", KEYS_READ, Some("{}"), 422),
    row("GET", "/api/v1/keys/{id}", KEYS_READ, None, 404),
    row("PATCH", "/api/v1/keys/{id}", KEYS_WRITE, Some("{}"), 404),
    row("POST", "/api/v1/keys/{id}/rotate", KEYS_WRITE, Some("{}"), 404),
    row("POST", "/api/v1/keys/{id}/disable", KEYS_WRITE, None, 404),
    row("POST", "/api/v1/keys/{id}/enable", KEYS_WRITE, None, 404),
    row("POST", "/api/v1/keys/{id}/revoke", KEYS_WRITE, None, 404),
    row("POST", "/api/v1/keys/{id}/transfer", KEYS_WRITE, Some(r#"{"owner":null}"#), 404),
    row("GET", "/api/v1/customers", CUSTOMERS_READ, None, 200),
    row("POST", "/api/v1/customers", CUSTOMERS_WRITE, Some("{}"), 422),
    row("GET", "/api/v1/customers/{id}", CUSTOMERS_READ, None, 404),
    row("PATCH", "/api/v1/customers/{id}", CUSTOMERS_WRITE, Some("{}"), 404),
    row("DELETE", "/api/v1/customers/{id}", CUSTOMERS_WRITE, None, 404),
    row("POST", "/api/v1/customers/{id}/suspend", CUSTOMERS_WRITE, None, 404),
    row("POST", "/api/v1/customers/{id}/resume", CUSTOMERS_WRITE, None, 404),
    row("GET", "/api/v1/users", USERS_READ, None, 200),
    row("POST", "/api/v1/users", USERS_WRITE, Some("{}"), 422),
    row("GET", "/api/v1/users/{id}", USERS_READ, None, 404),
    row("PATCH", "/api/v1/users/{id}", USERS_WRITE, Some("{}"), 404),
    row("POST", "/api/v1/users/{id}/disable", USERS_WRITE, None, 404),
    row("POST", "/api/v1/users/{id}/enable", USERS_WRITE, None, 404),
    row("GET", "/api/v1/roles", ROLES_READ, None, 200),
    row("POST", "/api/v1/roles", ROLES_WRITE, Some("{}"), 422),
    row("GET", "/api/v1/roles/{name}", ROLES_READ, None, 404),
    row("PATCH", "/api/v1/roles/{name}", ROLES_WRITE, Some("{}"), 404),
    row("DELETE", "/api/v1/roles/{name}", ROLES_WRITE, None, 404),
    row("GET", "/api/v1/scopes", SCOPES_READ, None, 200),
    row("POST", "/api/v1/scopes", SCOPES_WRITE, Some("{}"), 422),
    row("GET", "/api/v1/scopes/{name}", SCOPES_READ, None, 404),
    row("PATCH", "/api/v1/scopes/{name}", SCOPES_WRITE, Some("{}"), 404),
    row("DELETE", "/api/v1/scopes/{name}", SCOPES_WRITE, None, 404),
    row("GET", "/api/v1/signing-keys", SIGNING_KEYS_READ, None, 200),
    row("POST", "/api/v1/signing-keys/rotate", SIGNING_KEYS_WRITE, Some(r#"{"lead":"31d"}"#), 422),
    row("POST", "/api/v1/signing-keys/{kid}/destroy", SIGNING_KEYS_WRITE, None, 404),
    row("POST", "/api/v1/revoke-all", "sealwright.admin", Some("{}"), 422),
];

/// The audit log is apart from the table, since reading it is what its callers see.
const AUDIT: Row = row("GET", "/api/v1/audit-events", AUDIT_READ, None, 200);

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().chain(std::iter::once(&AUDIT))
}

impl Row {
    /// The path below `/api/v1`, naming nothing that is there.
    fn path(&self) -> String {
        let path = self.route.strip_prefix("/api/v1").unwrap();
        path.replace("{id}", "cli_0199c0de0000700080000000000000ff")
            .replace("{name}", "no:such")
            .replace("{kid}", "nosuchkid")
    }

    fn call(&self, server: &Server, authorization: &[&str]) -> Response {
        self.call_with(server, authorization.iter().map(|field| ("authorization", *field)))
    }

    fn call_with<'f>(&self, server: &Server, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Response {
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = server.http.request(method, format!("{}/api/v1{}", server.url, self.path()));
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.header("content-type", "application/json").body(body);
        }
        server.send(request)
    }
}

fn manager(server: &Server, owner: &str, scopes: &[&str]) -> (TestClient, String) {
    let (_, client) = created(server, owner, &json!({"name": "manager", "scopes": scopes}));
    let token = server.management_token(&client);
    (client, token)
}
