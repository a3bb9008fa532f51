//! nginx and Caddy, with the configurations of `examples/gateways`, in front of the example API: what callers see, and
//! what reaches the API. Each test runs with both.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::programs::{self, first_line};
use crate::support::raw::{answer, read_head};
use crate::support::{Answer, Database, Kind, Server, run};

/// How a gateway is started: in a folder of its own, to listen on a port, in front of Sealwright and of the API.
type Start = fn(&Path, u16, &str, &str) -> Command;

fn nginx(folder: &Path, port: u16, sealwright: &str, api: &str) -> Command {
    let source = examples().join("nginx");
    std::fs::copy(source.join("nginx.conf"), folder.join("nginx.conf")).unwrap();
    let mut config = std::fs::read_to_string(source.join("sealwright.conf")).unwrap();
    for (line, address) in [
        ("    listen 127.0.0.1:8000;", format!("    listen 127.0.0.1:{port};")),
        ("    server 127.0.0.1:8080;", format!("    server {sealwright};")),
        ("    server 127.0.0.1:9000;", format!("    server {api};")),
    ] {
        assert_eq!(config.matches(line).count(), 1, "{line}");
        config = config.replace(line, &address);
    }
    std::fs::write(folder.join("sealwright.conf"), config).unwrap();
    let mut command = Command::new("nginx");
    // Debian has it where only root looks for programs.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap()));
    // Where the tests run as root, its workers must be able to write into the folder.
    command.args(["-e", "stderr", "-g", "daemon off; user root;", "-c"]).arg(folder.join("nginx.conf"));
    command.arg("-p").arg(folder);
    command
}

