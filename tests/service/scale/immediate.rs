//! A change is true when it answers: no request that begins after the response to a revoke, a disable, a rotation
//! without grace, a role's change or a user's deactivation is accepted. Rounds run side by side, with everything in
//! memory, while others present the same credentials all the time.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::api::text;
use crate::support::{Database, Kind, Response, Server, TestClient, TestKey, pause};

/// Threads that go through rounds of their own.
const THREADS: usize = 4;

/// What one thread has for itself.
struct Stage<'s> {
    server: &'s Server,
    /// Every process on the database; credentials are presented to each in turn.
    urls: &'s [String],
    turn: Cell<usize>,
    owner: &'s str,
    verifier: &'s TestKey,
    role: String,
    user: String,
    key_id: String,
    /// The value of the key, for those who present it beside the rounds, too.
    shown: Arc<Mutex<String>>,
    client: TestClient,
    token: String,
}

#[derive(Clone, Copy)]
enum Used {
    Key,
    /// The client and its token.
    Client,
}

/// What each kind of change concerns. The rest is accepted, and cached, since it was changed last.
const CHANGED: [&[Used]; 6] =
    [&[Used::Key], &[Used::Key], &[], &[Used::Key, Used::Client], &[Used::Key, Used::Client], &[Used::Client]];

impl<'s> Stage<'s> {
    fn new(server: &'s Server, urls: &'s [String], owner: &'s str, verifier: &'s TestKey, number: usize) -> Self {
        let role = format!("role-{number}");
        let email = format!("user-{number}@example.com");
        let make = |path: &str, body: Value| {
            let made = server.api("POST", path, owner, Some(&body));
            assert_eq!(made.status, 201, "{}", made.text);
            made.body
        };
        make("/roles", json!({"name": role, "scopes": ["orders:read"]}));
        let user = text(&make("/users", json!({"email": email, "role": role}))["id"]);
        let key = server.key_with("orders:read", &["--owner", &email]);
        let client = server.client_with("orders:read", &["--owner", &email]);
        let token = text(&server.token(&client).body["access_token"]);
        let (key_id, shown, turn) = (key.id, Arc::new(Mutex::new(key.key)), Cell::new(number));
        Self { server, urls, turn, owner, verifier, role, user, key_id, shown, client, token }
    }

    /// The process whose turn it is.
    fn url(&self) -> &'s str {
        self.turn.set(self.turn.get() + 1);
        &self.urls[self.turn.get() % self.urls.len()]
    }

    fn change(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let verb = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.server.http.request(verb, format!("{}/api/v1{path}", self.url())).bearer_auth(self.owner);
        let response = self.server.send(match &body {
            Some(body) => request.json(body),
            None => request,
        });
        assert!((200..300).contains(&response.status), "{method} {path}: {}", response.text);
        response
    }

    fn verifies(&self, key: &str) -> bool {
        let body = json!({"key": key, "environment": "production", "scopes": ["orders:read"]});
        let request = self.server.http.post(format!("{}/api/v1/keys/verify", self.url()));
        let response = self.server.send(request.header("x-api-key", &self.verifier.key).json(&body));
        assert_eq!(response.status, 200, "{}", response.text);
        response.body["valid"] == true
    }

    fn passes(&self, field: &str, value: &str) -> bool {
        let request = self.server.http.get(format!("{}/api/v1/forward-auth?scope=orders:read", self.url()));
        self.server.send(request.header(field, value)).status == 200
    }

    fn token_passes(&self) -> bool {
        self.passes("authorization", &format!("Bearer {}", self.token))
    }

    fn gets_token(&self) -> bool {
        let request = self.server.http.post(format!("{}/api/oauth/token", self.url()));
        let request = request.basic_auth(&self.client.id, Some(&self.client.secret));
        self.server.send(request.form(&[("grant_type", "client_credentials")])).status == 200
    }

    /// Each of these is accepted, and cached, by each process.
    fn warm(&self, used: &[Used]) {
        for turn in 0..self.urls.len() {
            self.turn.set(turn);
            for used in used {
                assert!(match used {
                    Used::Key => self.verifies(&self.key()) && self.passes("x-api-key", &self.key()),
                    Used::Client => self.token_passes() && self.gets_token(),
                });
            }
        }
    }

    /// The value of the key, which rotations replace.
    fn key(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// A key that was accepted until it was revoked.
    fn revoked_key(&self) -> String {
        let body = json!({"name": "r", "scopes": ["orders:read"]});
        let made = self.change("POST", "/keys", Some(body)).body;
        let (id, key) = (text(&made["id"]), text(&made["key"]));
        assert!(self.passes("x-api-key", &key));
        self.change("POST", &format!("/keys/{id}/revoke"), None);
        key
    }

    /// Changes something, counts what is accepted after the response though it must not be, and changes it back.
    fn round(&self, number: usize) -> u64 {
        let (key_path, client_path) = (format!("/keys/{}", self.key_id), format!("/clients/{}", self.client.id));
        let (user_path, role_path) = (format!("/users/{}", self.user), format!("/roles/{}", self.role));
        // No process is always the one that changes, or the one that is asked first.
        self.turn.set(number);
        let mut accepted = 0;
        let mut must_not = |is_accepted: bool| accepted += u64::from(is_accepted);
        match number % 6 {
            0 => {
                self.change("POST", &format!("{key_path}/disable"), None);
                must_not(self.verifies(&self.key()));
                must_not(self.passes("x-api-key", &self.key()));
                self.change("POST", &format!("{key_path}/enable"), None);
            }
            1 => {
                let rotated = self.change("POST", &format!("{key_path}/rotate"), None);
                must_not(self.passes("x-api-key", &self.key()));
                must_not(self.verifies(&self.key()));
                *self.shown.lock().unwrap() = text(&rotated.body["key"]);
            }
            2 => {
                let key = self.revoked_key();
                must_not(self.passes("x-api-key", &key));
                must_not(self.verifies(&key));
            }
            3 => {
                self.change("PATCH", &role_path, Some(json!({"scopes": ["orders:write"]})));
                must_not(self.verifies(&self.key()));
                must_not(self.token_passes());
                must_not(self.gets_token());
                self.change("PATCH", &role_path, Some(json!({"scopes": ["orders:read"]})));
            }
            4 => {
                self.change("POST", &format!("{user_path}/disable"), None);
                must_not(self.passes("x-api-key", &self.key()));
                must_not(self.token_passes());
                must_not(self.gets_token());
                self.change("POST", &format!("{user_path}/enable"), None);
            }
            _ => {
                self.change("POST", &format!("{client_path}/disable"), None);
                must_not(self.token_passes());
                must_not(self.gets_token());
                self.change("POST", &format!("{client_path}/enable"), None);
            }
        }
        self.warm(CHANGED[number % 6]);
        accepted
    }
}

