//! The examples, run as their README files have it: each client calls each resource server.

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
use crate::support::raw::{answer, read_head};
use crate::support::{Answer, Database, Kind, Server, TestClient, run};

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

    fn get(&self, server: &Server, authorization: Option<&str>) -> Answer {
        let request = server.http.get(&self.orders);
        server.send(match authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        })
    }

    fn call(&self, server: &Server, token: &str) -> Answer {
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
    let (token, answer) = text(&output.stdout).split_once('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(serde_json::from_str::<Value>(answer).unwrap()["client_id"], client.id.as_str());
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
        let answer = api.get(&server, authorization);
        assert_eq!(answer.status, 401, "{authorization:?}");
        assert_eq!(answer.header("WWW-Authenticate"), "Bearer realm=\"orders\"", "no code (section 3.1)");
        assert!(answer.body["error"].is_null());
    }

    for scopes in ["read", "admin", "orders:*", "write orders:read"] {
        let client = client_of(&server, scopes, &[]);
        assert_eq!(api.call(&server, &token(&client)).status, 200, "{scopes}");
    }
    for scopes in ["write", "orders:write", "invoices:read", "invoices:*", "order:*", "sealwright.admin"] {
        let client = client_of(&server, scopes, &["--audience", &format!("{}/api/v1", server.url)]);
        let answer = api.call(&server, &token(&client));
        assert_eq!((answer.status, answer.body["error"].as_str()), (403, Some("insufficient_scope")), "{scopes}");
        let challenge = answer.header("WWW-Authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"orders:read\""), "{challenge}");
    }

    let invalid = |name: &str, token: &str| {
        let answer = api.call(&server, token);
        assert_eq!((answer.status, answer.body["error"].as_str()), (401, Some("invalid_token")), "{name}");
        assert!(answer.header("WWW-Authenticate").contains("error=\"invalid_token\""), "{name}");
    };
    let short_lived = client_of(&server, "orders:read", &["--token-lifetime", "1s"]);
    let expired = token(&short_lived);
    invalid("junk", "junk");
    invalid("junk in three parts", "a.b.c");
    let (message, signature) = good.rsplit_once('.').unwrap();
    invalid("no signature", &format!("{message}."));
    let turned: String = signature.chars().rev().collect();
    invalid("another signature", &format!("{message}.{turned}"));
    invalid("another audience", &token(&server.client_with("orders:read", &["--audience", "https://other.example"])));
    let staging = client_of(&server, "orders:read", &["--environment", "staging"]);
    let form = [("grant_type", "client_credentials")];
    let foreign = server.post_form("/staging/api/oauth/token", &staging, &form);
    invalid("a staging token", foreign.body["access_token"].as_str().unwrap());
    std::thread::sleep(Duration::from_secs(2));
    invalid("an expired token", &expired);

    server.kill();
    assert_eq!(api.call(&server, &good).status, 200, "tokens are verified without the issuer");
}

/// An issuer with one key, which signs whatever it is asked to.
struct Forger {
    url: String,
    key: KeyPair,
    times_asked: Arc<AtomicUsize>,
}

impl Forger {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let (x, y) = key.public_key_raw()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": "key"});
        let keys = json!({"keys": [jwk]}).to_string();
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/jwks")}).to_string();
        let times_asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&times_asked);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let is_for_keys = read_head(&mut connection).unwrap_or_default().starts_with("GET /jwks ");
                counter.fetch_add(is_for_keys.into(), Ordering::SeqCst);
                answer(&mut connection, "200 OK", if is_for_keys { &keys } else { &metadata });
            }
        });
        Self { url, key, times_asked }
    }

    /// The header and the claims of a good token.
    fn good(&self) -> (Header, Value) {
        let mut header = Header::new(Algorithm::ES256);
        (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some("key".to_owned()));
        let now = jsonwebtoken::get_current_timestamp();
        let claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "cli_1", "client_id": "cli_1", "jti": "1",
            "iat": now, "exp": now + 60, "scope": "orders:read",
        });
        (header, claims)
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = match header.alg {
            Algorithm::ES256 => EncodingKey::from_ec_der(&self.key.serialize_der()),
            _ => EncodingKey::from_secret(self.key.public_key_raw()),
        };
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }
}