fn caddy(folder: &Path, port: u16, sealwright: &str, api: &str) -> Command {
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(examples().join("caddy/Caddyfile"));
    command
        .env("GATEWAY_SITE", format!("http://:{port}"))
        .env("GATEWAY_SEALWRIGHT", sealwright)
        .env("GATEWAY_API", api);
    command.env("CADDY_ADMIN", "off").env("HOME", folder);
    command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    command
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateways")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A gateway that runs, ended when dropped.
struct Gateway {
    url: String,
    child: Child,
    _folder: TempDir,
}

impl Gateway {
    fn start(start: Start, sealwright: &str, api: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let log = folder.path().join("log");
        let mut command = start(folder.path(), port, sealwright, api);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(&log).unwrap());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut gateway = Self { url: format!("http://127.0.0.1:{port}"), child, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let is_running = gateway.child.try_wait().unwrap().is_none() && Instant::now() < deadline;
            assert!(is_running, "{command:?} did not start:\n{}", std::fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        gateway
    }

    /// Calls it with curl.
    fn get(&self, path: &str, arguments: &[&str]) -> Answer {
        curl(&format!("{}{path}", self.url), arguments)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to end, but not when it is killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example API, ended when dropped.
struct Api {
    address: String,
    child: Child,
}

impl Api {
    fn start() -> Self {
        let mut command = programs::python("examples/gateways/api.py");
        let mut child = command.env("PORT", "0").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let line = first_line(&mut child).unwrap_or_default();
        let address = line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("{command:?}: {line}"));
        Self { address: address.to_owned(), child }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sealwright, a gateway that it trusts, and the API behind it.
struct Site {
    server: Server,
    gateway: Gateway,
    api: Api,
}

impl Site {
    fn start(gateway: Start) -> Self {
        let settings = [("SIGNING_ALGORITHMS", r#"["ES256"]"#), ("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#)];
        let server = Server::start_with(Database::new(Kind::Sqlite), &settings);
        let api = Api::start();
        let gateway = Gateway::start(gateway, server.url.strip_prefix("http://").unwrap(), &api.address);
        Self { server, gateway, api }
    }

    /// Makes a key with the options of `key create`.
    fn key(&self, options: &[&str]) -> TestKey {
        let made = self.server.cli(&[&["key", "create", "--name", "test"], options].concat());
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        TestKey { id: text("id"), field: format!("X-API-Key: {}", text("key")) }
    }

    fn orders_key(&self) -> TestKey {
        self.key(&["--scope", "orders:read", "--environment", "production"])
    }

    fn get(&self, path: &str, key: &TestKey, arguments: &[&str]) -> Answer {
        self.gateway.get(path, &[&["-H", &key.field], arguments].concat())
    }

    /// The one event of a request.
    fn event(&self, request_id: &str) -> Value {
        let mut events = self.server.events(&["--request-id", request_id]);
        assert_eq!(events.len(), 1, "{request_id}: {events:?}");
        events.remove(0)
    }
}

struct TestKey {
    id: String,
    /// The header field that carries it.
    field: String,
}

/// Runs curl, which must get an answer.
fn curl(url: &str, arguments: &[&str]) -> Answer {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--include", "--path-as-is", "--max-time", "30", "--noproxy", "*"]);
    let output = run(command.args(arguments).arg(url));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let all = String::from_utf8(output.stdout).unwrap();
    let mut rest = all.as_str();
    loop {
        let (head, text) = rest.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        if status == 100 {
            rest = text;
            continue;
        }
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in lines.map(|line| line.split_once(':').unwrap()) {
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
        let body = serde_json::from_str(text).unwrap_or(Value::Null);
        return Answer { status, headers, text: text.to_owned(), body };
    }
}

/// The header fields that the API received, with their names in lower case.
fn received(answer: &Answer) -> Vec<(String, String)> {
    let fields = answer.body["headers"].as_array().unwrap_or_else(|| panic!("not the API: {}", answer.text));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields.iter().map(|field| (text(&field[0]).to_lowercase(), text(&field[1]))).collect()
}

/// The only value of a field that the API received, or an empty text.
fn received_field(answer: &Answer, name: &str) -> String {
    let mut values = received(answer).into_iter().filter(|field| field.0 == name).map(|field| field.1);
    let value = values.next().unwrap_or_default();
    assert_eq!(values.next(), None, "{name} came twice");
    value
}

/// Everything that the API could take for an identity, in whatever spelling.
fn identity(answer: &Answer) -> Vec<(String, String)> {
    let is_identity = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "").starts_with("xauth");
    let mut fields: Vec<_> = received(answer).into_iter().filter(|field| is_identity(&field.0)).collect();
    fields.sort();
    fields
}

/// What a credential without an owner and a customer is to the API.
fn identity_of(credential: &str, kind: &str, scopes: &str) -> Vec<(String, String)> {
    [
        ("x-auth-credential", credential),
        ("x-auth-customer", ""),
        ("x-auth-environment", "production"),
        ("x-auth-scopes", scopes),
        ("x-auth-subject", credential),
        ("x-auth-type", kind),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A refusal as callers must see it: every field once, a problem that repeats the status.
fn assert_refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.body["status"], status, "{}", answer.text);
    assert_eq!(answer.header("Content-Type"), "application/problem+json");
    assert_eq!(answer.header("Cache-Control"), "no-store");
    for name in ["WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "Cache-Control"] {
        assert!(answer.headers.get_all(name).iter().count() <= 1, "{name}: {:?}", answer.headers);
    }
}

fn seconds(answer: &Answer) -> u64 {
    answer.header("Retry-After").parse().unwrap_or_else(|_| panic!("no Retry-After: {:?}", answer.headers))
}

fn a_key_and_a_token_reach_the_api_as_an_identity(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.orders_key();
    let client = site.server.client_with("orders:*", &["--rate-per-minute", "1000"]);
    let token = site.server.token(&client).body["access_token"].as_str().unwrap().to_owned();
    let bearer = |credential: &str| format!("Authorization: Bearer {credential}");
    let key_as_bearer = bearer(key.field.trim_start_matches("X-API-Key: "));
    for (field, identity_there) in [
        (&key.field, identity_of(&key.id, "api_key", "orders:read")),
        (&key_as_bearer, identity_of(&key.id, "api_key", "orders:read")),
        (&bearer(&token), identity_of(&client.id, "token", "orders:*")),
    ] {
        for path in ["/orders", "/orders/1?of=..//%2f"] {
            let answer = site.gateway.get(path, &["-H", field]);
            assert_eq!(answer.status, 200, "{field}: {}", answer.text);
            assert_eq!(answer.body["path"], path);
            assert_eq!(identity(&answer), identity_there);
            assert!(answer.header("RateLimit").contains(";r="), "{:?}", answer.headers);
            assert!(answer.header("RateLimit-Policy").contains(";q="), "{:?}", answer.headers);
            // A gateway that has nothing to say of limits says nothing.
            assert!(!answer.header("RateLimit").contains('{'), "{:?}", answer.headers);
            // The API can name the event that let its caller in.
            let event = site.event(&received_field(&answer, "x-request-id"));
            assert_eq!((&event["outcome"], &event["path"]), (&"success".into(), &path.split('?').next().into()));
            // The credential itself is not the API's business.
            for (name, value) in received(&answer) {
                assert!(!["x-api-key", "authorization"].contains(&name.as_str()), "{name}: {value}");
                assert!(!field.contains(value.as_str()) || value.len() < 20, "{name}: {value}");
            }
        }
    }
}

fn without_limits_nothing_is_said_of_them(gateway: Start) {
    let site = Site::start(gateway);
    let unlimited = ["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"];
    let key = site.key(&[&["--scope", "orders:read"][..], &unlimited].concat());
    let answer = site.get("/orders", &key, &[]);
    assert_eq!((answer.status, answer.header("RateLimit"), answer.header("RateLimit-Policy")), (200, "", ""));
}

fn a_customer_reaches_the_api(gateway: Start) {
    let site = Site::start(gateway);
    let customer = site.server.cli(&["customer", "create", "--external-id", "acme", "--name", "ACME"]);
    let customer = customer["id"].as_str().unwrap();
    let key = site.key(&["--scope", "orders:read", "--environment", "production", "--customer", customer]);
    let answer = site.get("/orders", &key, &["-H", "X-Auth-Customer: cus_of_others"]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(received_field(&answer, "x-auth-customer"), customer);
}

fn each_method_needs_its_scope(gateway: Start) {
    let site = Site::start(gateway);
    let key = |scope: &str| site.key(&["--scope", scope, "--environment", "production"]);
    let (reading, writing, deleting) = (key("orders:read"), key("orders:write"), key("orders:delete"));
    let body = "x".repeat(100_000);
    let with_body = ["--data", body.as_str()];
    let methods: [(&[&str], &TestKey, &str); 6] = [
        (&[], &reading, "orders:read"),
        (&["-X", "OPTIONS"], &reading, "orders:read"),
        (&with_body, &writing, "orders:write"),
        (&["-X", "PUT", "--data", "x"], &writing, "orders:write"),
        (&["-X", "PATCH", "-H", "Transfer-Encoding: chunked", "--data", "x"], &writing, "orders:write"),
        (&["-X", "DELETE"], &deleting, "orders:delete"),
    ];
    for (arguments, key, scope) in methods {
        let answer = site.get("/orders", key, arguments);
        assert_eq!(answer.status, 200, "{scope}: {}", answer.text);
        let length =
            arguments.iter().position(|argument| *argument == "--data").map_or(0, |at| arguments[at + 1].len());
        assert_eq!(answer.body["body_bytes"], length, "{scope}");
        for other in [&reading, &writing, &deleting].into_iter().filter(|other| other.id != key.id) {
            let answer = site.get("/orders", other, arguments);
            assert_refused(&answer, 403);
            let challenge = answer.header("WWW-Authenticate");
            assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
            assert!(challenge.contains(&format!(r#"scope="{scope}""#)), "{challenge}");
        }
    }
    let head = site.get("/orders", &reading, &["--head"]);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_refused(&site.get("/invoices", &reading, &[]), 403);
    assert_eq!(site.get("/invoices/1", &key("invoices:read"), &[]).status, 200);
}

fn who_is_not_known_is_refused_with_a_challenge(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.orders_key();
    let staging = site.key(&["--scope", "orders:read", "--environment", "staging"]);
    let twice: [&str; 4] = ["-H", &key.field, "-H", &format!("Authorization: Bearer {}", &key.field[11..])];
    let wrong = format!("{}x", key.field);
    let callers: [(&str, &[&str]); 7] = [
        ("nothing", &[]),
        ("a wrong key", &["-H", &wrong]),
        ("a key of staging", &["-H", &staging.field]),
        ("no JWT", &["-H", "Authorization: Bearer a.b.c"]),
        ("Basic", &["-u", "cli_1:secret"]),
        ("two credentials", &twice),
        ("an identity of its own", &["-H", "X-Auth-Credential: key_1", "-H", "X-Auth-Subject: key_1"]),
    ];
    for (name, arguments) in callers {
        for more in [&[][..], &["--data", "x"]] {
            let answer = site.gateway.get("/orders", &[arguments, more].concat());
            assert_refused(&answer, 401);
            assert!(answer.header("WWW-Authenticate").starts_with("Bearer"), "{name}: {:?}", answer.headers);
            assert_eq!(site.event(answer.header("X-Request-Id"))["status"], 401, "{name}");
        }
    }
    assert_eq!(site.get("/orders", &key, &[]).status, 200);
}

fn a_caller_over_its_limit_is_told_when_to_come_again(gateway: Start) {
    let site = Site::start(gateway);
    let limits = ["--rate-per-minute", "3", "--burst-per-second", "unlimited"];
    let key = site.key(&[&["--scope", "orders:read", "--environment", "production"][..], &limits].concat());
    for _ in 0..3 {
        assert_eq!(site.get("/orders", &key, &[]).status, 200);
    }
    let answer = site.get("/orders", &key, &[]);
    assert_refused(&answer, 429);
    assert!((1..=20).contains(&seconds(&answer)), "{:?}", answer.headers);
    assert!(answer.header("RateLimit").contains(";r=0"), "{:?}", answer.headers);
    assert!(answer.header("RateLimit-Policy").contains(";q=3"), "{:?}", answer.headers);
    assert_eq!(site.event(answer.header("X-Request-Id"))["credential"], key.id.as_str());
    assert_eq!(site.get("/orders", &site.orders_key(), &[]).status, 200, "another caller");
}

fn a_revoked_key_is_refused_at_once(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.orders_key();
    assert_eq!(site.get("/orders", &key, &[]).status, 200);
    site.server.cli(&["key", "revoke", &key.id]);
    // What a command changes reaches a running server within a second.
    std::thread::sleep(Duration::from_secs(1));
    assert_refused(&site.get("/orders", &key, &[]), 401);
}

const FIELDS: [&str; 6] = ["Subject", "Credential", "Type", "Scopes", "Customer", "Environment"];

/// What a caller could send to pass for somebody else.
fn forgeries() -> Vec<(&'static str, Vec<String>)> {
    let each = |form: &dyn Fn(&str) -> Vec<String>| FIELDS.iter().flat_map(|name| form(name)).collect::<Vec<_>>();
    let names = FIELDS.map(|name| format!("X-Auth-{name}")).join(", ");
    vec![
        ("as they are", each(&|name| vec![format!("X-Auth-{name}: evil")])),
        (
            "lower and upper case",
            each(&|name| {
                let field = format!("X-Auth-{name}: evil");
                vec![field.to_lowercase(), field.to_uppercase()]
            }),
        ),
        ("thrice", each(&|name| vec![format!("X-Auth-{name}: evil"); 3])),
        ("empty", each(&|name| vec![format!("X-Auth-{name};")])),
        ("several values", each(&|name| vec![format!("X-Auth-{name}: evil, worse")])),
        (
            "underscores",
            each(&|name| {
                ["X_Auth_", "X-Auth_", "X_Auth-", "x_auth_", "X_AUTH_"]
                    .map(|start| format!("{start}{name}: evil"))
                    .into()
            }),
        ),
        ("named in Connection", vec![format!("Connection: {names}")]),
        ("named in Connection in lower case, and sent", {
            let mut fields = each(&|name| vec![format!("X-Auth-{name}: evil")]);
            fields.push(format!("Connection: close, {}", names.to_lowercase()));
            fields
        }),
        ("named in several Connection fields", each(&|name| vec![format!("Connection: X-Auth-{name}")])),
        (
            "named in Connection with an upgrade",
            vec![format!("Connection: Upgrade, {names}"), "Upgrade: websocket".to_owned()],
        ),
        (
            "named in other fields",
            vec![
                format!("Keep-Alive: {names}"),
                format!("Proxy-Connection: {names}"),
                format!("TE: {names}"),
                format!("Trailer: {names}"),
            ],
        ),
        ("twins in Connection", {
            let mut fields = each(&|name| vec![format!("X_Auth_{name}: evil")]);
            fields.push(format!("Connection: {names}, {}", names.replace('-', "_")));
            fields
        }),
    ]
}

fn as_arguments(fields: &[String]) -> Vec<&str> {
    fields.iter().flat_map(|field| ["-H", field.as_str()]).collect()
}

fn a_forged_identity_never_reaches_the_api(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.key(&["--scope", "orders:read", "--environment", "production", "--burst-per-second", "unlimited"]);
    for (name, fields) in forgeries() {
        let arguments = as_arguments(&fields);
        let answer = site.get("/orders", &key, &arguments);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        assert_eq!(identity(&answer), identity_of(&key.id, "api_key", "orders:read"), "{name}");
        for (field, value) in received(&answer) {
            assert!(!value.contains("evil"), "{name}: {field}: {value}");
        }
        assert_refused(&site.gateway.get("/orders", &arguments), 401);

        // Where nobody is asked, nobody is named.
        let open = site.gateway.get("/status", &arguments);
        assert_eq!(open.status, 200, "{name}: {}", open.text);
        assert!(identity(&open).iter().all(|field| field.1.is_empty()), "{name}: {}", open.text);
    }
}

fn what_a_caller_says_of_its_request_counts_for_nothing(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.key(&["--scope", "orders:read", "--environment", "production", "--allow-ip", "127.0.0.1"]);
    let elsewhere = site.key(&["--scope", "orders:read", "--environment", "production", "--allow-ip", "192.0.2.1"]);
    let fields: Vec<String> = [
        ("For", "192.0.2.1"),
        ("Method", "DELETE"),
        ("Uri", "/admin"),
        ("Proto", "gopher"),
        ("Host", "evil.example"),
        ("Prefix", "/admin"),
        ("Port", "1"),
    ]
    .into_iter()
    .flat_map(|(name, value)| {
        ["X-Forwarded-", "X-Original-", "X_Forwarded_"].map(|start| format!("{start}{name}: {value}"))
    })
    .chain(["X-Original-URI: /admin", "X-Real-IP: 192.0.2.1", "X-Request-Id: req_evil"].map(str::to_owned))
    .chain(["Forwarded: for=192.0.2.1;host=evil.example", "Cookie: sealwright=evil"].map(str::to_owned))
    .chain(["Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Uri, X-Forwarded-Method".to_owned()])
    .collect();
    let mut arguments = as_arguments(&fields);
    arguments.extend(["-A", "caller/1.0"]);

    let answer = site.get("/orders/1", &key, &arguments);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let event = site.event(&received_field(&answer, "x-request-id"));
    for (name, value) in
        [("address", "127.0.0.1"), ("method", "GET"), ("path", "/orders/1"), ("user_agent", "caller/1.0")]
    {
        assert_eq!(event[name], value, "{name}: {event}");
    }
    for (name, value) in received(&answer) {
        let is_told = ["192.0.2.1", "evil.example", "/admin", "gopher"].iter().any(|word| value.contains(word));
        assert!(!is_told, "{name}: {value}");
    }
    assert_refused(&site.get("/orders", &elsewhere, &arguments), 403);
}

fn paths_that_could_be_read_in_two_ways_are_refused(gateway: Start) {
    let site = Site::start(gateway);
    let key = site.key(&["--scope", "orders:read", "--environment", "production", "--burst-per-second", "unlimited"]);
    for path in [
        "/status/../orders",
        "/orders/../status",
        "/orders/..",
        "/orders/.",
        "/orders/./1",
        "/orders/%2e%2e/status",
        "/orders/.%2E/status",
        "/orders/..%2fstatus",
        "/orders%2F..%2Fstatus",
        "/orders/..;/status",
        "/orders/..\\status",
        "/orders/%5c..%5cstatus",
        "/orders/%252e%252e/status",
        "//orders",
        "/orders//1",
        "/orders/%00",
    ] {
        let answer = site.get(path, &key, &[]);
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        assert!(answer.body["headers"].is_null(), "{path} reached the API");
    }
    // What no route names does not exist, whoever asks.
    for path in ["/", "/ordersx", "/orders;x", "/status/1", "/.sealwright/orders:read", "/.sealwright/"] {
        assert_eq!(site.get(path, &key, &[]).status, 404, "{path}");
    }
    for path in ["/orders/a..b", "/orders/.hidden", "/orders/%C3%A4?back=../..", "/orders/1?q=//"] {
        assert_eq!(site.get(path, &key, &[]).status, 200, "{path}");
    }
}

fn while_sealwright_is_down_nobody_passes(gateway: Start) {
    let mut site = Site::start(gateway);
    let key = site.orders_key();
    assert_eq!(site.get("/orders", &key, &[]).status, 200);
    site.server.kill();
    for arguments in [&[][..], &["--data", "x"], &["-H", "X-Auth-Credential: key_1"]] {
        let answer = site.get("/orders", &key, arguments);
        assert_refused(&answer, 503);
        assert!(seconds(&answer) > 0);
    }
    assert_eq!(site.gateway.get("/status", &[]).status, 200, "it needs nobody's word");
    site.server.restart();
    let deadline = Instant::now() + Duration::from_secs(30);
    while site.get("/orders", &key, &[]).status != 200 {
        assert!(Instant::now() < deadline, "it never asked again");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn an_api_that_is_down_is_not_a_refusal(gateway: Start) {
    let mut site = Site::start(gateway);
    let key = site.orders_key();
    site.api.child.kill().unwrap();
    site.api.child.wait().unwrap();
    let answer = site.get("/orders", &key, &[]);
    assert_eq!((answer.status, answer.header("Retry-After")), (502, ""), "{}", answer.text);
    assert_eq!(site.gateway.get("/status", &[]).status, 502);
}

/// Something on Sealwright's port that answers by what the key says: the number of one of these answers.
struct Pretender {
    address: String,
    /// Every request, with what came after its head.
    requests: Arc<Mutex<Vec<String>>>,
}

const IDENTITY: &str = "X-Auth-Subject: usr_1\r\nX-Auth-Credential: key_1\r\nX-Auth-Type: api_key\r\n\
    X-Auth-Scopes: orders:read\r\nX-Auth-Customer: \r\nX-Auth-Environment: production\r\nX-Request-Id: req_1";

impl Pretender {
    fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (mut connection, answers, kept) = (connection.unwrap(), answers.clone(), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let Some(head) = read_head(&mut connection) else { return };
                    connection.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                    let mut rest = Vec::new();
                    let _ = connection.read_to_end(&mut rest);
                    let request = head + &String::from_utf8_lossy(&rest);
                    let number: usize = field_of(&request, "x-api-key").parse().unwrap();
                    kept.lock().unwrap().push(request);
                    match answers[number].as_str() {
                        "hang" => std::thread::sleep(Duration::from_secs(20)),
                        "close" => {}
                        head => answer(&mut connection, head, "{}"),
                    }
                });
            }
        });
        Self { address, requests }
    }
}

/// The value of a field in a request's head.
fn field_of<'a>(request: &'a str, name: &str) -> &'a str {
    let fields = request.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1.trim()).next().unwrap_or_default()
}

fn only_a_200_that_names_a_credential_lets_anybody_pass(gateway: Start) {
    let named = |status: &str| format!("{status}\r\n{IDENTITY}");
    let cases: Vec<(String, u16)> = vec![
        (named("200 OK"), 200),
        (named("201 Created"), 503),
        (named("202 Accepted"), 503),
        (named("204 No Content"), 503),
        (named("206 Partial Content"), 503),
        ("200 OK".to_owned(), 503),
        (named("200 OK").replace("key_1", ""), 503),
        (named("200 OK").replace("key_1", "anonymous"), 503),
        (named("302 Found\r\nLocation: http://127.0.0.1/"), 503),
        (named("304 Not Modified"), 503),
        (named("400 Bad Request"), 503),
        (named("404 Not Found"), 503),
        (named("407 Proxy Authentication Required"), 503),
        (named("500 Internal Server Error"), 503),
        (named("502 Bad Gateway"), 503),
        (named("nonsense"), 503),
        ("close".to_owned(), 503),
        ("hang".to_owned(), 503),
        (named("401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"it\""), 401),
        (named("403 Forbidden\r\nWWW-Authenticate: Bearer error=\"insufficient_scope\""), 403),
        (named("429 Too Many Requests\r\nRetry-After: 7"), 429),
        (named("503 Service Unavailable\r\nRetry-After: 9"), 503),
    ];
    let api = Api::start();
    let pretender = Pretender::start(cases.iter().map(|case| case.0.clone()).collect());
    let gateway = Gateway::start(gateway, &pretender.address, &api.address);
    for (number, (said, status)) in cases.iter().enumerate() {
        let key = format!("X-API-Key: {number}");
        let answer = gateway.get("/orders", &["-H", &key, "-H", "X-Auth-Credential: key_evil"]);
        assert_eq!(answer.status, *status, "{said}: {}", answer.text);
        assert_eq!(answer.body["headers"].is_array(), *status == 200, "{said}: {}", answer.text);
        assert!(answer.headers.get("Location").is_none(), "{said}");
        let retry_after = field_of(said, "Retry-After");
        if !retry_after.is_empty() {
            assert_eq!(answer.header("Retry-After"), retry_after, "{said}");
        } else if *status == 503 {
            assert!(seconds(&answer) > 0, "{said}");
        }
        if [401, 403].contains(status) {
            assert_eq!(answer.header("WWW-Authenticate"), field_of(said, "WWW-Authenticate"), "{said}");
            assert_eq!(answer.header("X-Request-Id"), "req_1", "{said}");
        }
    }
}

fn sealwright_gets_the_question_and_no_body(gateway: Start) {
    let (api, pretender) = (Api::start(), Pretender::start(vec![format!("200 OK\r\n{IDENTITY}")]));
    let gateway = Gateway::start(gateway, &pretender.address, &api.address);
    let body = "order".repeat(20_000);
    for more in [&[][..], &["-H", "Transfer-Encoding: chunked"], &["-H", "Expect: 100-continue"]] {
        let arguments = ["-X", "PUT", "-H", "X-API-Key: 0", "-H", "Cookie: session=1", "--data", &body];
        let answer = gateway.get("/orders/1?a=b", &[&arguments[..], more].concat());
        assert_eq!((answer.status, &answer.body["body_bytes"]), (200, &body.len().into()), "{}", answer.text);
        let request = pretender.requests.lock().unwrap().pop().unwrap();
        let line = "GET /api/v1/forward-auth?environment=production&scope=orders:write HTTP/1.1\r\n";
        assert!(request.starts_with(line), "{request}");
        assert!(request.ends_with("\r\n\r\n"), "nothing after its head: {request}");
        for (name, value) in [
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Method", "PUT"),
            ("X-Forwarded-Uri", "/orders/1?a=b"),
            ("Content-Length", ""),
            ("Transfer-Encoding", ""),
            ("Expect", ""),
            ("Cookie", ""),
        ] {
            assert_eq!(field_of(&request, name), value, "{name}: {request}");
        }
    }
}

macro_rules! for_each_gateway {
    ($($test:ident)*) => {$(
        mod $test {
            #[test]
            fn nginx() {
                super::$test(super::nginx);
            }

            #[test]
            fn caddy() {
                super::$test(super::caddy);
            }
        }
    )*};
}
for_each_gateway! {
    a_key_and_a_token_reach_the_api_as_an_identity
    without_limits_nothing_is_said_of_them
    a_customer_reaches_the_api
    each_method_needs_its_scope
    who_is_not_known_is_refused_with_a_challenge
    a_caller_over_its_limit_is_told_when_to_come_again
    a_revoked_key_is_refused_at_once
    a_forged_identity_never_reaches_the_api
    what_a_caller_says_of_its_request_counts_for_nothing
    paths_that_could_be_read_in_two_ways_are_refused
    while_sealwright_is_down_nobody_passes
    an_api_that_is_down_is_not_a_refusal
    only_a_200_that_names_a_credential_lets_anybody_pass
    sealwright_gets_the_question_and_no_body
}

/// The last defence of an API that can be reached past its gateway.
#[test]
fn the_example_api_serves_nobody_who_is_not_named() {
    let api = Api::start();
    let ask = |path: &str, arguments: &[&str]| curl(&format!("http://{}{path}", api.address), arguments).status;
    assert_eq!(ask("/orders", &[]), 500);
    assert_eq!(ask("/orders", &["-H", "X-Auth-Credential;"]), 500);
    assert_eq!(ask("/orders", &["-H", "X-Auth-Credential: key_1", "-H", "x-auth-credential: key_2"]), 500);
    assert_eq!(ask("/orders", &["-H", "X-Auth-Credential: key_1"]), 200);
    assert_eq!(ask("/status", &[]), 200);
}
