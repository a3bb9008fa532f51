//! A server under test: in the test's own process where that shows the same, else as a process of its own.

use std::net::TcpListener;
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::Value;

use super::in_process::{InProcess, TestClock, Work};
use super::process::Process;
use super::{Database, TestClient, TestKey, binary, credentials, free_port, run_json, settings};

/// For requests to every server: to make one takes longer than most requests.
static HTTP: LazyLock<Client> = LazyLock::new(|| {
    let client = Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
    client.timeout(Duration::from_secs(30)).build().unwrap()
});

/// A running server; dropped, it has ended.
pub struct Server {
    // Ends before its database does.
    runs: Runs,
    /// Its database.
    pub database: Database,
    /// Its base address, which is production's issuer.
    pub url: String,
    /// For requests to it.
    pub http: Client,
    pub(super) settings: Vec<(String, String)>,
    clock: TestClock,
    /// The last token of production's owner.
    owner: Mutex<Option<String>>,
}

enum Runs {
    InProcess(InProcess),
    Process(Process),
    Nowhere,
}

impl Server {
    /// Starts in this process on `database` with the default settings. Failed authentications are not limited, so that
    /// tests can make as many as they like; the tests of that limit set it.
    pub fn start(database: Database) -> Self {
        Self::start_with(database, &[])
    }

