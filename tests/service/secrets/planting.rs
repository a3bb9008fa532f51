//! Where secrets are planted.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::hunt::Hunt;
use super::operations::{self, Operation};
use crate::support::raw::Connection;

/// Fields of the head that take any text.
const FIELDS: [&str; 14] = [
    "user-agent",
    "referer",
    "cookie",
    "accept",
    "origin",
    "idempotency-key",
    "x-request-id",
    "x-correlation-id",
    "x-forwarded-uri",
    "x-original-method",
    "x-real-ip",
    "forwarded",
    "x-api-key",
    "x-custom",
];

/// Parameters of forms, of which each endpoint knows some.
const PARAMETERS: [&str; 11] = [
    "grant_type",
    "client_id",
    "client_secret",
    "scope",
    "resource",
    "audience",
    "token",
    "token_type_hint",
    "client_assertion",
    "client_assertion_type",
    "unknown",
];

/// Commands, with `{}` where a secret is.
const COMMANDS: [&str; 34] = [
    "client create --name {} --scope orders:read",
    "client create --name x --scope {}",
    "client create --name x --scope orders:read --description {}",
    "client create --name x --scope orders:read --audience {}",
    "client create --name x --scope orders:read --metadata plan={}",
    "client create --name x --scope orders:read --owner {}",
    "client create --name x --scope orders:read --customer {}",
    "client create --name x --scope orders:read --allow-ip {}",
    "client create --name x --scope orders:read --environment {}",
    "client create --name x --scope orders:read --expires-in {}",
    "client create --name x --scope orders:read --rate-per-minute {}",
    "client create --name x --scope orders:read --unknown {}",
    "client show {}",
    "client update {} --name x",
    "client disable {}",
    "client list --name {}",
    "client transfer {} --owner {}",
    "key create --name {} --scope orders:read",
    "key create --name x --preset {}",
    "key create --name x --scope orders:read --type {}",
    "key show {}",
    "key rotate {} --grace {}",
    "customer create --external-id {} --name x",
    "customer create --external-id x --name {}",
    "customer show {}",
    "user create --email {}@example.com --role developer",
    "user show {}",
    "role create {} --scope read",
    "scope create {}",
    "scope create orders:read --description {}",
    "audit list --credential {}",
    "audit list --request-id {}",
    "revoke-all --yes --owner {}",
    "{}",
];

impl Hunt {
    pub fn plant_in_api(&mut self) {
        let token = self.server.owner();
        self.planted.add(token.rsplit('.').next().unwrap());
        for operation in operations::all(&self.server) {
            let path = operation.path_with("cli_00000000000000000000000000000000");
            let secret = self.planted.next();
            self.send(&operation.method, &operation.path_with(&secret), |request| request.bearer_auth(&token));
            let encoded = secret.replacen('_', "%5F", 1);
            self.send(&operation.method, &operation.path_with(&encoded), |request| request.bearer_auth(&token));
            for name in operation.query.iter().map(String::as_str).chain(["unknown", "client_secret"]) {
                let secret = self.planted.next();
                let query = super::query(&[(name, &secret), (&secret, "x")]);
                self.send(&operation.method, &format!("{path}?{query}"), |request| request.bearer_auth(&token));
            }
            self.plant_in_bodies(&operation, &path, &token);
            // Heads are read alike, whichever operation is called.
            if operation.method == "GET" {
                self.plant_in_head("GET", &path, &token);
            }
        }
    }

    fn plant_in_bodies(&mut self, operation: &Operation, path: &str, token: &str) {
        let mut bodies = Vec::new();
        for member in &operation.body {
            let secret = self.planted.next();
            let value = if member.is_secret { json!(secret) } else { member.planted(&secret) };
            bodies.push(operation.body_with(&member.name, value).to_string());
        }
        bodies.push(operation.body_with(&self.planted.next(), json!("x")).to_string());
        bodies.push(format!("{{\"name\": \"{}", self.planted.next()));
        bodies.push(self.planted.next());
        for body in bodies {
            // A password for a user, who must not exist yet.
            let body = body.replace("ann@example.com", &format!("u{}@example.com", self.requests));
            self.send(&operation.method, path, |request| {
                request.bearer_auth(token).header("content-type", "application/json").body(body)
            });
        }
        let kind = self.planted.next();
        self.send(&operation.method, path, |request| request.bearer_auth(token).header("content-type", kind).body("x"));
    }