/// Presents a key and a token again and again, also in the middle of changes, so that every process has them cached.
fn present(server: &Server, urls: &[String], key: &Mutex<String>, token: &str, ended: &AtomicBool) {
    let bearer = format!("Bearer {token}");
    for url in urls.iter().cycle().take_while(|_| !ended.load(Ordering::Relaxed)) {
        let key = key.lock().unwrap().clone();
        for (field, value) in [("x-api-key", &key), ("authorization", &bearer)] {
            server.send(server.http.get(format!("{url}/api/v1/forward-auth")).header(field, value));
            pause("the rounds need the machine, too", std::time::Duration::from_millis(3));
        }
    }
}

/// `others` are processes on the same database, beside the first.
fn rounds_that_accept_nothing(database: Database, others: usize, rounds: usize) {
    let settings = [("SIGNING_ALGORITHMS", r#"["ES256"]"#), ("LOG", "warn")];
    let server = Server::spawn_with(database, &settings);
    let others: Vec<Server> = (0..others).map(|_| server.beside(&[])).collect();
    let urls: Vec<String> =
        std::iter::once(&server.url).chain(others.iter().map(|other| &other.url)).cloned().collect();
    // A token lives an hour; a key has no end, and neither has limits.
    let (owner, verifier) = (server.owner(), server.key("sealwright.keys:verify"));
    let stage = |number| Stage::new(&server, &urls, &owner, &verifier, number);
    let stages: Vec<Stage<'_>> = (0..THREADS).map(stage).collect();
    let (ended, done, accepted) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let presenters: Vec<_> = stages
            .iter()
            .map(|stage| {
                let (key, token) = (Arc::clone(&stage.shown), stage.token.clone());
                let (server, urls, ended) = (&server, &urls, &ended);
                scope.spawn(move || present(server, urls, &key, &token, ended))
            })
            .collect();
        let workers: Vec<_> = stages
            .into_iter()
            .map(|stage| {
                let (done, accepted) = (&done, &accepted);
                scope.spawn(move || {
                    stage.warm(&[Used::Key, Used::Client]);
                    while let Some(number) = Some(done.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < rounds as u64) {
                        let number = usize::try_from(number).unwrap();
                        // The kinds of change follow one another in every thread, whatever numbers it draws.
                        accepted.fetch_add(stage.round(number / THREADS), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let panicked = workers.into_iter().map(std::thread::ScopedJoinHandle::join).any(|ended| ended.is_err());
        ended.store(true, Ordering::Relaxed);
        for presenter in presenters {
            presenter.join().unwrap();
        }
        assert!(!panicked, "a round failed");
    });
    assert_eq!(accepted.load(Ordering::Relaxed), 0, "accepted after the answer");
}

#[test]
fn ten_thousand_changes_are_in_force_in_two_processes_when_they_answer() {
    rounds_that_accept_nothing(Database::new(Kind::Sqlite), 1, 10_000);
}

#[test]
fn changes_on_postgres_are_in_force_in_three_processes_when_they_answer() {
    rounds_that_accept_nothing(Database::new(Kind::Postgres), 2, 2_000);
}
