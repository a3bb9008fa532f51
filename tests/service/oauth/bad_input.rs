//! What bad input gets: one table over all endpoints, with the answer and the audit event of each row.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::{FORM, assert_tells_nothing_of, basic, client, spawn, start, token};
use crate::support::{Answer, Database, Kind, Server, TestClient, both};

const TOKEN: &str = "/api/oauth/token";
const INTROSPECT: &str = "/api/oauth/introspect";
const REVOKE: &str = "/api/oauth/revoke";
const ASK: &str = "grant_type=client_credentials";
/// Stands in what is sent; never in an answer, which would echo it.
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

    fn send(&self, server: &Server, address: &str) -> Answer {
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
        let expires = server.now() + 300;
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
        crate::api::wait_until(expires);
        clients
    }

    fn all(&self) -> [&TestClient; 8] {
        let Self { good, staging, disabled, expired, revoked, elsewhere, replaced, other } = self;
        [good, staging, disabled, expired, revoked, elsewhere, replaced, other]
    }
}

/// What is sent; the status, the `error`, and the reason in the audit event.
type Row = (String, Sent, u16, &'static str, &'static str);

/// RFC 6749 §2.3.1, §4.4.2, §5.2: requests to the token endpoint whose form is wrong, from a good client.
#[allow(clippy::too_many_lines)] // It is a table.
fn malformed_forms(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let (id, secret) = (&good.id, &good.secret);
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        // §4.4.2, STANDARDS 21.
        ("no grant type", "".into(), "invalid_request"),
        ("empty grant type", "grant_type=".into(), "invalid_request"),
        ("password grant", "grant_type=password&username=u&password=p".into(), "unsupported_grant_type"),
        ("code grant", "grant_type=authorization_code&code=x".into(), "unsupported_grant_type"),
        ("refresh", "grant_type=refresh_token&refresh_token=x".into(), "unsupported_grant_type"),
        ("unknown grant type", format!("grant_type={MARK}").into(), "unsupported_grant_type"),
        ("grant type in capitals", "grant_type=Client_Credentials".into(), "unsupported_grant_type"),
        ("grant type with a space", "grant_type=client_credentials+".into(), "unsupported_grant_type"),
        // §3.2 and erratum 5708, STANDARDS 7.
        ("grant type twice", format!("{ASK}&{ASK}").into(), "invalid_request"),
        ("grant type twice, once empty", format!("{ASK}&grant_type=").into(), "invalid_request"),
        ("scope twice", format!("{ASK}&scope=orders:read&scope=orders:read").into(), "invalid_request"),
        ("scope twice, once encoded", format!("{ASK}&scope=orders:read&s%63ope=x").into(), "invalid_request"),
        ("scope twice, both empty", format!("{ASK}&scope=&scope=").into(), "invalid_request"),
        ("client_id twice", format!("{ASK}&client_id={id}&client_id={id}").into(), "invalid_request"),
        // Appendix B, STANDARDS 10.
        ("a lone percent sign", format!("{ASK}&scope=%").into(), "invalid_request"),
        ("half a triplet", format!("{ASK}&scope=%4").into(), "invalid_request"),
        ("no hexadecimal digits", format!("{ASK}&scope=%zz").into(), "invalid_request"),
        ("a broken triplet in a name", format!("{ASK}&%zz=1").into(), "invalid_request"),
        ("no UTF-8, encoded", format!("{ASK}&scope=%ff").into(), "invalid_request"),
        ("no UTF-8", [ASK.as_bytes(), b"&scope=\xff"].concat(), "invalid_request"),
        ("zero bytes", vec![0; 100], "invalid_request"),
        // §3.3, STANDARDS 16, 17, 19.
        ("a scope of one space", format!("{ASK}&scope=+").into(), "invalid_scope"),
        ("two spaces", format!("{ASK}&scope=orders:read++orders:read").into(), "invalid_scope"),
        ("a space before", format!("{ASK}&scope=+orders:read").into(), "invalid_scope"),
        ("a space behind", format!("{ASK}&scope=orders:read+").into(), "invalid_scope"),
        ("a tab", format!("{ASK}&scope=orders:read%09x").into(), "invalid_scope"),
        ("a line end", format!("{ASK}&scope=orders:read%0D%0A").into(), "invalid_scope"),
        ("a quotation mark", format!("{ASK}&scope=%22orders:read%22").into(), "invalid_scope"),
        ("a backslash", format!("{ASK}&scope=orders%5Cread").into(), "invalid_scope"),
        ("DEL", format!("{ASK}&scope=orders%7F").into(), "invalid_scope"),
        ("no ASCII", format!("{ASK}&scope=%C3%A4").into(), "invalid_scope"),
        ("a zero byte", format!("{ASK}&scope=orders:read%00").into(), "invalid_scope"),
        ("a long scope", format!("{ASK}&scope={}", "s".repeat(129)).into(), "invalid_scope"),
        (
            "a hundred and one scopes",
            format!("{ASK}&scope={}", (0..101).map(|n| format!("s{n}")).collect::<Vec<_>>().join("+")).into(),
            "invalid_scope",
        ),
        ("a scope that it lacks", format!("{ASK}&scope={MARK}").into(), "invalid_scope"),
        ("one that it has, one that it lacks", format!("{ASK}&scope=orders:read+orders:write").into(), "invalid_scope"),
        ("a scope in capitals", format!("{ASK}&scope=Orders:read").into(), "invalid_scope"),
        ("the level above", format!("{ASK}&scope=read").into(), "invalid_scope"),
        ("a management permission", format!("{ASK}&scope=sealwright.admin").into(), "invalid_scope"),
        ("an unknown management permission", format!("{ASK}&scope=sealwright.x").into(), "invalid_scope"),
        // RFC 8707 §2, STANDARDS 20.
        ("a relative resource", format!("{ASK}&resource=orders").into(), "invalid_target"),
        ("a path as resource", format!("{ASK}&resource=/orders").into(), "invalid_target"),
        ("a resource that is an audience but no URI", format!("{ASK}&resource=legacy").into(), "invalid_target"),
        ("a fragment", format!("{ASK}&resource=https://orders.example%23x").into(), "invalid_target"),
        ("an empty fragment", format!("{ASK}&resource=https://orders.example%23").into(), "invalid_target"),
        ("a resource without host", format!("{ASK}&resource=https://").into(), "invalid_target"),
        ("a resource with a space", format!("{ASK}&resource=https://orders.example/a+b").into(), "invalid_target"),
        ("a foreign resource", format!("{ASK}&resource=https://{MARK}.example").into(), "invalid_target"),
        ("nearly its resource", format!("{ASK}&resource=https://orders.example/").into(), "invalid_target"),
        (
            "one of its own, one foreign",
            format!("{ASK}&resource=https://orders.example&resource=https://foreign.example").into(),
            "invalid_target",
        ),
        ("a foreign audience", format!("{ASK}&audience={MARK}").into(), "invalid_target"),
        (
            "the management API, without a permission",
            format!("{ASK}&resource=http://127.0.0.1/api/v1").into(),
            "invalid_target",
        ),
        (
            "fifty-one resources",
            format!("{ASK}{}", "&resource=https://orders.example".repeat(51)).into(),
            "invalid_target",
        ),
    ];
    let mut rows: Vec<Row> =
        table.into_iter().map(|(name, body, error)| (name.to_owned(), ask(body).by(good), 400, error, error)).collect();

    // §2.3, §5.2, STANDARDS 4, 12: two ways at once, another's name, credentials in the address.
    let by_form = format!("{ASK}&client_id={id}&client_secret={secret}");
    let malformed = "invalid_request";
    for (name, sent) in [
        ("Basic and form", ask(&*by_form).by(good)),
        ("Basic and client_secret", ask(format!("{ASK}&client_secret={secret}")).by(good)),
        ("Basic and an assertion", ask(format!("{ASK}&client_assertion=x")).by(good)),
        ("form and an assertion", ask(format!("{by_form}&client_assertion=x"))),
        ("Authorization twice", ask(ASK).by(good).by(good)),
        ("Basic and Bearer", ask(ASK).by(good).field("authorization", "Bearer x")),
        ("Basic, and another client_id", ask(format!("{ASK}&client_id={}", clients.other.id)).by(good)),
        ("client_secret twice", ask(format!("{by_form}&client_secret={secret}"))),
        ("secret in the query", post(&format!("{TOKEN}?client_id={id}&client_secret={secret}"), ASK)),
        ("secret in the query, encoded name", post(&format!("{TOKEN}?client%5Fsecret={secret}"), &*by_form)),
        ("id in the query", post(&format!("{TOKEN}?client_id={id}"), &*by_form)),
        ("all in the query", post(&format!("{TOKEN}?{by_form}"), "")),
        // §2.3.1, RFC 7617, STANDARDS 10.
        ("Basic alone", ask(ASK).field("authorization", "Basic")),
        ("Basic without base64", ask(ASK).field("authorization", "Basic !!!!")),
        ("base64 without padding", ask(ASK).field("authorization", "Basic aWQ6eA")),
        ("base64 with stray bits", ask(ASK).field("authorization", "Basic aWQ6eB==")),
        ("Basic without colon", ask(ASK).field("authorization", "Basic aWQ=")),
        ("Basic with a lone percent sign", ask(ASK).field("authorization", basic(id, "50%"))),
        ("Basic with a broken triplet", ask(ASK).field("authorization", basic("%zz", secret))),
        ("Basic with a control character", ask(ASK).field("authorization", basic(id, "a\tb"))),
        ("Basic with a line end, encoded", ask(ASK).field("authorization", basic(id, "a%0D%0Ab"))),
        ("Basic beyond ASCII", ask(ASK).field("authorization", basic(id, "ä"))),
        ("a secret with a zero byte", ask(format!("{ASK}&client_id={id}&client_secret=a%00b"))),
        // §4.4.2, STANDARDS 3.
        ("JSON", ask(r#"{"grant_type":"client_credentials"}"#).by(good).typed("application/json")),
        ("broken JSON", ask(r#"{"grant_type":"#).by(good).typed("application/json")),
        ("a form said to be JSON", ask(&*by_form).typed("application/json")),
        ("no content type", ask(&*by_form).typed("")),
        ("plain text", ask(&*by_form).typed("text/plain")),
        ("multipart", ask(&*by_form).typed("multipart/form-data; boundary=x")),
        ("another charset", ask(&*by_form).typed("application/x-www-form-urlencoded; charset=ISO-8859-1")),
        ("nearly the content type", ask(&*by_form).typed("application/x-www-form-urlencoded-x")),
    ] {
        rows.push((name.to_owned(), sent, 400, malformed, malformed));
    }
    rows
}

/// RFC 6749 §5.2 `invalid_client`: who is not authenticated, at each endpoint that takes a secret; with the true
/// reason.
fn unauthenticated(clients: &Clients) -> Vec<Row> {
    let Clients { good, staging, disabled, expired, revoked, elsewhere, replaced, other } = clients;
    let (id, secret) = (good.id.as_str(), good.secret.as_str());
    let named = |id: &str, secret: &str| TestClient { id: id.to_owned(), secret: secret.to_owned() };
    let mut rows: Vec<Row> = vec![];
    let impostors = [
        ("an unknown client", named(&format!("cli_{MARK}"), secret), "unknown_client"),
        (
            "an unknown client of the right form",
            named("cli_00000000000000000000000000000000", secret),
            "unknown_client",
        ),
        ("SQL as client", named("' OR 1=1 --", secret), "unknown_client"),
        ("no client", named("", secret), "unknown_client"),
        ("the client in capitals", named(&id.to_uppercase(), secret), "unknown_client"),
        ("a space behind the client", named(&format!("{id} "), secret), "unknown_client"),
        ("a wrong secret", named(id, "wrong"), "wrong_secret"),
        ("no secret", named(id, ""), "wrong_secret"),
        ("another client's secret", named(id, &other.secret), "wrong_secret"),
        ("the secret in small letters", named(id, &secret.to_lowercase()), "wrong_secret"),
        ("the secret cut", named(id, &secret[..secret.len() - 1]), "wrong_secret"),
        ("the secret and more", named(id, &format!("{secret}x")), "wrong_secret"),
        ("a secret that was replaced", replaced.clone(), "wrong_secret"),
        ("another environment's client", staging.clone(), "wrong_environment"),
        ("a disabled client", disabled.clone(), "client_disabled"),
        ("an expired client", expired.clone(), "client_expired"),
        ("a revoked client", revoked.clone(), "client_revoked"),
        ("a client tied to other addresses", elsewhere.clone(), "address_not_allowed"),
        ("a disabled client with a wrong secret", named(&disabled.id, "wrong"), "wrong_secret"),
        ("another environment's client with a wrong secret", named(&staging.id, "wrong"), "wrong_secret"),
    ];
    for (endpoint, body) in [(TOKEN, ASK), (INTROSPECT, "token=x"), (REVOKE, "token=x")] {
        let mut row = |name: &str, sent: Sent, reason: &'static str| {
            rows.push((format!("{name} at {endpoint}"), sent, 401, "invalid_client", reason));
        };
        for &(name, ref impostor, reason) in &impostors {
            row(name, post(endpoint, body).by(impostor), reason);
        }
        for (name, sent) in [
            ("nobody", post(endpoint, body)),
            ("client_id alone", post(endpoint, format!("{body}&client_id={id}"))),
            ("client_secret alone", post(endpoint, format!("{body}&client_secret={secret}"))),
            ("an empty client_secret", post(endpoint, format!("{body}&client_id={id}&client_secret="))),
            ("an assertion", post(endpoint, format!("{body}&client_id={id}&client_assertion=x"))),
            ("Bearer", post(endpoint, body).field("authorization", "Bearer x")),
            ("Digest", post(endpoint, body).field("authorization", "Digest username=x")),
            ("an empty Authorization", post(endpoint, body).field("authorization", "")),
            ("a long client_id", post(endpoint, body).by(&named(&"c".repeat(300), secret))),
            ("a long secret", post(endpoint, body).by(&named(id, &"s".repeat(300)))),
        ] {
            row(name, sent, "invalid_client");
        }
    }
    for endpoint in [TOKEN, INTROSPECT, REVOKE].map(|path| format!("/staging{path}")) {
        let sent = post(&endpoint, format!("{ASK}&token=x")).by(good);
        rows.push((format!("a production client at {endpoint}"), sent, 401, "invalid_client", "wrong_environment"));
    }
    rows
}

/// RFC 7009 §2.1, RFC 7662 §2.1: requests about a token whose form is wrong, from a good client.
fn malformed_questions(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let by_form = format!("&client_id={}&client_secret={}", good.id, good.secret);
    let mut rows = vec![];
    for endpoint in [INTROSPECT, REVOKE] {
        for (name, sent) in [
            ("no token", post(endpoint, "").by(good)),
            ("an empty token", post(endpoint, "token=").by(good)),
            ("two tokens", post(endpoint, "token=a&token=a").by(good)),
            ("two hints", post(endpoint, "token=a&token_type_hint=x&token_type_hint=x").by(good)),
            ("a broken triplet", post(endpoint, "token=%zz").by(good)),
            ("Basic and form", post(endpoint, format!("token=x{by_form}")).by(good)),
            ("the token in the query", post(&format!("{endpoint}?token=x"), "token=x").by(good)),
            ("the token only in the query", post(&format!("{endpoint}?token=x"), "").by(good)),
            ("JSON", post(endpoint, r#"{"token":"x"}"#).by(good).typed("application/json")),
            ("no content type", post(endpoint, "token=x").by(good).typed("")),
        ] {
            rows.push((format!("{name} at {endpoint}"), sent, 400, "invalid_request", "invalid_request"));
        }
    }
    rows
}

/// RFC 9110 §15.5.5, §15.5.6, §15.5.14, §15.5.15, RFC 6585 §5, RFC 6749 §3.2 (STANDARDS 1, 2, 24, 32): sizes, methods,
/// paths, transport.
fn out_of_bounds(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let mut rows = vec![];
    for endpoint in
        [TOKEN, INTROSPECT, REVOKE].into_iter().flat_map(|path| ["", "/staging"].map(|p| format!("{p}{path}")))
    {
        let mut row = |name: &str, sent: Sent, status, reason| {
            rows.push((format!("{name} at {endpoint}"), sent, status, "invalid_request", reason));
        };
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            row(method, post(&endpoint, "").with(method).by(good), 405, "method_not_allowed");
        }
        let body = [ASK, "&token=x&foo="].concat();
        let padded = |size: usize| format!("{body}{}", "a".repeat(size - body.len()));
        row("17 KiB", post(&endpoint, padded(17 * 1024)).by(good), 413, "invalid_request");
        row("16 KiB and a byte", post(&endpoint, padded(16 * 1024 + 1)).by(good), 413, "invalid_request");
        row("a large field", post(&endpoint, "").field("x-large", "a".repeat(17 * 1024)), 431, "head_too_large");
        let large = (0..60).fold(post(&endpoint, ""), |sent, _| sent.field("x-large", "a".repeat(300)));
        row("many large fields", large, 431, "head_too_large");
        let many = (0..90).fold(post(&endpoint, ""), |sent, _| sent.field("x-small", "a"));
        row("many fields", many, 431, "head_too_large");
        row("a long query", post(&format!("{endpoint}?{}", "a".repeat(9 * 1024)), ""), 414, "uri_too_long");
        row(
            "plain HTTP before the proxy",
            post(&endpoint, ASK).by(good).field("x-forwarded-proto", "http"),
            403,
            "tls_required",
        );
    }
    for path in ["/api/oauth/nothing", "/api/oauth/", "/api/oauth/token/", "/api/oauth/Token", "/test/api/oauth/token"]
    {
        rows.push((format!("POST {path}"), post(path, ASK).by(good), 404, "invalid_request", "not_found"));
        rows.push((format!("GET {path}"), post(path, "").with("GET"), 404, "invalid_request", "not_found"));
    }
    rows
}

both! {
    /// RFC 6749 §5.2 and all that the rows name (STANDARDS 1–5, 7, 10, 12, 14, 16–21, 24, 26–30, 32, 69, 76), SPEC §3,
    /// §11.
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
        let answers: Vec<(String, Answer)> = rows
            .iter()
            .enumerate()
            .map(|(number, (_, sent, ..))| {
                let address = format!("198.51.{}.{}", number / 250, number % 250);
                let answer = sent.send(&server, &address);
                (address, answer)
            })
            .collect();
        let mut events: HashMap<String, Vec<Value>> = HashMap::new();
        for event in server.events(&[]) {
            events.entry(event["request_id"].as_str().unwrap().to_owned()).or_default().push(event);
        }

        let mut bodies: HashMap<&str, &str> = HashMap::new();
        for ((name, sent, status, error, reason), (address, answer)) in rows.iter().zip(&answers) {
            let is_head = sent.method == "HEAD";
            assert_eq!(answer.status, *status, "{name}: {}", answer.text);
            if !is_head {
                assert_eq!(answer.body["error"], *error, "{name}: {}", answer.text);
                let names: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
                assert_eq!(names, ["error", "error_description"], "{name}");
                // RFC 6749 §5.2: its characters, and never a word of the request.
                let description = answer.body["error_description"].as_str().unwrap();
                assert!(
                    description.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                    "{name}: {description}"
                );
                assert!(!answer.text.contains(MARK), "{name} is echoed: {}", answer.text);
            }
            assert_eq!(answer.header("content-type"), "application/json", "{name}");
            assert_eq!(answer.header("cache-control"), "no-store", "{name}");
            assert_eq!(answer.header("pragma"), "no-cache", "{name}");
            let challenge = if *status == 401 { "Basic realm=\"sealwright\", charset=\"UTF-8\"" } else { "" };
            assert_eq!(answer.header("www-authenticate"), challenge, "{name}");
            assert_eq!(answer.header("allow"), if *status == 405 { "POST" } else { "" }, "{name}");
            if *error == "invalid_client" {
                let first = bodies.entry("invalid_client").or_insert(&answer.text);
                assert_eq!(*first, answer.text, "{name}: who is refused must not learn why");
            }

            let request_id = answer.header("x-request-id");
            assert!(request_id.starts_with("req_"), "{name}");
            let found = events.remove(request_id).unwrap_or_default();
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            let event = &found[0];
            assert_eq!(event["reason"], *reason, "{name}");
            let (path, _) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
            for (member, expected) in [
                ("outcome", "refused"), ("method", sent.method), ("path", path), ("address", address),
            ] {
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

        // SPEC §6, §11: no part of a secret or token in the log or the audit events; the query is in neither.
        let log = server.log();
        assert!(log.contains("request_id="), "the log is kept");
        assert!(!log.contains("panicked"));
        assert_tells_nothing_of(&secrets, "the log", &log);
        let events: String = server.events(&[]).iter().map(Value::to_string).collect();
        assert_tells_nothing_of(&secrets, "the audit log", &events);
        let texts: String = answers.iter().map(|(_, answer)| &*answer.text).collect();
        assert_tells_nothing_of(&secrets, "an answer", &texts);
        assert_eq!(server.token(&clients.good).status, 200, "nothing of this has harmed the good client");
    }

    /// RFC 6749 §5.2, SPEC §3 (STANDARDS 30): an unknown client, a wrong secret and a client that is not active take
    /// the same time, so that none can be told from another. The bound is wide; a password hash would take many times
    /// more.
    fn refusals_take_the_same_time(database) {
        let server = start(database, &[]);
        let clients = Clients::new(&server);
        let known = TestClient { secret: "wrong".into(), ..clients.good.clone() };
        let unknown = TestClient { id: "cli_00000000000000000000000000000000".into(), ..clients.good.clone() };
        let typical = |client: &TestClient| {
            let mut times: Vec<Duration> = (0..30)
                .map(|_| {
                    let started = std::time::Instant::now();
                    assert_eq!(server.token(client).status, 401);
                    started.elapsed()
                })
                .collect();
            times.sort_unstable();
            times[times.len() / 4]
        };
        let times = [&known, &unknown, &clients.disabled, &clients.revoked, &clients.staging].map(typical);
        let (fastest, slowest) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*slowest < *fastest * 4 + Duration::from_millis(5), "{times:?}");

        // Refusals that name no client are only counted beyond a hundred a minute; that must not show either.
        (0..120).for_each(|_| assert_ne!(server.token(&unknown).status, 200));
        let mut times = [vec![], vec![]];
        for _ in 0..60 {
            for (times, client) in times.iter_mut().zip([&known, &unknown]) {
                let started = std::time::Instant::now();
                assert_ne!(server.token(client).status, 200);
                times.push(started.elapsed());
            }
        }
        let [known, unknown] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} {unknown:?}");
    }

    /// SPEC §11: a body of just 16 KiB is within bounds.
    fn a_body_of_16_kib_is_taken(database) {
        let server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        let body = format!("{ASK}&foo={}", "a".repeat(16 * 1024 - ASK.len() - 5));
        assert_eq!(body.len(), 16 * 1024);
        assert_eq!(ask(body).by(&client).send(&server, "").status, 200);
    }
}

/// Sends bytes as they are, and reads all that is answered.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // Who is refused early may find the connection closed while it still sends.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// RFC 9112 §2.2, §6.1, §6.3, §7.1, §11.2 (STANDARDS 24, 32): what is not well-formed HTTP is refused on the
/// connection, nothing behind it is taken for a second request, and the server goes on.
#[test]
fn malformed_http_is_refused_and_smuggles_nothing() {
    // Where the framing breaks within a body, the connection may just end.
    const CLOSED: u16 = 0;
    let server = spawn(Database::new(Kind::Sqlite), &[("REQUEST_TIMEOUT", "1s")]);
    let client = client(&server, "orders:read", &[]);
    let authorization = basic(&client.id, &client.secret);
    let head =
        format!("POST {TOKEN} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Type: {FORM}\r\n");
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let fields = |count: usize| (0..count).map(|n| format!("x-{n}: a\r\n")).collect::<Vec<_>>().concat();
    let table: Vec<(&str, String, &[u16])> = vec![
        ("no HTTP", "garbage\r\n\r\n".into(), &[400]),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\r\n\r\n".into(), &[400]),
        ("another version", format!("GET {TOKEN} HTTP/9.9\r\n\r\n"), &[400]),
        ("a space in the path", format!("GET {TOKEN} x HTTP/1.1\r\n\r\n"), &[400]),
        ("a length that is no number", format!("{head}Content-Length: abc\r\n\r\n"), &[400]),
        ("a negative length", format!("{head}Content-Length: -1\r\n\r\n"), &[400]),
        ("a length with a sign", format!("{head}Content-Length: +5\r\n\r\n{ASK}{smuggled}"), &[400]),
        ("a length beyond 64 bits", format!("{head}Content-Length: 99999999999999999999\r\n\r\n"), &[400]),
        ("two lengths", format!("{head}Content-Length: 29\r\nContent-Length: 5\r\n\r\n{ASK}{smuggled}"), &[400]),
        (
            "length and chunks",
            format!("{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
            &[400],
        ),
        ("an unknown coding", format!("{head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"), &[400]),
        ("chunks twice", format!("{head}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n{smuggled}"), &[400]),
        (
            "a chunk size that is none",
            format!("{head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{smuggled}"),
            &[400, CLOSED],
        ),
        (
            "a chunk size beyond 64 bits",
            format!("{head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
            &[400, CLOSED],
        ),
        ("a space before the colon", format!("{head}X : y\r\n\r\n"), &[400]),
        ("a zero byte in a field", format!("{head}X: a\0b\r\n\r\n"), &[400]),
        ("a field without name", format!("{head}: b\r\n\r\n"), &[400]),
        ("a hundred fields", format!("{head}{}\r\n", fields(100)), &[431]),
        ("two hundred fields", format!("{head}{}\r\n", fields(200)), &[431]),
        ("a head of 200 KiB", format!("{head}X: {}\r\n\r\n", "a".repeat(200 * 1024)), &[431]),
        ("a body that does not come", format!("{head}Content-Length: 100\r\n\r\n{ASK}"), &[400, 408]),
    ];
    for (name, sent, statuses) in table {
        let answer = raw(&server, sent.as_bytes());
        let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(CLOSED);
        assert!(statuses.contains(&status), "{name}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), usize::from(status != CLOSED), "{name}: {answer}");
        assert!(!answer.contains("<html"), "{name}: {answer}");
        assert!(!answer.contains("access_token"), "{name}: {answer}");
    }
    assert_eq!(server.token(&client).status, 200);
    assert!(!server.log().contains("panicked"));
}

/// RFC 9110 §15.5.9, SPEC §11: a body that comes too slowly is given up, with an answer and an audit event.
#[test]
fn a_body_that_comes_too_slowly_is_given_up() {
    let server = start(Database::new(Kind::Sqlite), &[("REQUEST_TIMEOUT", "1s")]);
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = format!("POST {TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {FORM}\r\n");
    stream.write_all(format!("{head}Content-Length: 100\r\n\r\ngrant_").as_bytes()).unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let (_, id) = answer.split_once("x-request-id: ").unwrap();
    let events = server.events(&["--request-id", id.split('\r').next().unwrap()]);
    assert_eq!((&events[0]["reason"], &events[0]["status"]), (&"invalid_request".into(), &408.into()));
}