    /// Starts in this process with further settings, as variables without their prefix: `("SIGNING_KEY_LEAD", "2s")`.
    pub fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let (mut server, listener) = Self::prepare(database, settings);
        server.serve_here(listener);
        server
    }

    /// Starts as a process: for tests of starting, of signals, of being killed, of what is logged.
    pub fn spawn(database: Database) -> Self {
        Self::spawn_with(database, &[])
    }

    /// Starts as a process with further settings.
    pub fn spawn_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let (mut server, listener) = Self::prepare(database, &[&[("LISTEN", &*listen)], settings].concat());
        drop(listener);
        server.runs = Runs::Process(Process::start(&server.settings));
        server.wait_until_ready();
        server
    }

    /// The port is chosen here, so that commands know the same public URL.
    fn prepare(database: Database, settings: &[(&str, &str)]) -> (Self, TcpListener) {
        let mut all = vec![("GUESS_LIMIT_PER_MINUTE".to_owned(), "100000".to_owned())];
        if let Some(url) = database.url() {
            all.push(("DATABASE_URL".to_owned(), url.to_owned()));
        }
        all.push(("DATA_DIR".to_owned(), database.data_dir().display().to_string()));
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let find = |wanted: &str| all.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let listener = TcpListener::bind(find("LISTEN").unwrap_or("127.0.0.1:0".to_owned())).unwrap();
        let listen = listener.local_addr().unwrap();
        let scheme = if find("TLS_CERTIFICATE").is_some() { "https" } else { "http" };
        all.push(("LISTEN".to_owned(), listen.to_string()));
        let (url, http) = (format!("{scheme}://{listen}"), HTTP.clone());
        (
            Self {
                runs: Runs::Nowhere,
                database,
                url,
                http,
                settings: all,
                clock: TestClock::new(),
                owner: Mutex::default(),
            },
            listener,
        )
    }

    fn serve_here(&mut self, listener: TcpListener) {
        let file = settings::write(self.database.folder.path(), &self.settings);
        self.runs = Runs::InProcess(InProcess::start(&file, listener, &self.clock));
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.http.get(format!("{}/healthz", self.url)).send().is_err() {
            assert!(Instant::now() < deadline, "the server did not start:\n{}", self.log());
            // Nothing tells that a process listens but that it answers.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn process(&self) -> &Process {
        let Runs::Process(process) = &self.runs else { panic!("only a server that was spawned is a process") };
        process
    }

    /// What it has logged so far, where it is a process.
    pub fn log(&self) -> String {
        self.process().log()
    }

    /// Its process id, where it is one.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap().success());
    }

    /// Ends it: as a power cut would, where it is a process.
    pub fn kill(&mut self) {
        match &mut self.runs {
            Runs::Process(process) => process.kill(),
            other => *other = Runs::Nowhere,
        }
    }

    /// Waits for it to end by itself, and says whether it ended well.
    pub fn wait(&mut self) -> bool {
        let Runs::Process(process) = &mut self.runs else { panic!("only a server that was spawned is a process") };
        process.wait()
    }

    /// Ends it and starts it anew with the same settings, where it was.
    pub fn restart(&mut self) {
        self.kill();
        if let Runs::Process(process) = &mut self.runs {
            *process = Process::start(&self.settings);
            self.wait_until_ready();
        } else {
            let (_, listen) = self.settings.iter().rev().find(|(name, _)| name == "LISTEN").unwrap();
            let listener = TcpListener::bind(listen).unwrap();
            self.serve_here(listener);
        }
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

    /// Milliseconds since the epoch by the server's clock.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Moves the clock of a server in this process by milliseconds.
    pub fn advance(&self, millis: i64) {
        assert!(matches!(self.runs, Runs::InProcess(_)), "a process goes by the system's clock");
        self.clock.advance(millis);
    }

    /// Makes it this time or later: moves the clock of a server in this process, waits for that of a process.
    pub fn wait_until(&self, millis: i64) {
        let left = millis - self.now();
        match &self.runs {
            _ if left <= 0 => {}
            Runs::Process(_) => std::thread::sleep(Duration::from_millis(u64::try_from(left).unwrap())),
            _ => self.clock.advance(left),
        }
    }

    /// Has a server in this process do some of its work now.
    pub fn work(&self, work: Work) {
        let Runs::InProcess(server) = &self.runs else { panic!("nobody tells a process when to work") };
        server.work(work);
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

    /// Makes a key that has the limits of its type unless the options name others.
    pub fn key_with_default_limits(&self, scopes: &str, options: &[&str]) -> TestKey {
        let mut body = credentials::body(scopes, options, self.now());
        for (option, member) in credentials::LIMITS {
            if !options.contains(&option) {
                body.as_object_mut().unwrap().remove(member);
            }
        }
        let environment = body["environment"].as_str().unwrap_or("production").to_owned();
        let made = self.manage_in(&environment, "POST", "/keys", Some(&body));
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        TestKey { id: text("id"), key: text("key") }
    }

    /// Makes a credential: as the owner that the database has from the start, or by the command line where it has none.
    fn create(&self, kind: &str, scopes: &str, options: &[&str]) -> Value {
        let at = options.iter().position(|option| *option == "--environment");
        let environment = at.map_or("production", |at| options[at + 1]);
        if self.database.owner(environment).is_none() {
            return self.cli(&credentials::arguments(kind, scopes, options));
        }
        let body = credentials::body(scopes, options, self.now());
        self.manage_in(environment, "POST", &format!("/{kind}s"), Some(&body))
    }

    /// Does something as production's owner, which must succeed.
    #[track_caller]
    pub fn manage(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        self.manage_in("production", method, path, body)
    }

    #[track_caller]
    fn manage_in(&self, environment: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
        let mut response = self.api(method, path, &self.owner_of(environment), body);
        if response.status == 401 {
            *self.owner.lock().unwrap() = None;
            response = self.api(method, path, &self.owner_of(environment), body);
        }
        assert!((200..300).contains(&response.status), "{method} {path} {body:?}: {}", response.text);
        response.body
    }

    /// A token that may do anything and give anything in production; the same one while it lives.
    pub fn owner(&self) -> String {
        let mut kept = self.owner.lock().unwrap();
        kept.get_or_insert_with(|| match self.database.owner("production") {
            Some(owner) => self.management_token(owner),
            None => self.management_token(&self.client("sealwright.admin admin")),
        })
        .clone()
    }

    /// The same in any environment.
    pub fn owner_of(&self, environment: &str) -> String {
        if environment == "production" {
            return self.owner();
        }
        self.management_token_of(environment, self.database.owner(environment).unwrap())
    }
}
