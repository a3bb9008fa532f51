//! Who may do what: every route below `/api/v1` for every kind of caller.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{assert_problem, column, created, owner, text, texts, with_secret};
use crate::support::{Answer, Database, Kind, Server, TestClient, both};

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
const TABLE: [Row; 44] = [
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
];

/// The audit log stands apart from the table, since reading it is what its callers see.
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

    fn call(&self, server: &Server, authorization: &[&str]) -> Answer {
        self.call_with(server, authorization.iter().map(|field| ("authorization", *field)))
    }

    fn call_with<'f>(&self, server: &Server, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Answer {
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

/// The OpenAPI document has every route (a test of its own sees to that), with the permission that its handler's signature
/// names.
#[test]
fn every_route_of_the_management_api_has_its_row_here() {
    let document = Server::start(Database::new(Kind::Sqlite)).get("/api/openapi.json").body;
    let documented: BTreeSet<(String, String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        // Forward-auth asks for no permission: who presents a credential learns what it is good for.
        .filter(|(path, _)| path.starts_with("/api/v1/") && *path != "/api/v1/forward-auth")
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |operation| (path, operation)))
        .map(|(path, (method, operation))| {
            (method.to_uppercase(), path.clone(), text(&operation["security"][0]["bearer"][0]))
        })
        .collect();
    let known: BTreeSet<(String, String, String)> =
        rows().map(|row| (row.method.to_owned(), row.route.to_owned(), row.permission.to_owned())).collect();
    assert_eq!(documented, known);
    assert!(known.len() >= 18);
}

/// Every management permission by name, and every `…:*`.
fn permissions() -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for name in crate::support::in_process::permissions() {
        all.insert(name.to_owned());
        if let Some((resource, _)) = name.split_once(':') {
            all.insert(format!("{resource}:*"));
        }
    }
    all.into_iter().collect()
}

fn covers(granted: &str, required: &str) -> bool {
    granted == "sealwright.admin"
        || granted == required
        || granted.strip_suffix('*').is_some_and(|resource| required.starts_with(resource))
}

fn manager(server: &Server, owner: &str, scopes: &[&str]) -> (TestClient, String) {
    let (_, client) = created(server, owner, &json!({"name": "manager", "scopes": scopes}));
    let token = server.management_token(&client);
    (client, token)
}

