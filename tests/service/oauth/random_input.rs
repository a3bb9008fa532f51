//! Random requests to every endpoint: whatever comes, there is an answer, it is no fault of the server's, and it goes
//! on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{basic, client};
use crate::support::{Database, Kind, Server};

/// Every route, with an id where it has one.
const PATHS: [&str; 34] = [
    "/api/oauth/token",
    "/api/oauth/introspect",
    "/api/oauth/revoke",
    "/staging/api/oauth/token",
    "/staging/api/oauth/introspect",
    "/development/api/oauth/revoke",
    "/.well-known/jwks.json",
    "/staging/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/staging",
    "/development/.well-known/openid-configuration",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/clients",
    "/api/v1/clients/{id}",
    "/api/v1/clients/nothing",
    "/api/v1/clients/{id}/rotate-secret",
    "/api/v1/clients/{id}/disable",
    "/api/v1/clients/{id}/enable",
    "/api/v1/clients/{id}/revoke",
    "/api/v1/clients/{id}/revoke-tokens",
    "/api/v1/scopes",
    "/api/v1/scopes/orders:read",
    "/api/v1/signing-keys",
    "/api/v1/signing-keys/rotate",
    "/api/v1/signing-keys/nothing/destroy",
    "/api/v1/audit-events",
    "/api/v1/nothing",
    "/api/oauth/nothing",
    "/",
    "*",
    "nothing",
];

const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"];

const TYPES: [&str; 5] = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/json",
    "multipart/form-data; boundary=x",
    "\"; =;",
];

/// Names that mean something somewhere, so that random values reach what reads them.
const NAMES: [&str; 24] = [
    "grant_type",
    "scope",
    "resource",
    "audience",
    "client_id",
    "client_secret",
    "token",
    "token_type_hint",
    "name",
    "description",
    "environment",
    "scopes",
    "default_scopes",
    "audiences",
    "allowed_ips",
    "token_lifetime",
    "signing_algorithm",
    "rate_per_minute",
    "expires_at",
    "grace",
    "limit",
    "cursor",
    "since",
    "request_id",
];

#[derive(Clone, Debug)]
struct Random {
    method: &'static str,
    target: Vec<u8>,
    fields: Vec<Vec<u8>>,
    body: Vec<u8>,
}

/// Bytes that can stand in a line of a head: all but its end.
fn in_a_line(length: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>().prop_filter("a line end", |b| !matches!(b, b'\r' | b'\n')), 0..length)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[ -~]{0,20}",
        2 => "\\PC{0,12}",
        1 => "(%[0-9a-f]{2}){0,8}",
        1 => select(vec!["client_credentials", "orders:read", "-1", "9223372036854775808", "1e400", "null", "24h"])
            .prop_map(str::to_owned),
        1 => "e[yA-Za-z0-9_-]{0,30}\\.[A-Za-z0-9_-]{0,30}\\.[A-Za-z0-9_-]{0,90}",
    ]
}

fn form() -> impl Strategy<Value = Vec<u8>> {
    vec((select(NAMES.to_vec()), value()), 0..6).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&").into_bytes()
    })
}

fn json() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        value().prop_map(Into::into),
    ];
    let item = leaf.prop_recursive(4, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            vec((select(NAMES.to_vec()), inner), 0..4).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    });
    vec((select(NAMES.to_vec()), item), 0..6).prop_map(|members| {
        let members: serde_json::Map<_, _> =
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        serde_json::Value::from(members).to_string().into_bytes()
    })
}

