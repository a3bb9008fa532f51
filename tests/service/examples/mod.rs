//! The examples, run as their README files have it: each client calls each resource server.

mod forger;
mod patience;
mod tenants;

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::support::programs::{self, first_line};
use crate::support::raw::{read_head, response};
use crate::support::{Database, Kind, Response, Server, TestClient, eventually, run};

use forger::{asks_for_keys_now_and_then, trusts_no_header};
use patience::is_patient;
use tenants::keeps_tenants_apart;

/// The name of the API that the resource servers are.
const AUDIENCE: &str = "https://api.example.com";

fn start() -> Server {
    Server::start(Database::new(Kind::Sqlite))
}

fn client_of(server: &Server, scopes: &str, options: &[&str]) -> TestClient {
    server.client_with(scopes, &[&["--audience", AUDIENCE], options].concat())
}

/// A resource server that runs, ended when dropped.
struct ResourceServer {
    orders: String,
    child: Child,
}

impl ResourceServer {
    fn start(mut command: Command, issuer: &str) -> Self {
        let mut child = command
            .env("SEALWRIGHT_ISSUER", issuer)
            .env("AUDIENCE", AUDIENCE)
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let orders = match first_line(&mut child).as_deref().map(|line| line.strip_prefix("listening on ")) {
            Some(Some(url)) => format!("{url}/orders"),
            other => panic!("{command:?} did not start: {other:?}"),
        };
        Self { orders, child }
    }

    fn get(&self, server: &Server, authorization: Option<&str>) -> Response {
        let request = server.http.get(&self.orders);
        server.send(match authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        })
    }

    fn call(&self, server: &Server, token: &str) -> Response {
        self.get(server, Some(&format!("Bearer {token}")))
    }
}

