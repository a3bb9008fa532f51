//! Random requests to every endpoint: whatever comes, there is a response, it is no fault of the server's, and it
//! continues.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::oauth::{basic, client};
use crate::support::{Database, Kind, Server};

/// Every route with a method that it takes, and places where there is none.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/api/oauth/token"),
    ("POST", "/api/oauth/introspect"),
    ("POST", "/api/oauth/revoke"),
    ("POST", "/staging/api/oauth/token"),
    ("POST", "/staging/api/oauth/introspect"),
    ("POST", "/development/api/oauth/revoke"),
    ("GET", "/.well-known/jwks.json"),
    ("HEAD", "/staging/.well-known/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/oauth-authorization-server/staging"),
    ("HEAD", "/.well-known/openid-configuration"),
    ("GET", "/development/.well-known/openid-configuration"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/clients"),
    ("POST", "/api/v1/clients"),
    ("GET", "/api/v1/clients/{id}"),
    ("PATCH", "/api/v1/clients/{id}"),
    ("PATCH", "/api/v1/clients/nothing"),
    ("POST", "/api/v1/clients/{id}/rotate-secret"),
    ("POST", "/api/v1/clients/{id}/disable"),
    ("POST", "/api/v1/clients/{id}/enable"),
    ("POST", "/api/v1/clients/{id}/revoke"),
    ("POST", "/api/v1/clients/{id}/revoke-tokens"),
    ("GET", "/api/v1/scopes"),
    ("POST", "/api/v1/scopes"),
    ("GET", "/api/v1/scopes/orders:read"),
    ("PATCH", "/api/v1/scopes/orders:read"),
    ("DELETE", "/api/v1/scopes/orders:read"),
    ("GET", "/api/v1/signing-keys"),
    ("POST", "/api/v1/signing-keys/rotate"),
    ("POST", "/api/v1/signing-keys/nothing/destroy"),
    ("GET", "/api/v1/audit-events"),
    ("HEAD", "/api/v1/audit-events"),
    ("GET", "/api/openapi.json"),
    ("HEAD", "/docs"),
    ("GET", "/docs/page.js"),
    ("GET", "/docs/nothing"),
    ("GET", "/api/v1/nothing"),
    ("POST", "/api/oauth/nothing"),
    ("GET", "/"),
    ("OPTIONS", "*"),
    ("GET", "nothing"),
];

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"];

const TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/json",
    "multipart/form-data; boundary=x",
    "\"; =;",
];