/// What only an issuer could make, or somebody who knows its public key.
fn trusts_no_header(resource_server: Command) {
    let (server, forger) = (start(), Forger::start());
    let api = ResourceServer::start(resource_server, &forger.url);
    let (good_header, good_claims) = forger.good();
    let good = forger.sign(&good_header, &good_claims);
    assert_eq!(api.call(&server, &good).status, 200);

    let of_header = |change: &dyn Fn(&mut Header)| {
        let mut header = good_header.clone();
        change(&mut header);
        forger.sign(&header, &good_claims)
    };
    let without = |claim: &str| {
        let mut claims = good_claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        forger.sign(&good_header, &claims)
    };
    let (_, payload_and_signature) = good.split_once('.').unwrap();
    let (payload, _) = payload_and_signature.split_once('.').unwrap();
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none","kid":"key"}"#);
    let mut tokens = vec![
        ("alg none", format!("{unsigned}.{payload}.")),
        ("the public key as a secret", of_header(&|header| header.alg = Algorithm::HS256)),
        ("typ JWT", of_header(&|header| header.typ = Some("JWT".to_owned()))),
        ("no typ", of_header(&|header| header.typ = None)),
        ("no kid of the issuer's", of_header(&|header| header.kid = Some("other".to_owned()))),
        ("crit", of_header(&|header| header.crit = Some(vec!["unheard-of".to_owned()]))),
    ];
    for claim in ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"] {
        tokens.push((claim, without(claim)));
    }
    for (name, token) in tokens {
        let answer = api.call(&server, &token);
        assert_eq!((answer.status, answer.body["error"].as_str()), (401, Some("invalid_token")), "{name}");
    }
    let answer = api.call(&server, &without("scope"));
    assert_eq!((answer.status, answer.body["error"].as_str()), (403, Some("insufficient_scope")));
}

/// Whoever makes up ids of keys cannot make the resource server besiege its issuer.
fn asks_for_keys_now_and_then(resource_server: Command) {
    let (server, forger) = (start(), Forger::start());
    let api = ResourceServer::start(resource_server, &forger.url);
    let (mut header, claims) = forger.good();
    for number in 0..50 {
        header.kid = Some(format!("made up {number}"));
        assert_eq!(api.call(&server, &forger.sign(&header, &claims)).status, 401);
    }
    let times = forger.times_asked.load(Ordering::SeqCst);
    assert!(times <= 5, "asked {times} times");
}

/// Neither yes nor no: the caller is to come again.
fn says_503_while_it_has_no_keys(resource_server: Command) {
    let mut server = start();
    let good = server.token(&client_of(&server, "orders:read", &[])).body["access_token"].as_str().unwrap().to_owned();
    let api = ResourceServer::start(resource_server, &server.url);
    server.kill();
    let answer = api.call(&server, &good);
    assert_eq!((answer.status, answer.header("Retry-After")), (503, "5"));
    assert!(answer.body["error"].is_null());

    server.restart();
    let deadline = Instant::now() + Duration::from_secs(20);
    while api.call(&server, &good).status != 200 {
        assert!(Instant::now() < deadline, "it never asked for the keys again");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// An API that gives these answers, one a connection, whatever it is asked. Its address.
fn api_that_answers(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // Clients open connections in advance, and may close them without having asked anything.
        let mut asked = listener.incoming().map(Result::unwrap).filter_map(|mut connection| {
            read_head(&mut connection)?;
            Some(connection)
        });
        for head in answers {
            answer(&mut asked.next().unwrap(), head, "{}");
        }
    });
    url
}

/// A client repeats what met 429 and 503, when it is told to, and replaces a token that is refused before its time.
fn is_patient(command: Command) {
    let server = start();
    let client = client_of(&server, "orders:read", &[]);
    let url = api_that_answers(&[
        "429 Too Many Requests\r\nRetry-After: 1",
        "503 Service Unavailable",
        "200 OK",
        "401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"",
        "200 OK",
    ]);
    let started = Instant::now();
    let output = call_by(command, &server.url, &client, &url);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(started.elapsed() > Duration::from_millis(1750), "it was told to wait a second, and to back off");
    let requests: Vec<_> = calls(&output).iter().map(|call| call["token_requests"].as_u64().unwrap()).collect();
    assert_eq!(requests, [1, 2]);
    // The server tells tokens apart, too.
    assert_eq!(tokens_issued(&server, &client), 2);
}

/// What a client cannot mend it says, without the secret.
#[test]
fn clients_say_what_is_wrong() {
    let server = start();
    let api = ResourceServer::start(programs::rust("resource-server"), &server.url);
    let poor = client_of(&server, "invoices:read", &[]);
    let wrong = TestClient { secret: "wrong_and_never_told".to_owned(), ..poor.clone() };
    for program in CLIENTS.into_iter().chain([SHELL]) {
        let name = format!("{:?}", program());
        let refused = call_by(program(), &server.url, &poor, &api.orders);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        let said = [text(&refused.stdout), text(&refused.stderr)].concat();
        assert!(said.contains("insufficient_scope"), "{name}: {said}");

        let refused = call_by(program(), &server.url, &wrong, &api.orders);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        let said = [text(&refused.stdout), text(&refused.stderr)].concat();
        assert!(said.contains("401") && said.contains("invalid_client"), "{name}: {said}");
        assert!(!said.contains(&wrong.secret), "{name}: {said}");

        let nothing = run(&mut program());
        assert_eq!(nothing.status.code(), Some(2), "{name}");
        assert!(text(&nothing.stderr).contains("SEALWRIGHT_ISSUER"), "{name}");
    }
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
    let answer = get(&good.key);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains(&good.id), "{}", answer.text);
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