impl Drop for ResourceServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a client that calls `url`.
fn call_by(mut command: Command, issuer: &str, client: &TestClient, url: &str) -> Output {
    command.env("SEALWRIGHT_ISSUER", issuer);
    command.env("SEALWRIGHT_CLIENT_ID", &client.id).env("SEALWRIGHT_CLIENT_SECRET", &client.secret);
    run(command.env("API_URL", url))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The JSON objects that a client printed, one for each call.
fn calls(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const CLIENTS: [fn() -> Command; 3] = [
    || programs::rust("client"),
    || programs::python("examples/python/client.py"),
    || programs::node("examples/client.mjs"),
];

const SHELL: fn() -> Command = || programs::shell("examples/shell/token.sh");

/// Every client makes two calls with one token; the audit log agrees.
fn serves_every_client(resource_server: Command) {
    let server = start();
    let api = ResourceServer::start(resource_server, &server.url);
    let client = client_of(&server, "orders:read", &[]);
    for program in CLIENTS {
        let name = format!("{:?}", program());
        let output = call_by(program(), &server.url, &client, &api.orders);
        assert!(output.status.success(), "{name}: {}{}", text(&output.stdout), text(&output.stderr));
        let calls = calls(&output);
        assert_eq!(calls.len(), 2, "{name}");
        for call in calls {
            assert_eq!((&call["status"], &call["token_requests"]), (&200.into(), &1.into()), "{name}: {call}");
            assert_eq!(call["body"]["client_id"], client.id.as_str(), "{name}");
        }
    }
    assert_eq!(tokens_issued(&server, &client), 3, "one for each client");

    let output = call_by(SHELL(), &server.url, &client, &api.orders);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (token, response) = text(&output.stdout).split_once('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(serde_json::from_str::<Value>(response).unwrap()["client_id"], client.id.as_str());
    assert_eq!(tokens_issued(&server, &client), 4);
}

fn tokens_issued(server: &Server, client: &TestClient) -> usize {
    server.events(&["--credential", &client.id, "--action", "token.issue", "--outcome", "success"]).len()
}

/// RFC 6750 section 3.1: what is refused, and in which words.
fn refuses_by_the_book(resource_server: Command) {
    let mut server = start();
    let api = ResourceServer::start(resource_server, &server.url);
    let token = |client: &TestClient| server.token(client).body["access_token"].as_str().unwrap().to_owned();
    let good = token(&client_of(&server, "orders:read", &[]));

    for authorization in [None, Some("Bearer"), Some("Basic Zm9vOmJhcg==")] {
        let response = api.get(&server, authorization);
        assert_eq!(response.status, 401, "{authorization:?}");
        assert_eq!(response.header("WWW-Authenticate"), "Bearer realm=\"orders\"", "no code (section 3.1)");
        assert!(response.body["error"].is_null());
    }

    for scopes in ["read", "admin", "orders:*", "write orders:read"] {
        let client = client_of(&server, scopes, &[]);
        assert_eq!(api.call(&server, &token(&client)).status, 200, "{scopes}");
    }
    for scopes in ["write", "orders:write", "invoices:read", "invoices:*", "order:*", "sealwright.admin"] {
        let client = client_of(&server, scopes, &["--audience", &format!("{}/api/v1", server.url)]);
        let response = api.call(&server, &token(&client));
        assert_eq!((response.status, response.body["error"].as_str()), (403, Some("insufficient_scope")), "{scopes}");
        let challenge = response.header("WWW-Authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"orders:read\""), "{challenge}");
    }

    refuses_what_is_no_token_for_it(&server, &api, &good);
    server.kill();
    assert_eq!(api.call(&server, &good).status, 200, "tokens are verified without the issuer");
}

fn refuses_what_is_no_token_for_it(server: &Server, api: &ResourceServer, good: &str) {
    let token = |client: &TestClient| server.token(client).body["access_token"].as_str().unwrap().to_owned();
    let invalid = |name: &str, token: &str| {
        let response = api.call(server, token);
        assert_eq!((response.status, response.body["error"].as_str()), (401, Some("invalid_token")), "{name}");
        assert!(response.header("WWW-Authenticate").contains("error=\"invalid_token\""), "{name}");
    };
    // Issued ten seconds ago, for one.
    let short_lived = client_of(server, "orders:read", &["--token-lifetime", "1s"]);
    server.advance(-10_000);
    let expired = token(&short_lived);
    server.advance(10_000);
    invalid("junk", "junk");
    invalid("junk in three parts", "a.b.c");
    let (message, signature) = good.rsplit_once('.').unwrap();
    invalid("no signature", &format!("{message}."));
    let turned: String = signature.chars().rev().collect();
    invalid("another signature", &format!("{message}.{turned}"));
    invalid("another audience", &token(&server.client_with("orders:read", &["--audience", "https://other.example"])));
    let staging = client_of(server, "orders:read", &["--environment", "staging"]);
    let form = [("grant_type", "client_credentials")];
    let foreign = server.post_form("/staging/api/oauth/token", &staging, &form);
    invalid("a staging token", foreign.body["access_token"].as_str().unwrap());
    invalid("an expired token", &expired);
}

/// Neither yes nor no: the caller is to come again.
fn says_503_while_it_has_no_keys(resource_server: Command) {
    let mut server = start();
    let good = server.token(&client_of(&server, "orders:read", &[])).body["access_token"].as_str().unwrap().to_owned();
    let api = ResourceServer::start(resource_server, &server.url);
    server.kill();
    let response = api.call(&server, &good);
    assert_eq!((response.status, response.header("Retry-After")), (503, "5"));
    assert!(response.body["error"].is_null());

    server.restart();
    let asks_again = || api.call(&server, &good).status == 200;
    eventually("it asks for the keys again", Duration::from_secs(20), asks_again);
}

macro_rules! for_each_language {
    ($($test:ident: $rust:expr, $python:expr, $node:expr;)*) => {$(
        mod $test {
            use super::programs;

            #[test]
            fn rust() {
                super::$test(programs::rust($rust));
            }

            #[test]
            fn python() {
                super::$test(programs::python($python));
            }

            #[test]
            fn node() {
                super::$test(programs::node($node));
            }
        }
    )*};
}

for_each_language! {
    serves_every_client: "resource-server", "examples/python/resource_server.py", "examples/resource_server.mjs";
    refuses_by_the_book: "resource-server", "examples/python/resource_server.py", "examples/resource_server.mjs";
    trusts_no_header: "resource-server", "examples/python/resource_server.py", "examples/resource_server.mjs";
    asks_for_keys_now_and_then:
        "resource-server", "examples/python/resource_server.py", "examples/resource_server.mjs";
    says_503_while_it_has_no_keys:
        "resource-server", "examples/python/resource_server.py", "examples/resource_server.mjs";
    keeps_tenants_apart: "resource-server", "examples/python/resource_server.py", "examples/resource_server.mjs";
    is_patient: "client", "examples/python/client.py", "examples/client.mjs";
}

/// The crate for resource servers, in the Rust example, asks the real server about keys.
#[test]
fn the_rust_resource_server_takes_api_keys_as_sealwright_says() {
    let server = Server::spawn(Database::new(Kind::Sqlite));
    let own = server.key("sealwright.keys:verify");
    let mut program = programs::rust("resource-server");
    program.env("SEALWRIGHT_API_KEY", &own.key);
    let api = ResourceServer::start(program, &server.url);
    let get = |key: &str| server.send(server.http.get(&api.orders).header("X-API-Key", key));
    let good = server.key("orders:read");
    let response = get(&good.key);
    assert_eq!(response.status, 200, "{}", response.text);
    assert!(response.text.contains(&good.id), "{}", response.text);
    assert_eq!(api.get(&server, Some(&format!("Bearer {}", good.key))).status, 200, "a key as a bearer token");
    let limited = server.key_with("orders:read", &["--rate-per-minute", "1"]);
    assert_eq!(get(&limited.key).status, 200);
    let over = get(&limited.key);
    assert_eq!(over.status, 429, "{}", over.text);
    assert!((1..=60).contains(&over.header("retry-after").parse::<u64>().unwrap()));
    for (key, status) in [
        (server.key("orders:write"), 403),
        (server.key_with("orders:read", &["--allow-ip", "192.0.2.1"]), 403),
        (server.key_with("orders:read", &["--environment", "staging"]), 401),
        (server.key_with("orders:read", &["--allow-ip", "127.0.0.1"]), 200),
    ] {
        assert_eq!(get(&key.key).status, status, "{}", key.id);
    }
    assert_eq!(get("sw_live_junk").status, 401);
    server.manage("POST", &format!("/keys/{}/revoke", good.id), None);
    assert_eq!(get(&good.key).status, 401);
    let both = server.http.get(&api.orders).header("X-API-Key", &good.key).bearer_auth("a.b.c");
    assert_eq!(server.send(both).status, 400);
    server.signal("STOP");
    let asked = get(&limited.key);
    server.signal("CONT");
    assert_eq!(asked.status, 503, "{}", asked.text);
    assert!(!asked.header("retry-after").is_empty());
}