/// Names that mean something somewhere, so that random values reach what reads them.
const NAMES: &[&str] = &[
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
    "token_typ",
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

/// Bytes for a line of a head: mostly ones that may appear there (RFC 9110 §5.5), now and then any.
fn line(length: usize) -> impl Strategy<Value = Vec<u8>> {
    let allowed = any::<u8>().prop_map(|b| if b < b' ' || b == 0x7f { b'\t' } else { b });
    let wild = any::<u8>().prop_filter("a line end", |b| !matches!(b, b'\r' | b'\n'));
    prop_oneof![30 => vec(allowed, 0..length), 1 => vec(wild, 0..length)]
}

/// Bytes for the request target: mostly with what may not appear there encoded (RFC 3986 §3.3), now and then as they
/// are.
fn in_target(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, 0..30).prop_map(|(bytes, die)| {
        let encoded = |byte: u8| match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}#".contains(&byte) => vec![byte],
            _ => format!("%{byte:02x}").into_bytes(),
        };
        if die == 0 { bytes } else { bytes.into_iter().flat_map(encoded).collect() }
    })
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
    let first = select(vec!["", "grant_type=client_credentials&", "token=x&"]);
    (first, vec((select(NAMES.to_vec()), value()), 0..6)).prop_map(|(first, pairs)| {
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{first}{}", pairs.join("&")).into_bytes()
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

/// A body with the content type that it goes with, or any other.
fn body() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    prop_oneof![
        4 => form().prop_map(|body| (TYPES[0], body)),
        4 => json().prop_map(|body| (TYPES[2], body)),
        1 => (select(TYPES.to_vec()), prop_oneof![form(), json()]),
        1 => (select(TYPES.to_vec()), vec(any::<u8>(), 0..200)),
        1 => (select(TYPES.to_vec()), vec(any::<u8>(), 16_000..17_000)),
    ]
}

/// Any request; `authorizations` are the ones that get past the door, so that what is behind it is reached too.
fn request(id: String, authorizations: Vec<String>) -> impl Strategy<Value = Random> {
    let suffix = prop_oneof![9 => Just(vec![]), 1 => in_target(vec(any::<u8>(), 0..12))];
    let query = prop_oneof![4 => Just(vec![]), 2 => in_target(form()), 1 => in_target(vec(any::<u8>(), 0..30))];
    let method = prop_oneof![7 => Just(None), 1 => select(METHODS.to_vec()).prop_map(Some)];
    let start = (method, select(ROUTES.to_vec()), suffix, query).prop_map(
        move |(method, (own_method, path), suffix, query)| {
            let mark = if query.is_empty() { "" } else { "?" };
            let target = [path.replace("{id}", &id).into_bytes(), suffix, mark.into(), query].concat();
            (method.unwrap_or(own_method), target)
        },
    );
    let authorization = prop_oneof![
        8 => select(authorizations).prop_map(String::into_bytes),
        1 => line(60),
        1 => "(Basic|Bearer|basic) [A-Za-z0-9+/=._-]{0,60}".prop_map(String::into_bytes),
    ]
    .prop_map(|value| [b"Authorization: ", &value[..]].concat());
    let authorizations = prop_oneof![1 => vec(authorization.clone(), 0..3), 6 => vec(authorization, 1)];
    let names = ["Idempotency-Key", "If-None-Match", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "Accept"];
    let name = prop_oneof![6 => select(names.to_vec()).prop_map(str::to_owned), 1 => "X-[a-zA-Z-]{1,12}"];
    let other = (name, line(40)).prop_map(|(name, value)| [format!("{name}: ").as_bytes(), &value].concat());
    let others = vec(prop_oneof![40 => other, 1 => line(40)], 0..4);
    (start, authorizations, others, body()).prop_map(
        |((method, target), authorizations, others, (content_type, body))| {
            let content_type = format!("Content-Type: {content_type}").into_bytes();
            Random { method, target, fields: [authorizations, others, vec![content_type]].concat(), body }
        },
    )
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

    /// Sends it and gives back the status, or what is wrong with the response.
    fn send(&self, address: &str) -> Result<u16, String> {
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(|error| error.to_string())?;
        // Who is refused early may find the connection closed while it still sends.
        let _ = stream.write_all(&self.bytes());
        let mut response = vec![];
        let read = stream.read_to_end(&mut response);
        let text = String::from_utf8_lossy(&response);
        let status =
            text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
        status.ok_or_else(|| format!("no answer ({read:?}): {text:?}"))
    }
}

/// Never a 5xx, never a connection that ends without a response, never a panic.
#[test]
fn random_requests_to_every_endpoint_are_answered_and_harm_nothing() {
    let server = Server::spawn(Database::new(Kind::Sqlite));
    let address = server.url.trim_start_matches("http://").to_owned();
    let unlimited = |scopes: &str| client(&server, scopes, &[]);
    let observer = unlimited("orders:read");
    let target = unlimited("orders:read");
    let manager =
        unlimited("sealwright.clients:* sealwright.scopes:* sealwright.audit:read sealwright.signing-keys:read");
    let authorizations = vec![
        basic(&observer.id, &observer.secret),
        basic(&manager.id, &manager.secret),
        format!("Bearer {}", server.management_token(&manager)),
    ];
    // Bounded in time: a slow machine sends fewer, and says how many.
    let (deadline, mut sent) = (Instant::now() + Duration::from_secs(10), std::cell::Cell::new(0));
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
    assert_eq!(server.token(&observer).status, 200);
    assert_eq!(server.get("/readyz").status, 200);
}
