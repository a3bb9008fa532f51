//! nginx, Caddy and Apache, with the configurations of `examples/gateways`, in front of the example API: what callers
//! see, and what reaches the API. Each test runs with each of them.

mod callers;
mod identity;
mod outage;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::programs::{self, first_line};
use crate::support::{Database, Kind, Response, Server, eventually, free_port, holds_within, run};

/// How a gateway is started: in a folder of its own, to listen on a port, in front of Sealwright and of the API.
type Start = fn(&Path, u16, &str, &str) -> Command;

fn nginx(folder: &Path, port: u16, sealwright: &str, api: &str) -> Command {
    copy("nginx/nginx.conf", folder, &[]);
    let changes = [
        ("    listen 127.0.0.1:8000;", format!("    listen 127.0.0.1:{port};")),
        ("    server 127.0.0.1:8080;", format!("    server {sealwright};")),
        ("    server 127.0.0.1:9000;", format!("    server {api};")),
    ];
    copy("nginx/sealwright.conf", folder, &changes);
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

fn apache(folder: &Path, port: u16, sealwright: &str, api: &str) -> Command {
    let (host, own_port) = sealwright.split_once(':').unwrap();
    copy("apache/httpd.conf", folder, &[("Listen 127.0.0.1:8000", format!("Listen 127.0.0.1:{port}"))]);
    let changes = [
        ("<VirtualHost 127.0.0.1:8000>", format!("<VirtualHost 127.0.0.1:{port}>")),
        ("\"http://127.0.0.1:9000/\"", format!("\"http://{api}/\"")),
    ];
    copy("apache/sealwright.conf", folder, &changes);
    let here = format!("local HOST, PORT = \"{host}\", {own_port}");
    copy("apache/sealwright.lua", folder, &[("local HOST, PORT = \"127.0.0.1\", 8080", here)]);
    let mut command = programs::apache(folder, &folder.join("httpd.conf"));
    command.env("GATEWAY", folder);
    command
}

/// Copies a file of an example into `folder`, with these texts replaced, each of which it has once.
fn copy(file: &str, folder: &Path, changes: &[(&str, String)]) {
    let source = examples().join(file);
    let mut text = std::fs::read_to_string(&source).unwrap();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
        text = text.replace(from, to);
    }
    std::fs::write(folder.join(source.file_name().unwrap()), text).unwrap();
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateways")
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
        eventually("the gateway listens", Duration::from_secs(60), || {
            let is_running = gateway.child.try_wait().unwrap().is_none();
            assert!(is_running, "{command:?} did not start:\n{}", std::fs::read_to_string(&log).unwrap());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        gateway
    }

    /// Calls it with curl.
    fn get(&self, path: &str, arguments: &[&str]) -> Response {
        curl(&format!("{}{path}", self.url), arguments)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to end, but not when it is killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        holds_within(Duration::from_secs(10), || !matches!(self.child.try_wait(), Ok(None)));
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
        let settings = [("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#)];
        let server = Server::start_with(Database::new(Kind::Sqlite), &settings);
        let api = Api::start();
        let gateway = Gateway::start(gateway, server.url.strip_prefix("http://").unwrap(), &api.address);
        Self { server, gateway, api }
    }

    /// Makes a key with the options of `key create`; its limits are the ones that keys have by default.
    fn key(&self, scope: &str, options: &[&str]) -> TestKey {
        let key = self.server.key_with_default_limits(scope, options);
        TestKey { id: key.id, field: format!("X-API-Key: {}", key.key) }
    }

    fn orders_key(&self) -> TestKey {
        self.key("orders:read", &[])
    }

    fn get(&self, path: &str, key: &TestKey, arguments: &[&str]) -> Response {
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

/// Runs curl, which must get a response.
fn curl(url: &str, arguments: &[&str]) -> Response {
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
        return Response { status, headers, text: text.to_owned(), body };
    }
}

/// The header fields that the API received, with their names in lower case.
fn received(response: &Response) -> Vec<(String, String)> {
    let fields = response.body["headers"].as_array().unwrap_or_else(|| panic!("not the API: {}", response.text));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields.iter().map(|field| (text(&field[0]).to_lowercase(), text(&field[1]))).collect()
}

/// The only value of a field that the API received, or an empty text.
fn received_field(response: &Response, name: &str) -> String {
    let mut values = received(response).into_iter().filter(|field| field.0 == name).map(|field| field.1);
    let value = values.next().unwrap_or_default();
    assert_eq!(values.next(), None, "{name} came twice");
    value
}

/// Everything that the API could take for an identity, in whatever spelling.
fn identity(response: &Response) -> Vec<(String, String)> {
    let is_identity = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "").starts_with("xauth");
    let mut fields: Vec<_> = received(response).into_iter().filter(|field| is_identity(&field.0)).collect();
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
fn assert_refused(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{}", response.text);
    assert_eq!(response.body["status"], status, "{}", response.text);
    assert_eq!(response.header("Content-Type"), "application/problem+json");
    assert_eq!(response.header("Cache-Control"), "no-store");
    for name in ["WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "Cache-Control"] {
        assert!(response.headers.get_all(name).iter().count() <= 1, "{name}: {:?}", response.headers);
    }
}

fn seconds(response: &Response) -> u64 {
    response.header("Retry-After").parse().unwrap_or_else(|_| panic!("no Retry-After: {:?}", response.headers))
}

macro_rules! for_each_gateway {
    ($($test:ident)*) => {$(
        mod $test {
            #[test]
            fn nginx() {
                super::$test(crate::gateways::nginx);
            }

            #[test]
            fn caddy() {
                super::$test(crate::gateways::caddy);
            }

            #[test]
            fn apache() {
                super::$test(crate::gateways::apache);
            }
        }
    )*};
}
use for_each_gateway;
