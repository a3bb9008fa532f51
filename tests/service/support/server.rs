//! The real binary, serving.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::Database;

/// The program under test.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealwright"));
    // Nothing of the tests' own environment may configure it.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEALWRIGHT_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs a command that must succeed, and reads its JSON.
pub fn run_json(command: &mut Command) -> Value {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// A client with its secret.
#[derive(Clone, Debug)]
pub struct TestClient {
    /// Its `client_id`.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// An API key.
#[derive(Clone, Debug)]
pub struct TestKey {
    /// Its id.
    pub id: String,
    /// Its string.
    pub key: String,
}

/// An HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Header fields.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Answer {
    fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, body }
    }

    /// A header field's only value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A running server, ended by SIGKILL when dropped.
pub struct Server {
    /// Its database.
    pub database: Database,
    /// Its base address, which is production's issuer.
    pub url: String,
    /// For requests to it.
    pub http: Client,
    child: Child,
    log: Arc<Mutex<String>>,
    settings: Vec<(String, String)>,
}

impl Server {
    /// Starts on `database` with the default settings. Failed authentications are not limited, so that tests can make as
    /// many as they like; the tests of that limit set it.
    pub fn start(database: Database) -> Self {
        Self::start_with(database, &[])
    }

    /// Starts with further settings, as variables without their prefix: `("SIGNING_KEY_LEAD", "2s")`.
    pub fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let mut all = vec![("GUESS_LIMIT_PER_MINUTE".to_owned(), "100000".to_owned())];
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if let Some(url) = database.url() {
            all.push(("DATABASE_URL".to_owned(), url.to_owned()));
        }
        all.push(("DATA_DIR".to_owned(), database.data_dir().display().to_string()));
        if !all.iter().any(|(name, _)| name == "LISTEN") {
            // The port is chosen here, so that commands know the same public URL.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            all.push(("LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        }
        let listen = all.iter().rev().find(|(name, _)| name == "LISTEN").unwrap().1.clone();
        let scheme = if all.iter().any(|(name, _)| name == "TLS_CERTIFICATE") { "https" } else { "http" };
        let (child, log) = spawn(&all, &[]);
        let http = Client::builder()
            .no_proxy()
            .tls_danger_accept_invalid_certs(true)
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        let server = Self { database, url: format!("{scheme}://{listen}"), http, child, log, settings: all };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.http.get(format!("{}/healthz", self.url)).send().is_err() {
            assert!(Instant::now() < deadline, "the server did not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap().success());
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for it to end by itself, and says whether it ended well.
    pub fn wait(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Ends it and starts it anew with the same settings.
    pub fn restart(&mut self) {
        self.kill();
        let (child, log) = spawn(&self.settings, &[]);
        (self.child, self.log) = (child, log);
        self.wait_until_ready();
    }

    /// The program with this server's settings, for a command of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.envs(self.settings.iter().map(|(name, value)| (format!("SEALWRIGHT_{name}"), value)));
        command.args(arguments);
        command
    }

    /// Runs a command with `--json` that must succeed.
    pub fn cli(&self, arguments: &[&str]) -> Value {
        run_json(self.command(arguments).arg("--json"))
    }

    /// Makes a client in production with these scopes, separated by spaces.
    pub fn client(&self, scopes: &str) -> TestClient {
        self.client_with(scopes, &[])
    }

    /// Makes a client with further options of `client create`.
    pub fn client_with(&self, scopes: &str, options: &[&str]) -> TestClient {
        let made = self.create("client", scopes, options);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        TestClient { id: text("client_id"), secret: text("client_secret") }
    }

    /// Makes an API key in production with these scopes, separated by spaces.
    pub fn key(&self, scopes: &str) -> TestKey {
        self.key_with(scopes, &[])
    }

    /// Makes a key with further options of `key create`.
    pub fn key_with(&self, scopes: &str, options: &[&str]) -> TestKey {
        let made = self.create("key", scopes, options);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        TestKey { id: text("id"), key: text("key") }
    }

    /// Makes a credential. Unless the options name limits it has none: most tests are not about its rate.
    fn create(&self, kind: &str, scopes: &str, options: &[&str]) -> Value {
        let mut arguments = vec![kind, "create", "--name", "test"];
        for scope in scopes.split(' ') {
            arguments.extend(["--scope", scope]);
        }
        arguments.extend(options);
        for limit in ["--rate-per-minute", "--burst-per-second"] {
            if !options.contains(&limit) {
                arguments.extend([limit, "unlimited"]);
            }
        }
        self.cli(&arguments)
    }

    /// Sends a request.
    pub fn send(&self, request: RequestBuilder) -> Answer {
        Answer::of(request.send().unwrap())
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.url)))
    }

    /// `POST` of a form, authenticated by Basic.
    pub fn post_form(&self, path: &str, client: &TestClient, form: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url));
        self.send(request.basic_auth(&client.id, Some(&client.secret)).form(form))
    }

    /// Asks production for a token.
    pub fn token(&self, client: &TestClient) -> Answer {
        self.post_form("/api/oauth/token", client, &[("grant_type", "client_credentials")])
    }

    /// A bearer token for production's management API.
    pub fn management_token(&self, client: &TestClient) -> String {
        let resource = format!("{}/api/v1", self.url);
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let answer = self.post_form("/api/oauth/token", client, &form);
        answer.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", answer.text)).to_owned()
    }

    /// Calls the management API.
    pub fn api(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(token);
        self.send(match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// Calls the management API with an API key.
    pub fn api_with_key(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url)).header("x-api-key", key);
        self.send(match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// Audit events that fit the options of `audit list`, newest first.
    pub fn events(&self, options: &[&str]) -> Vec<Value> {
        let mut arguments = vec!["audit", "list", "--limit", "100000"];
        arguments.extend(options);
        self.cli(&arguments)["data"].as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the binary and keeps what it logs.
fn spawn(settings: &[(String, String)], arguments: &[&str]) -> (Child, Arc<Mutex<String>>) {
    let mut child = binary()
        .envs(settings.iter().map(|(name, value)| (format!("SEALWRIGHT_{name}"), value)))
        .arg("serve")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&log));
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            let mut kept = kept.lock().unwrap();
            kept.push_str(&line);
            kept.push('\n');
        }
    });
    (child, log)
}
