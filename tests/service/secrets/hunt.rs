//! The hunt: secrets are planted in every field and request of the API, the command line, headers, bodies and paths,
//! and searched for in all that is kept: the log at `trace`, the database, a backup, metrics, events, lines of JSON.

use std::path::Path;
use std::time::Duration;

use reqwest::blocking::RequestBuilder;
use serde_json::json;

use super::{Planted, random};
use crate::support::{Database, Kind, Server, TestClient, both, eventually};

/// The server that is searched, and what was planted.
pub struct Hunt {
    pub server: Server,
    pub planted: Planted,
    /// What an earlier process of the server logged.
    log: String,
    pub requests: u32,
}

impl Hunt {
    fn new(database: Database, lines: &Path) -> Self {
        let settings = [
            ("LOG", "trace"),
            ("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#),
            ("AUDIT_JSON_LINES", lines.to_str().unwrap()),
        ];
        Self {
            server: Server::spawn_with(database, &settings),
            planted: Planted::default(),
            log: String::new(),
            requests: 0,
        }
    }

    /// An address of its own for each request, so that its refusal is stored; the server begins anew before refusals
    /// are summed up because there are too many in all.
    fn address(&mut self) -> String {
        self.requests += 1;
        if self.requests.is_multiple_of(800) {
            self.log.push_str(&self.server.log());
            self.server.restart();
        }
        format!("10.{}.{}.{}", self.requests >> 16, self.requests >> 8 & 255, self.requests & 255)
    }

    /// Sends a request, whose response must not repeat what was planted.
    pub fn send(&mut self, method: &str, path: &str, with: impl FnOnce(RequestBuilder) -> RequestBuilder) {
        let address = self.address();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.server.http.request(method, format!("{}{path}", self.server.url));
        // What cannot be sent at all is no request.
        let Ok(response) = with(request.header("x-forwarded-for", address)).send() else { return };
        assert_ne!(response.status(), 500, "{path}");
        let text = response.text().unwrap();
        self.planted.assert_absent(&format!("the response of {path}"), text.as_bytes());
    }

    /// Secrets that exist: those of clients, keys, tokens and users, also after they were replaced and revoked.
    fn use_secrets(&mut self) {
        let server = &self.server;
        let mut clients = vec![server.client("orders:read"), server.client("orders:read")];
        let rotated = server.manage("POST", &format!("/clients/{}/rotate-secret", clients[0].id), None);
        let secret = rotated["client_secret"].as_str().unwrap().to_owned();
        clients.push(TestClient { secret, ..clients[0].clone() });
        let key = server.key("orders:read");
        let rotated = server.manage("POST", &format!("/keys/{}/rotate", key.id), None);
        let mut keys = vec![key.key, rotated["key"].as_str().unwrap().to_owned()];
        let repeatable = json!({"name": "again", "scopes": ["orders:read"]});
        for _ in 0..2 {
            let request = server.http.post(format!("{}/api/v1/keys", server.url)).bearer_auth(server.owner());
            let made = server.send(request.header("idempotency-key", "once").json(&repeatable));
            keys.push(made.body["key"].as_str().unwrap().to_owned());
        }
        let password = random(24);
        let user = json!({"email": "eve@example.com", "role": "developer", "password": password});
        server.manage("POST", "/users", Some(&user));
        let tokens: Vec<String> = clients
            .iter()
            .filter_map(|client| server.token(client).body["access_token"].as_str().map(str::to_owned))
            .collect();
        assert_eq!((tokens.len(), keys.len()), (2, 4));
        for token in &tokens {
            server.post_form("/api/oauth/introspect", &clients[1], &[("token", token)]);
            server.api_with_key("GET", "/forward-auth", token, None);
            server.api("GET", "/forward-auth", token, None);
            server.post_form("/api/oauth/revoke", &clients[1], &[("token", token)]);
        }
        for key in &keys {
            let question = json!({"key": key, "environment": "production"});
            server.manage("POST", "/keys/verify", Some(&question));
            server.api_with_key("GET", "/clients", key, None);
        }
        clients.iter().for_each(|client| self.planted.add(&client.secret));
        keys.iter().for_each(|key| self.planted.add(key));
        tokens.iter().for_each(|token| self.planted.add(token.rsplit('.').next().unwrap()));
        self.planted.add(&format!("....{password}"));
    }

    fn search(&mut self, lines: &Path) {
        let server = &self.server;
        let written = || std::fs::read_to_string(lines).unwrap_or_default().lines().count();
        let stored = || server.database.numbers("SELECT COUNT(*) AS n FROM audit_log")[0];
        eventually("every event is a line", Duration::from_secs(60), || i64::try_from(written()).unwrap() == stored());
        let backup = server.database.folder.path().join("copy.backup");
        server.cli(&["backup", "--output", backup.to_str().unwrap()]);
        let events = server.command(&["audit", "list", "--json", "--limit", "100000"]).output().unwrap();
        assert!(events.status.success() && events.stdout.len() > 100_000);
        let log = format!("{}{}", self.log, server.log());
        assert!(log.contains("TRACE"), "the log is kept at trace");
        for (place, bytes) in [
            ("the log", log.into_bytes()),
            ("the lines of JSON", std::fs::read(lines).unwrap()),
            ("the backup", std::fs::read(backup).unwrap()),
            ("the audit list", events.stdout),
            ("the metrics", server.get("/metrics").text.into_bytes()),
        ] {
            assert!(bytes.len() > 1_000, "{place} is empty");
            self.planted.assert_absent(place, &bytes);
        }
        for table in tables(&server.database) {
            let rows = server.database.texts(&format!("SELECT r::text AS t FROM {table} r"));
            self.planted.assert_absent(&table, rows.join("\n").as_bytes());
        }
        for entry in std::fs::read_dir(server.database.data_dir()).unwrap() {
            let path = entry.unwrap().path();
            self.planted.assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

/// The tables of PostgreSQL; SQLite's are in its files.
fn tables(database: &Database) -> Vec<String> {
    match database.kind {
        Kind::Sqlite => vec![],
        Kind::Postgres => {
            let tables = "SELECT table_name::text AS t FROM information_schema.tables WHERE table_schema = 'public'";
            database.texts(tables)
        }
    }
}

both! {
    fn no_secret_is_kept_anywhere(database) {
        let lines = database.folder.path().join("events.jsonl");
        let mut hunt = Hunt::new(database, &lines);
        hunt.use_secrets();
        hunt.plant_in_api();
        hunt.plant_in_forms();
        hunt.plant_by_hand();
        hunt.plant_in_commands();
        assert!(hunt.planted.count > 1_000, "{}", hunt.planted.count);
        hunt.search(&lines);
    }
}