/// Any request; `authorizations` are the ones that get past the door, so that what is behind it is reached too.
fn request(id: String, authorizations: Vec<String>) -> impl Strategy<Value = Random> {
    let target = (
        select(PATHS.to_vec()),
        prop_oneof![3 => Just(vec![]), 1 => in_a_line(12)],
        prop_oneof![3 => form(), 1 => in_a_line(30)],
    )
        .prop_map(move |(path, suffix, query)| {
            let mut target = path.replace("{id}", &id).into_bytes();
            target.extend(suffix);
            if !query.is_empty() {
                target.push(b'?');
                target.extend(query);
            }
            target
        });
    let authorization = prop_oneof![
        4 => select(authorizations).prop_map(|value| value.into_bytes()),
        1 => in_a_line(60),
        1 => "(Basic|Bearer|basic) [A-Za-z0-9+/=._-]{0,60}".prop_map(String::into_bytes),
    ]
    .prop_map(|value| [b"Authorization: ", &value[..]].concat());
    let other = prop_oneof![
        select(TYPES.to_vec()).prop_map(|value| format!("Content-Type: {value}").into_bytes()),
        in_a_line(40).prop_map(|value| [b"Idempotency-Key: ", &value[..]].concat()),
        in_a_line(40).prop_map(|value| [b"If-None-Match: ", &value[..]].concat()),
        in_a_line(40).prop_map(|value| [b"User-Agent: ", &value[..]].concat()),
        in_a_line(40).prop_map(|value| [b"X-Forwarded-For: ", &value[..]].concat()),
        ("[a-zA-Z-]{1,12}", in_a_line(30))
            .prop_map(|(name, value)| [format!("X-{name}: ").as_bytes(), &value].concat()),
        in_a_line(40),
    ];
    let fields = (vec(authorization, 0..3), vec(other, 0..4)).prop_map(|(first, second)| [first, second].concat());
    let body =
        prop_oneof![3 => form(), 3 => json(), 1 => vec(any::<u8>(), 0..200), 1 => vec(any::<u8>(), 16_000..17_000)];
    (select(METHODS.to_vec()), target, fields, body).prop_map(|(method, target, fields, body)| Random {
        method,
        target,
        fields,
        body,
    })
}

impl Random {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes =
            [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"].concat();
        for field in &self.fields {
            bytes.extend_from_slice(field);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it and gives back the status, or what is wrong with the answer.
    fn send(&self, address: &str) -> Result<u16, String> {
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(|error| error.to_string())?;
        // Who is refused early may find the connection closed while it still sends.
        let _ = stream.write_all(&self.bytes());
        let mut answer = vec![];
        let read = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let status =
            text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
        status.ok_or_else(|| format!("no answer ({read:?}): {text:?}"))
    }
}

/// SPEC §11, STANDARDS 24, 32, 50, 105: never a 5xx, never a connection that ends without an answer, never a panic.
#[test]
fn random_requests_to_every_endpoint_are_answered_and_harm_nothing() {
    let server = Server::start(Database::new(Kind::Sqlite));
    let address = server.url.trim_start_matches("http://").to_owned();
    let unlimited = |scopes: &str| client(&server, scopes, &[]);
    let witness = unlimited("orders:read");
    let target = unlimited("orders:read");
    let manager =
        unlimited("sealwright.clients:* sealwright.scopes:* sealwright.audit:read sealwright.signing-keys:read");
    let authorizations = vec![
        basic(&witness.id, &witness.secret),
        basic(&manager.id, &manager.secret),
        format!("Bearer {}", server.management_token(&manager)),
    ];
    // Bounded in time: a slow machine sends fewer, and says how many.
    let (deadline, mut sent) = (Instant::now() + Duration::from_secs(15), std::cell::Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 3000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&request(target.id.clone(), authorizations), |random| {
        if Instant::now() > deadline {
            return Ok(());
        }
        sent.set(sent.get() + 1);
        match random.send(&address) {
            Ok(status) if (200..500).contains(&status) => Ok(()),
            Ok(status) => Err(TestCaseError::fail(format!("status {status}"))),
            Err(wrong) => Err(TestCaseError::fail(wrong)),
        }
    });
    if let Err(error) = outcome {
        panic!(
            "{error}\n{}",
            server.log().lines().filter(|line| line.contains("ERROR")).collect::<Vec<_>>().join("\n")
        );
    }
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(*sent.get_mut() > 100, "only {} requests were sent", sent.get());
    assert_eq!(server.token(&witness).status, 200);
    assert_eq!(server.get("/readyz").status, 200);
}