    fn plant_in_head(&mut self, method: &str, path: &str, token: &str) {
        for field in FIELDS {
            let secret = self.planted.next();
            self.send(method, path, |request| {
                let request = if field == "x-api-key" { request } else { request.bearer_auth(token) };
                request.header(field, secret)
            });
        }
        let (id, secret) = (self.planted.next(), self.planted.next());
        let basic = self.planted.basic(&id, &secret);
        for authorization in [format!("Bearer {secret}"), basic, format!("Token {secret}"), secret] {
            self.send(method, path, |request| request.header("authorization", authorization));
        }
    }

    pub fn plant_in_forms(&mut self) {
        for prefix in ["", "/staging"] {
            for endpoint in ["token", "introspect", "revoke"] {
                let path = format!("{prefix}/api/oauth/{endpoint}");
                for parameter in PARAMETERS {
                    let secret = self.planted.next();
                    let form = [
                        ("client_id", "cli_1"),
                        ("client_secret", "x"),
                        (parameter, secret.as_str()),
                        (secret.as_str(), "x"),
                    ];
                    self.send("POST", &path, |request| request.form(&form));
                    self.send("POST", &path, |request| request.form(&form[2..3]));
                    self.send("POST", &format!("{path}?{parameter}={secret}"), |request| request.form(&form[..2]));
                }
                let body = format!("%zz={}", self.planted.next());
                self.send("POST", &path, |request| {
                    request.header("content-type", "application/x-www-form-urlencoded").body(body)
                });
            }
        }
    }

    /// What is no HTTP, and what is too large.
    pub fn plant_by_hand(&mut self) {
        let address = self.server.url.trim_start_matches("http://").parse().unwrap();
        for shape in [
            "{} / HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /{} HTTP/1.1\r\nHost: {}\r\n\r\n",
            "GET /api/v1/clients HTTP/9.9 {}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nX-{}: x\r\n {}\r\n\r\n",
            "POST /api/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
            "POST /api/oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
            "POST /api/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\nclient_secret={}",
            "CONNECT {}:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            "\u{16}\u{3}\u{1}{}",
        ] {
            let mut connection = Connection::to(address);
            connection.patience(Duration::from_millis(300));
            let head = shape.split("{}").collect::<Vec<_>>().join(&self.planted.next());
            connection.send(head.as_bytes());
            if let Some(response) = connection.response() {
                self.planted.assert_absent(shape, format!("{}{}", response.head, response.body).as_bytes());
            }
        }
    }

    pub fn plant_in_commands(&mut self) {
        for (number, command) in COMMANDS.iter().enumerate() {
            let secret = self.planted.next();
            let arguments: Vec<String> = command.split(' ').map(|word| word.replace("{}", &secret)).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let mut process = self.server.command(&arguments);
            process.env("SEALWRIGHT_LOG", "trace").stdin(Stdio::null());
            if number % 2 == 0 {
                process.arg("--json");
            }
            if number % 5 == 0 {
                process.env("USER", self.planted.next()).env_remove("SUDO_USER");
            }
            let output = process.output().unwrap();
            for said in [output.stdout, output.stderr] {
                self.planted.assert_absent(command, &said);
            }
        }
        let (key, unknown) = (self.server.key("orders:read").key, self.planted.next());
        self.planted.add(&key);
        for value in [key, unknown] {
            let mut verify = self.server.command(&["key", "verify"]);
            let mut verify =
                verify.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            writeln!(verify.stdin.take().unwrap(), "{value}").unwrap();
            let output = verify.wait_with_output().unwrap();
            for said in [output.stdout, output.stderr] {
                self.planted.assert_absent("key verify", &said);
            }
        }
    }
}
