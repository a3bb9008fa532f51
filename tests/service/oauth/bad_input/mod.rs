//! What bad input gets: one table over all endpoints, with the response and the audit event of each row.

mod callers;
mod forms;
mod http;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::{FORM, assert_tells_nothing_of, basic, client, spawn, start, token};
use crate::support::{Database, Kind, Response, Server, TestClient, both};

use callers::{out_of_bounds, unauthenticated};
use forms::{malformed_forms, malformed_questions};

const TOKEN: &str = "/api/oauth/token";

const INTROSPECT: &str = "/api/oauth/introspect";

const REVOKE: &str = "/api/oauth/revoke";

const ASK: &str = "grant_type=client_credentials";

/// Is in what is sent; never in a response, which would echo it.
const MARK: &str = "zq7xmark";

/// A request, part by part.
#[derive(Clone)]
struct Sent {
    method: &'static str,
    path: String,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// A form for `path`.
fn post(path: &str, body: impl Into<Vec<u8>>) -> Sent {
    Sent { method: "POST", path: path.to_owned(), fields: vec![("content-type", FORM.to_owned())], body: body.into() }
}

/// A form for the token endpoint.
fn ask(body: impl Into<Vec<u8>>) -> Sent {
    post(TOKEN, body)
}

impl Sent {
    fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    fn by(self, client: &TestClient) -> Self {
        self.field("authorization", basic(&client.id, &client.secret))
    }

    fn typed(mut self, content_type: &str) -> Self {
        self.fields.retain(|(name, _)| *name != "content-type");
        if content_type.is_empty() { self } else { self.field("content-type", content_type) }
    }

    fn with(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    fn send(&self, server: &Server, address: &str) -> Response {
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap();
        let request = server.http.request(method, format!("{}{}", server.url, self.path));
        let request = request.header("x-forwarded-for", address).body(self.body.clone());
        server.send(self.fields.iter().fold(request, |request, (name, value)| request.header(*name, value)))
    }
}

/// The clients that the table speaks of.
struct Clients {
    good: TestClient,
    staging: TestClient,
    disabled: TestClient,
    expired: TestClient,
    revoked: TestClient,
    elsewhere: TestClient,
    replaced: TestClient,
    other: TestClient,
}

impl Clients {
    fn new(server: &Server) -> Self {
        let client = |options: &[&str]| client(server, "orders:read", options);
        // Long enough for a client to be created on a busy machine, once there is a token for it.
        server.owner();
        let expires = server.now() + 3_000;
        let clients = Self {
            expired: client(&["--expires-at", &crate::support::rfc3339(expires)]),
            good: client(&["--audience", "https://orders.example", "--audience", "legacy"]),
            staging: client(&["--environment", "staging"]),
            disabled: client(&[]),
            revoked: client(&[]),
            elsewhere: client(&["--allow-ip", "203.0.113.0/24"]),
            replaced: client(&[]),
            other: client(&[]),
        };
        for (client, action) in
            [(&clients.disabled, "disable"), (&clients.revoked, "revoke"), (&clients.replaced, "rotate-secret")]
        {
            server.manage("POST", &format!("/clients/{}/{action}", client.id), None);
        }
        // A process goes by the system's clock: one client expires by it.
        server.wait_until(expires);
        clients
    }

