//! The configurations of the guide for developers of APIs: software that others wrote verifies tokens offline. They are
//! taken from the guide as they are, but for addresses.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::programs::{self, first_line};
use crate::support::{Database, Kind, Server, TestClient, eventually, free_port, run};

const GUIDE: &str = include_str!("../../docs/guides/resource-servers.md");
const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "https://api.example.com";

/// The blocks of code below a heading of the guide, with these texts in place of others.
fn blocks(heading: &str, changes: &[(&str, &str)]) -> Vec<String> {
    let start = format!("\n### {heading}\n");
    let (_, section) = GUIDE.split_once(&start).unwrap_or_else(|| panic!("the guide has no section {heading}"));
    let section = section.split_once("\n### ").map_or(section, |(section, _)| section);
    let fenced = section.split("```").skip(1).step_by(2);
    let code = fenced.map(|block| block.split_once('\n').unwrap().1.to_owned());
    code.map(|code| changes.iter().fold(code, |code, (from, to)| code.replace(from, to))).collect()
}

/// Tokens that a resource server for orders accepts and refuses, and one of the plain type.
struct Tokens {
    accepted: Vec<(&'static str, String)>,
    refused: Vec<(&'static str, String)>,
    plain: String,
}

impl Tokens {
    fn new(server: &Server) -> Self {
        let of = |scopes: &str, options: &[&str]| {
            let client = server.client_with(scopes, &[&["--audience", AUDIENCE], options].concat());
            token(server, &client)
        };
        let good = of("orders:read", &[]);
        let short_lived = server.client_with("orders:read", &["--audience", AUDIENCE, "--token-lifetime", "1s"]);
        server.advance(-10_000);
        let expired = token(server, &short_lived);
        server.advance(10_000);
        let staging = server.client_with("orders:read", &["--audience", AUDIENCE, "--environment", "staging"]);
        let form = [("grant_type", "client_credentials")];
        let staging = server.post_form("/staging/api/oauth/token", &staging, &form);
        let (message, signature) = good.rsplit_once('.').unwrap();
        let other_client = of("orders:read", &[]);
        let other_signature = other_client.rsplit_once('.').unwrap().1;
        Self {
            refused: vec![
                ("another scope", of("orders:reading", &[])),
                ("another level", of("write", &[])),
                ("another resource", of("invoices:*", &[])),
                ("another audience", token(server, &server.client("orders:read"))),
                ("another environment", staging.body["access_token"].as_str().unwrap().to_owned()),
                ("another algorithm", of("orders:read", &["--signing-algorithm", "RS256"])),
                ("EdDSA", of("orders:read", &["--signing-algorithm", "EdDSA"])),
                ("expired", expired),
                ("no signature", format!("{message}.")),
                ("the signature of another token", format!("{message}.{other_signature}")),
                ("a signature that is cut", format!("{message}.{}", &signature[..80])),
                ("no token", "a.b.c".to_owned()),
            ],
            accepted: vec![
                ("one scope", good.clone()),
                ("several scopes", of("invoices:write orders:read", &[])),
                ("a level", of("read", &[])),
                ("a wildcard", of("orders:*", &[])),
            ],
            plain: of("orders:read", &["--token-typ", "JWT"]),
        }
    }
}

fn token(server: &Server, client: &TestClient) -> String {
    let response = server.token(client);
    response.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", response.text)).to_owned()
}

fn start() -> (Server, Tokens) {
    let server = Server::start(Database::new(Kind::Sqlite));
    let tokens = Tokens::new(&server);
    (server, tokens)
}

impl Tokens {
    /// Every token, and whether a resource server for orders accepts it that expects this type.
    fn expected(&self, typ: &str) -> Vec<(&str, &str, bool)> {
        let is_plain = typ == "JWT";
        let accepted = self.accepted.iter().map(|(name, token)| (*name, token.as_str(), !is_plain));
        let refused = self.refused.iter().map(|(name, token)| (*name, token.as_str(), false));
        accepted.chain(refused).chain([("the plain type", self.plain.as_str(), is_plain)]).collect()
    }

    /// Runs a program that gets the tokens as arguments, and prints `accepted` or why not, a line for each.
    fn judged_by(&self, typ: &str, mut program: Command) {
        let expected = self.expected(typ);
        let output = run(program.args(expected.iter().map(|(_, token, _)| token)));
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        for ((name, _, is_accepted), line) in expected.iter().zip(lines) {
            assert_eq!(line == "accepted", *is_accepted, "{typ}, {name}: {line}");
        }
    }
}

/// The code, and as the guide says to change it where tokens have the plain type.
fn for_both_types(code: &str) -> [(&'static str, String); 2] {
    assert_eq!(code.matches("at+jwt").count(), 1, "{code}");
    ["at+jwt", "JWT"].map(|typ| (typ, code.replace("at+jwt", typ)))
}

#[test]
fn python_verifies_tokens_by_the_guide() {
    const RUN: &str = "
import sys
for token in sys.argv[1:]:
    try:
        verify(token)
        print('accepted')
    except jwt.PyJWTError as error:
        print(repr(error))
";
    let (server, tokens) = start();
    let folder = tempfile::tempdir().unwrap();
    for (typ, code) in for_both_types(&blocks("Python", &[(ISSUER, &server.url)])[0]) {
        let script = folder.path().join("verify.py");
        std::fs::write(&script, code + RUN).unwrap();
        tokens.judged_by(typ, programs::python(script.to_str().unwrap()));
    }
}

#[test]
fn node_verifies_tokens_by_the_guide() {
    const RUN: &str = "
for (const token of process.argv.slice(2)) {
  console.log(await verify(token).then(() => 'accepted', (error) => `${error.name}: ${error.message}`))
}
process.exit()
";
    let (server, tokens) = start();
    for (typ, code) in for_both_types(&blocks("Node.js", &[(ISSUER, &server.url)])[0]) {
        // Beside the packages, where Node.js finds them.
        let script = programs::node_file(&format!("examples/guide-{}.mjs", std::process::id()));
        std::fs::write(&script, code + RUN).unwrap();
        tokens.judged_by(typ, programs::node(script.to_str().unwrap()));
        std::fs::remove_file(&script).unwrap();
    }
}

/// A program that serves, ended when dropped.
struct Program {
    child: Child,
    _folder: TempDir,
}

impl Program {
    fn start(mut command: Command, folder: TempDir, port: u16) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("it listens", Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, _folder: folder }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both end their workers when they are asked to end, but not when they are killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The example API behind a gateway, which responds with what it received.
fn api() -> (Program, String) {
    let mut child = programs::python("examples/gateways/api.py")
        .env("PORT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = first_line(&mut child).unwrap();
    let address = line.strip_prefix("listening on http://").unwrap().to_owned();
    (Program { child, _folder: tempfile::tempdir().unwrap() }, address)
}

/// What a gateway with the guide's configuration lets pass; `also` are tokens that it accepts beyond the others. The
/// API learns the caller, and not the token.
fn judged_by_gateway(server: &Server, tokens: &Tokens, port: u16, also: &[&str], without_scope: u16) {
    let get = |fields: &[(&str, &str)]| {
        let request = server.http.get(format!("http://127.0.0.1:{port}/orders"));
        server.send(fields.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    };
    for (name, token, is_accepted) in tokens.expected("at+jwt") {
        let response = get(&[("Authorization", &format!("Bearer {token}")), ("X-Auth-Credential", "cli_evil")]);
        if is_accepted || also.contains(&name) {
            assert_eq!(response.status, 200, "{name}: {}", response.text);
            assert!(!response.text.contains("cli_evil") && !response.text.contains(token), "{name}: {}", response.text);
            assert!(response.text.contains("\"cli_"), "{name}: {}", response.text);
        } else {
            let lacks_scope = ["another scope", "another level", "another resource"].contains(&name);
            assert_eq!(response.status, if lacks_scope { without_scope } else { 401 }, "{name}");
        }
    }
    let good = format!("Bearer {}", tokens.accepted[0].1);
    assert_eq!(get(&[]).status, 401);
    assert_eq!(get(&[("X-Auth-Credential", "cli_evil")]).status, 401);
    assert_eq!(get(&[("Authorization", "Basic eDp5")]).status, 401);
    assert_eq!(get(&[("Authorization", &good), ("Authorization", &good)]).status, 401, "two");
}

#[test]
fn apache_verifies_tokens_by_the_guide() {
    let (server, tokens) = start();
    let (_api, api) = api();
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let code = blocks("Apache", &[(ISSUER, &server.url), ("127.0.0.1:9000", &api)]).remove(0);
    let modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "headers", "oauth2", "proxy", "proxy_http"]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
    let rest = "ServerName localhost\nDefaultRuntimeDir .\nPidFile httpd.pid\nErrorLog /dev/stderr\n";
    let config = folder.path().join("httpd.conf");
    std::fs::write(&config, format!("{}{rest}Listen 127.0.0.1:{port}\n{code}", modules.concat())).unwrap();
    let _apache = Program::start(programs::apache(folder.path(), &config), folder, port);
    // The type and the algorithm are not looked at, but the key is the issuer's.
    judged_by_gateway(&server, &tokens, port, &["the plain type", "another algorithm"], 401);
}

#[test]
fn haproxy_verifies_tokens_by_the_guide() {
    let (server, tokens) = start();
    let (_api, api) = api();
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let keys = folder.path().join("keys").display().to_string();
    let changes: [(&str, &str); 4] = [
        (ISSUER, &server.url),
        ("/etc/haproxy/sealwright", &keys),
        ("127.0.0.1:8000", &format!("127.0.0.1:{port}")),
        ("127.0.0.1:9000", &api),
    ];
    let [script, config] = <[String; 2]>::try_from(blocks("HAProxy", &changes)).unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (script, config) = (file("keys.py", script), file("haproxy.cfg", config));
    let fetch = || run(&mut programs::python(script.to_str().unwrap())).status.code();
    assert_eq!(fetch(), Some(0));
    assert_eq!(fetch(), Some(1), "nothing has changed");
    // The next key is among the keys as soon as it is published.
    server.cli(&["signing-key", "rotate", "--environment", "production", "--algorithm", "ES256"]);
    eventually("the next key is published", Duration::from_secs(10), || fetch() == Some(0));
    let first_keys = ["1", "2"].map(|name| std::fs::read(Path::new(&keys).join(format!("{name}.pem"))).unwrap());
    assert_ne!(first_keys[0], first_keys[1]);
    let mut command = Command::new("haproxy");
    // Debian has it where only root looks for programs.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap())).arg("-f").arg(&config);
    let _haproxy = Program::start(command, folder, port);
    judged_by_gateway(&server, &tokens, port, &[], 403);
}