/// The fields that carry a caller's credential.
type Fields = Vec<(&'static str, String)>;

/// An `internal` key without limits.
fn internal_key(server: &Server, owner: &str, scopes: &[&str]) -> String {
    let body = json!({"name": "manager", "type": "internal", "scopes": scopes});
    let made = server.api("POST", "/keys", owner, Some(&body));
    assert_eq!(made.status, 201, "{}", made.text);
    text(&made.body["key"])
}

both! {
    fn each_route_lets_in_who_has_its_permission_and_nobody_else(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let mut callers: Vec<(String, Fields)> = Vec::new();
        for permission in permissions() {
            let (_, token) = manager(&server, &owner, &[&permission]);
            callers.push((permission.clone(), vec![("authorization", format!("Bearer {token}"))]));
            let key = internal_key(&server, &owner, &[&permission]);
            // A key is taken in its own field, and as a bearer token (RFC 6750 §2.1).
            callers.push((permission.clone(), vec![("authorization", format!("Bearer {key}"))]));
            callers.push((permission, vec![("x-api-key", key)]));
        }
        // Business scopes, however wide, beside one permission that no route asks for.
        let business = ["admin", "read", "write", "delete", "clients:*", "clients:write", "sealwright:*", "sealwright"];
        let mut scopes = business.to_vec();
        scopes.push("sealwright.metrics:read");
        let token = manager(&server, &owner, &scopes).1;
        callers.push(("business scopes".to_owned(), vec![("authorization", format!("Bearer {token}"))]));
        callers.push(("business scopes".to_owned(), vec![("x-api-key", internal_key(&server, &owner, &scopes))]));
        for (granted, fields) in &callers {
            for row in rows() {
                let answer = row.call_with(&server, fields.iter().map(|(name, value)| (*name, value.as_str())));
                let place = format!("{granted} at {} {}: {}", row.method, row.route, answer.text);
                if covers(granted, row.permission) {
                    assert_eq!(answer.status, row.let_in, "{place}");
                } else {
                    assert_eq!(answer.status, 403, "{place}");
                    assert_problem(&answer, 403, "permission_denied");
                    assert_eq!(
                        answer.header("www-authenticate"),
                        format!(
                            "Bearer realm=\"sealwright\", error=\"insufficient_scope\", scope=\"{}\"",
                            row.permission
                        )
                    );
                    assert!(text(&answer.body["detail"]).contains(row.permission), "{place}");
                }
            }
        }
    }

    fn each_route_turns_away_what_is_no_token_for_it(database) {
        let server = Server::start(database);
        let everything = server.client("sealwright.admin admin");
        let good = server.management_token(&everything);
        let resource = format!("{}/resources", server.url);
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let wrong_audience = text(&server.post_form("/api/oauth/token", &everything, &form).body["access_token"]);
        let ended_client = server.client("sealwright.admin");
        let ended = server.management_token(&ended_client);
        server.api("POST", &format!("/clients/{}/disable", ended_client.id), &good, None);
        let key = internal_key(&server, &good, &["sealwright.admin"]);
        let ended_key = server.key_with("sealwright.admin", &["--type", "internal"]);
        server.api("POST", &format!("/keys/{}/revoke", ended_key.id), &good, None);
        let revoked = ended_key.key;
        let (head, signature) = good.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        let unsigned = format!("{head}.");
        let basic = reqwest::header::HeaderValue::from_static("Basic Y2xpOnNlY3JldA==");
        for row in rows() {
            let none = row.call(&server, &[]);
            assert_problem(&none, 401, "no_credentials");
            assert_eq!(none.header("www-authenticate"), "Bearer realm=\"sealwright\"", "RFC 6750 §3.1");
            for token in [wrong_audience.as_str(), &ended, &forged, &unsigned, "x", "a.b.c", &everything.secret] {
                let answer = row.call(&server, &[&format!("Bearer {token}")]);
                assert_eq!(answer.status, 401, "{} {}: {token}: {}", row.method, row.route, answer.text);
                assert_problem(&answer, 401, "invalid_token");
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"sealwright\", error=\"invalid_token\"");
                assert!(!answer.text.contains(token) || token.len() < 10, "a token is not said again");
            }
            let bearer = format!("Bearer {good}");
            let two = row.call_with(&server, [("x-api-key", &*key), ("authorization", &format!("Bearer {good}"))]);
            assert_problem(&two, 400, "malformed_credentials");
            let twice = row.call_with(&server, [("x-api-key", &*key), ("x-api-key", &*key)]);
            assert_problem(&twice, 400, "malformed_credentials");
            for wrong in [&*revoked, &key[1..], &key[..key.len() - 1], &*format!("{key} "), &*good, "x"] {
                let answer = row.call_with(&server, [("x-api-key", wrong)]);
                // White space around a field's value is not a part of it (RFC 9110 §5.5).
                let expected = if wrong.trim() == key { row.let_in } else { 401 };
                assert_eq!(answer.status, expected, "{} {}: {}", row.method, row.route, answer.text);
            }
            for fields in [vec![basic.to_str().unwrap()], vec!["Bearer"], vec!["Bearer a b"], vec![&bearer, &bearer]] {
                let answer = row.call(&server, &fields);
                assert_problem(&answer, 400, "malformed_credentials");
            }
            assert_eq!(row.call(&server, &[&format!("bEARER {good}")]).status, row.let_in, "the scheme's case is free");
        }
    }

    fn a_method_that_a_route_does_not_have_is_refused_with_those_it_has(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for row in rows() {
            let allowed: Vec<&str> =
                rows().filter(|other| other.route == row.route).map(|other| other.method).collect();
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                if allowed.contains(&method) {
                    continue;
                }
                let answer = server.api(method, &row.path(), &token, None);
                assert_problem(&answer, 405, "method_not_allowed");
                for name in &allowed {
                    assert!(answer.header("allow").contains(name), "{} {}", row.route, answer.header("allow"));
                }
            }
        }
        for path in ["", "/", "/client", "/clients/", "/clients/x/y", "/clients//disable", "/../metrics", "/signing-keys/x"] {
            assert_problem(&server.api("GET", path, &token, None), 404, "not_found");
        }
    }

    fn a_caller_gives_only_what_it_has(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let own = ["sealwright.clients:*", "sealwright.audit:read", "sealwright.keys:verify", "read", "orders:write"];
        let (_, token) = manager(&server, &owner, &own);
        for (scopes, allowed) in [
            (vec!["orders:read"], true),
            (vec!["read"], true),
            (vec!["orders:write", "x:read"], true),
            (vec!["sealwright.keys:verify"], true),
            (vec!["orders:*"], false),
            (vec!["orders:delete"], false),
            (vec!["write"], false),
            (vec!["invoices:write"], false),
            (vec!["orders:read", "invoices:write"], false),
            (vec!["admin"], false),
            (vec!["sealwright.keys:write"], false),
            (vec!["sealwright.jobs:read"], false),
            // Reserved: only an owner or the command line gives them, even to a caller that has them.
            (vec!["sealwright.clients:read"], false),
            (vec!["sealwright.audit:read"], false),
            (vec!["sealwright.admin"], false),
        ] {
            let body = json!({"name": "given", "scopes": scopes});
            let answer = server.api("POST", "/clients", &token, Some(&body));
            if allowed {
                assert_eq!(answer.status, 201, "{scopes:?}: {}", answer.text);
            } else {
                assert_problem(&answer, 403, "scope_exceeds_caller");
            }
            // The same by widening what is there.
            let (made, _) = created(&server, &owner, &json!({"name": "widened", "scopes": ["orders:read"]}));
            let path = format!("/clients/{}", text(&made["id"]));
            let answer = server.api("PATCH", &path, &token, Some(&json!({"scopes": scopes})));
            if allowed {
                assert_eq!(answer.status, 200, "{scopes:?}: {}", answer.text);
            } else {
                assert_problem(&answer, 403, "scope_exceeds_caller");
                assert_eq!(server.api("GET", &path, &token, None).body["scopes"], json!(["orders:read"]));
            }
        }
        assert_eq!(column(&server.api("GET", "/clients?name=given", &owner, None), "id").len(), 4);
        // An owner gives management permissions, but no business scopes that it lacks.
        let (_, pure) = manager(&server, &owner, &["sealwright.admin"]);
        let give = |scope: &str| {
            server.api("POST", "/clients", &pure, Some(&json!({"name": "n", "scopes": [scope]})))
        };
        assert_eq!(give("sealwright.clients:write").status, 201);
        assert_eq!(give("sealwright.admin").status, 201);
        assert_problem(&give("orders:read"), 403, "scope_exceeds_caller");
        assert_problem(&give("admin"), 403, "scope_exceeds_caller");
    }

    fn a_caller_takes_over_no_client_that_has_more_than_itself(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (_, token) = manager(&server, &owner, &["sealwright.clients:*", "orders:read"]);
        for scopes in [json!(["orders:write"]), json!(["orders:read", "x:read"]), json!(["sealwright.admin"])] {
            let (made, client) = created(&server, &owner, &json!({"name": "target", "scopes": scopes}));
            let path = format!("/clients/{}", client.id);
            let rotate = format!("{path}/rotate-secret");
            assert_problem(&server.api("POST", &rotate, &token, Some(&json!({}))), 403, "scope_exceeds_caller");
            for change in [
                json!({"allowed_ips": null}),
                json!({"token_lifetime": 60}),
                json!({"audiences": ["x"]}),
                json!({"resource_for": ["x"]}),
                json!({"expires_at": null}),
                json!({"default_scopes": null}),
                json!({"signing_algorithm": "RS256"}),
                json!({"rate_per_minute": null}),
                json!({"burst_per_second": 1_000}),
                json!({"name": "n", "rate_per_minute": null}),
            ] {
                assert_problem(&server.api("PATCH", &path, &token, Some(&change)), 403, "scope_exceeds_caller");
            }
            let shown = server.api("GET", &path, &token, None);
            assert_eq!((shown.status, &shown.body["updated_at"]), (200, &made["updated_at"]), "nothing changed");
            assert_eq!(shown.body["secrets"].as_array().unwrap().len(), 1);
            // Words, and what ends a client's power, are free to who may write clients.
            let words = json!({"name": "renamed", "description": "d"});
            assert_eq!(server.api("PATCH", &path, &token, Some(&words)).status, 200);
            for action in ["revoke-tokens", "disable"] {
                assert_eq!(server.api("POST", &format!("{path}/{action}"), &token, None).status, 200, "{action}");
            }
            let enabled = server.api("POST", &format!("{path}/enable"), &token, None);
            assert_problem(&enabled, 403, "scope_exceeds_caller");
            assert_eq!(server.api("GET", &path, &token, None).body["status"], "inactive");
            // To cut it down to what the caller has, and then to take its secret, would be to take it over.
            let narrowed = server.api("PATCH", &path, &token, Some(&json!({"scopes": ["orders:read"], "allowed_ips": null})));
            assert_problem(&narrowed, 403, "scope_exceeds_caller");
            assert_eq!(server.api("POST", &format!("{path}/revoke"), &token, None).status, 200);
        }
    }

    fn who_may_not_introspect_makes_nobody_who_may(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let scopes = ["sealwright.clients:write", "orders:read"];
        let (_, token) = manager(&server, &owner, &scopes);
        let body = json!({"name": "api", "scopes": ["orders:read"], "resource_for": ["https://orders.example"]});
        assert_problem(&server.api("POST", "/clients", &token, Some(&body)), 403, "scope_exceeds_caller");
        let (_, client) = created(&server, &owner, &body);
        let path = format!("/clients/{}", client.id);
        let more = json!({"resource_for": ["https://orders.example", "https://other.example"]});
        assert_problem(&server.api("PATCH", &path, &token, Some(&more)), 403, "scope_exceeds_caller");
        assert_eq!(server.api("PATCH", &path, &token, Some(&json!({"token_lifetime": 60}))).status, 200, "it keeps what it has");
        let (_, introspector) = manager(&server, &owner, &[&scopes[..], &["sealwright.tokens:introspect"]].concat());
        assert_eq!(server.api("PATCH", &path, &introspector, Some(&more)).status, 200);
        // Its secret would be the same power; a client's own is its own.
        for verb in ["rotate-secret", "enable"] {
            let refused = server.api("POST", &format!("{path}/{verb}"), &token, None);
            assert_problem(&refused, 403, "scope_exceeds_caller");
        }
        let (own, own_token) = manager(&server, &owner, &scopes);
        let rotated = server.api("POST", &format!("/clients/{}/rotate-secret", own.id), &own_token, None);
        assert_eq!(rotated.status, 200, "{}", rotated.text);
    }

    /// A kept answer is for who could have got it.
    fn a_token_that_may_less_gets_no_answer_of_one_that_may_more(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (client, token) = manager(&server, &owner, &["sealwright.clients:write", "orders:read"]);
        let audience = format!("{}/api/v1", server.url);
        let form = [
            ("grant_type", "client_credentials"), ("scope", "sealwright.clients:write"), ("audience", &*audience),
        ];
        let narrow = text(&server.post_form("/api/oauth/token", &client, &form).body["access_token"]);
        let body = json!({"name": "x", "scopes": ["orders:read"]});
        let post = |token: &str| {
            let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(token);
            server.send(request.header("idempotency-key", "key").json(&body))
        };
        assert_eq!(post(&token).status, 201);
        assert_problem(&post(&narrow), 422, "idempotency_key_reused");
        assert!(post(&token).body["client_secret"].is_string());
    }

    fn what_a_token_may_shrinks_with_its_client_at_once(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (client, token) = manager(&server, &owner, &["sealwright.clients:*", "sealwright.audit:read"]);
        let path = format!("/clients/{}", client.id);
        assert_eq!(server.api("GET", "/audit-events", &token, None).status, 200);
        let shrunk = json!({"scopes": ["sealwright.clients:read"]});
        assert_eq!(server.api("PATCH", &path, &owner, Some(&shrunk)).status, 200);
        assert_problem(&server.api("GET", "/audit-events", &token, None), 403, "permission_denied");
        assert_problem(&server.api("POST", "/clients", &token, Some(&json!({}))), 403, "permission_denied");
        // What is left of `clients:*` once only `clients:read` is had: a token is cut to scopes that are still covered.
        let renewed = server.management_token(&client);
        assert_eq!(server.api("GET", "/clients", &renewed, None).status, 200);
        assert_eq!(server.api("PATCH", &path, &owner, Some(&json!({"allowed_ips": ["192.0.2.1"]}))).status, 200);
        assert_problem(&server.api("GET", "/clients", &renewed, None), 401, "invalid_token");
        assert_eq!(server.api("PATCH", &path, &owner, Some(&json!({"allowed_ips": null}))).status, 200);
        assert_eq!(server.api("GET", "/clients", &renewed, None).status, 200);
        assert_eq!(server.api("POST", &format!("{path}/revoke-tokens"), &owner, None).status, 200);
        assert_problem(&server.api("GET", "/clients", &renewed, None), 401, "invalid_token");
    }

    fn a_caller_of_staging_sees_and_touches_only_staging(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let (production, target) = created(&server, &owner, &json!({"name": "production", "scopes": ["orders:read"]}));
        let path = format!("/clients/{}", target.id);
        let token = server.owner_of("staging");

        for (method, action) in [
            ("GET", ""),
            ("PATCH", ""),
            ("POST", "/rotate-secret"),
            ("POST", "/disable"),
            ("POST", "/enable"),
            ("POST", "/revoke"),
            ("POST", "/revoke-tokens"),
        ] {
            let body = (method != "GET").then(|| json!({}));
            let answer = server.api(method, &format!("{path}{action}"), &token, body.as_ref());
            assert_problem(&answer, 404, "not_found");
        }
        assert_eq!(server.api("GET", &path, &owner, None).body["updated_at"], production["updated_at"]);
        assert_eq!(server.token(&target).status, 200);

        let other = json!({"name": "n", "environment": "production", "scopes": ["orders:read"]});
        assert_problem(&server.api("POST", "/clients", &token, Some(&other)), 403, "scope_exceeds_caller");
        let own = server.api("POST", "/clients", &token, Some(&json!({"name": "own", "scopes": ["orders:read"]})));
        assert_eq!((own.status, own.body["environment"].as_str()), (201, Some("staging")));
        let own = with_secret(&own.body);
        assert_eq!(server.token(&own).status, 401, "production does not know it");
        for (query, expected) in [("", 2), ("?environment=staging", 2), ("?environment=production", 0)] {
            let listed = server.api("GET", &format!("/clients{query}"), &token, None);
            let environments = column(&listed, "environment");
            assert!(environments.len() == expected && environments.iter().all(|one| one == "staging"), "{query}");
        }

        let keys = server.api("GET", "/signing-keys", &token, None);
        assert!(column(&keys, "environment").iter().all(|environment| environment == "staging"));
        assert_eq!(column(&keys, "kid").len(), 3);
        assert!(column(&server.api("GET", "/signing-keys?environment=production", &token, None), "kid").is_empty());
        let production_keys = server.api("GET", "/signing-keys?environment=production", &owner, None);
        let kid = column(&production_keys, "kid").remove(0);
        assert_problem(&server.api("POST", &format!("/signing-keys/{kid}/destroy"), &token, None), 404, "not_found");
        let rotate = json!({"environment": "production"});
        let answer = server.api("POST", "/signing-keys/rotate", &token, Some(&rotate));
        assert!(matches!(answer.status, 403 | 404 | 422), "{}", answer.text);
        let unchanged = server.api("GET", "/signing-keys?environment=production", &owner, None);
        assert_eq!(unchanged.body, production_keys.body);

        let events = server.api("GET", "/audit-events?limit=1000", &token, None);
        assert!(column(&events, "environment").iter().all(|environment| environment == "staging"));
        assert!(!column(&events, "id").is_empty());
        assert!(column(&server.api("GET", "/audit-events?environment=production", &token, None), "id").is_empty());
        assert!(column(&server.api("GET", &format!("/audit-events?credential={}", target.id), &token, None), "id")
            .iter()
            .all(|id| events.text.contains(id) || !id.is_empty()));
        let seen = server.api("GET", &format!("/audit-events?credential={}&outcome=success", target.id), &token, None);
        assert_eq!(seen.body["data"], json!([]), "nothing of production's client but its own failed attempts");
    }

    fn the_scope_registry_is_written_from_production_only(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let entry = json!({"name": "orders:read", "description": "Read orders."});
        assert_eq!(server.api("POST", "/scopes", &owner, Some(&entry)).status, 201);
        for environment in ["staging", "development"] {
            let token = server.owner_of(environment);
            assert_eq!(server.api("GET", "/scopes/orders:read", &token, None).status, 200);
            assert_eq!(column(&server.api("GET", "/scopes", &token, None), "name"), ["orders:read"]);
            for (method, path, body) in [
                ("POST", "/scopes", Some(json!({"name": "x:read"}))),
                ("PATCH", "/scopes/orders:read", Some(json!({"description": "other"}))),
                ("DELETE", "/scopes/orders:read", None),
            ] {
                assert_problem(&server.api(method, path, &token, body.as_ref()), 403, "production_only");
            }
        }
        let shown = server.api("GET", "/scopes", &owner, None);
        assert_eq!(shown.body["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(shown.body["data"][0]["description"], "Read orders.");
    }

    fn scopes_of_a_level_never_reach_management(database) {
        let server = Server::start(database);
        // A client with business scopes only has no audience of the management API at all.
        let client = server.client("admin read write delete sealwright:*");
        let resource = format!("{}/api/v1", server.url);
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let refused = server.post_form("/api/oauth/token", &client, &form);
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_target")));
        let asked = [("grant_type", "client_credentials"), ("scope", "sealwright.clients:read")];
        let refused = server.post_form("/api/oauth/token", &client, &asked);
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_scope")));
        // Even with the audience named by hand, no business scope opens a route.
        let path = format!("/clients/{}", client.id);
        let shown = server.manage("PATCH", &path, Some(&json!({"audiences": [resource]})));
        assert_eq!(texts(&shown["audiences"]), [resource]);
        let token = server.management_token(&client);
        for row in rows() {
            assert_problem(&row.call(&server, &[&format!("Bearer {token}")]), 403, "permission_denied");
        }
    }
}