    fn all(&self) -> [&TestClient; 8] {
        let Self { good, staging, disabled, expired, revoked, elsewhere, replaced, other } = self;
        [good, staging, disabled, expired, revoked, elsewhere, replaced, other]
    }
}

/// What is sent; the status, the `error`, and the reason in the audit event.
type Row = (String, Sent, u16, &'static str, &'static str);

both! {
    /// RFC 6749 §5.2 and all that the rows name.
    fn bad_input_gets_its_error_and_an_audit_event_with_the_reason(database) {
        // Each row comes from an address of its own: more refusals a minute from one would be summed up.
        let server = spawn(database, &[("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#), ("LOG", "debug")]);
        let clients = Clients::new(&server);
        let mut secrets: Vec<String> = clients.all().map(|client| client.secret.clone()).to_vec();
        let issued = token(&server, &clients.good);
        secrets.push(issued.rsplit('.').next().unwrap().to_owned());

        let rows: Vec<Row> = [
            malformed_forms(&clients),
            unauthenticated(&clients),
            malformed_questions(&clients),
            out_of_bounds(&clients),
        ]
        .concat();
        let responses: Vec<(String, Response)> = rows
            .iter()
            .enumerate()
            .map(|(number, (_, sent, ..))| {
                let address = format!("198.51.{}.{}", number / 250, number % 250);
                let response = sent.send(&server, &address);
                (address, response)
            })
            .collect();
        let mut events: HashMap<String, Vec<Value>> = HashMap::new();
        for event in server.events(&[]) {
            events.entry(event["request_id"].as_str().unwrap().to_owned()).or_default().push(event);
        }

        let mut bodies: HashMap<&str, &str> = HashMap::new();
        for ((name, sent, status, error, reason), (address, response)) in rows.iter().zip(&responses) {
            let is_head = sent.method == "HEAD";
            assert_eq!(response.status, *status, "{name}: {}", response.text);
            if !is_head {
                assert_eq!(response.body["error"], *error, "{name}: {}", response.text);
                let names: Vec<&String> = response.body.as_object().unwrap().keys().collect();
                assert_eq!(names, ["error", "error_description"], "{name}");
                // RFC 6749 §5.2: its characters, and never a word of the request.
                let description = response.body["error_description"].as_str().unwrap();
                assert!(
                    description.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                    "{name}: {description}"
                );
                assert!(!response.text.contains(MARK), "{name} is echoed: {}", response.text);
            }
            assert_eq!(response.header("content-type"), "application/json", "{name}");
            assert_eq!(response.header("cache-control"), "no-store", "{name}");
            assert_eq!(response.header("pragma"), "no-cache", "{name}");
            let challenge = if *status == 401 { "Basic realm=\"sealwright\", charset=\"UTF-8\"" } else { "" };
            assert_eq!(response.header("www-authenticate"), challenge, "{name}");
            assert_eq!(response.header("allow"), if *status == 405 { "POST" } else { "" }, "{name}");
            if *error == "invalid_client" {
                let first = bodies.entry("invalid_client").or_insert(&response.text);
                assert_eq!(*first, response.text, "{name}: who is refused must not learn why");
            }

            let request_id = response.header("x-request-id");
            assert!(request_id.starts_with("req_"), "{name}");
            let found = events.remove(request_id).unwrap_or_default();
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            let event = &found[0];
            assert_eq!(event["reason"], *reason, "{name}");
            let (path, _) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
            for (member, expected) in
                [("outcome", "refused"), ("method", sent.method), ("path", path), ("address", address)]
            {
                assert_eq!(event[member], expected, "{member} of {name}");
            }
            // A client's own, once it is known to exist; else the issuer's that was asked.
            let environment = match (path.split_once("/api/oauth/"), event["credential"].as_str()) {
                (_, Some(id)) if id == clients.staging.id => json!("staging"),
                (_, Some(_)) | (Some(("", _)), None) => json!("production"),
                (Some(("/staging", _)), None) => json!("staging"),
                _ => Value::Null,
            };
            assert_eq!(event["environment"], environment, "{name}");
            assert_eq!(event["status"], *status, "{name}");
            assert_eq!(event["jti"], Value::Null, "{name}");
        }

        // No part of a secret or token in the log or the audit events; the query is in neither.
        let log = server.log();
        assert!(log.contains("request_id="), "the log is kept");
        assert!(!log.contains("panicked"));
        assert_tells_nothing_of(&secrets, "the log", &log);
        let events: String = server.events(&[]).iter().map(Value::to_string).collect();
        assert_tells_nothing_of(&secrets, "the audit log", &events);
        let texts: String = responses.iter().map(|(_, response)| &*response.text).collect();
        assert_tells_nothing_of(&secrets, "an answer", &texts);
        assert_eq!(server.token(&clients.good).status, 200, "nothing of this has harmed the good client");
    }
}
