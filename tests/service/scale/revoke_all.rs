//! Sixty thousand keys are ended by one act, in force at once; their rows follow, also when the process is killed.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Database, Server, TestKey, both, eventually, pause};

/// Adds keys without values to an environment, whose ids come before those that are made now.
fn add_keys(database: &Database, environment: &str, count: usize) {
    database.execute(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO credentials (id, kind, environment, name, description, scopes, allowed_ips, state, created_at, \
             updated_at, rotated_at, key_type, metadata) \
         SELECT 'key_01900000000070008000' || substr(CAST(1000000000000 + i AS TEXT), 2), 'api_key', '{environment}', \
             'k', '', 'read', '', 'enabled', 1, 1, 4102444800000, 'partner', '{{}}' FROM n"
    ));
}

fn number(database: &Database, sql: &str) -> i64 {
    database.numbers(&format!("SELECT COUNT(*) AS n FROM {sql}"))[0]
}

fn passes(server: &Server, key: &TestKey) -> bool {
    let url = format!("{}/api/v1/forward-auth?environment=staging", server.url);
    server.send(server.http.get(url).header("x-api-key", &key.key)).status == 200
}

/// Each key of staging is revoked, and has one event.
fn assert_expanded_once(database: &Database, keys: i64) {
    let staging = "credentials WHERE environment = 'staging' AND kind = 'api_key'";
    assert_eq!(number(database, &format!("{staging} AND state = 'revoked'")), keys);
    let events = "audit_log WHERE action = 'key.revoke' AND reason = 'revoke_all'";
    assert_eq!(number(database, events), keys);
    let targets = database.numbers(&format!("SELECT COUNT(DISTINCT target) AS n FROM {events}"));
    assert_eq!(targets, [keys]);
    assert_eq!(number(database, "credentials WHERE environment <> 'staging' AND state = 'revoked'"), 0);
}

fn is_expanded(database: &Database) -> bool {
    number(database, "epochs WHERE expanded_at IS NULL") == 0
}

both! {
    fn sixty_thousand_keys_end_with_the_response(database) {
        const KEYS: i64 = 60_001;
        let server = Server::start(database);
        add_keys(&server.database, "staging", 60_000);
        let (key, other) = (server.key_with("read", &["--environment", "staging"]), server.key("read"));
        let token = server.owner_of("staging");
        assert!(passes(&server, &key));
        let entries = || number(&server.database, "change_log");
        let before = entries();
        let asked = Instant::now();
        let done = server.api("POST", "/revoke-all", &token, Some(&json!({"environment": "staging"})));
        let took = asked.elapsed();
        assert!(!passes(&server, &key), "from the response on");
        let state = server.database.texts(&format!("SELECT state AS t FROM credentials WHERE id = '{}'", key.id));
        assert_eq!(state, ["enabled"], "its row is among the last that are written");
        assert_eq!((done.status, &done.body["keys"], &done.body["clients"]), (200, &json!(KEYS), &json!(1)));
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(entries() - before, 1, "one entry in the change log");
        // Others work on while rows are written.
        let shown = server.manage("GET", &format!("/keys/{}", other.id), None);
        assert_eq!(shown["status"], "active");
        eventually("rows and events are written", Duration::from_secs(120), || is_expanded(&server.database));
        assert_expanded_once(&server.database, KEYS);
        assert!(!passes(&server, &key));
        assert!(entries() - before <= 3, "rows are not announced one by one");
    }

    fn rows_and_events_are_written_once_whenever_the_process_is_killed(database) {
        const KEYS: i64 = 6_000;
        let mut server = Server::spawn_with(database, &[("SIGNING_ALGORITHMS", "[\"ES256\"]")]);
        add_keys(&server.database, "staging", 6_000);
        let token = server.owner_of("staging");
        let done = server.api("POST", "/revoke-all", &token, Some(&json!({"environment": "staging"})));
        assert_eq!(done.status, 200, "{}", done.text);
        let revoked = |server: &Server| number(&server.database, "credentials WHERE state = 'revoked'");
        for round in 0..4 {
            let before = revoked(&server);
            eventually("some rows are written", Duration::from_secs(60), || {
                is_expanded(&server.database) || revoked(&server) > before
            });
            pause("any moment is as good", Duration::from_millis(7 * round));
            server.kill();
            server.restart();
        }
        eventually("all rows are written", Duration::from_secs(60), || is_expanded(&server.database));
        assert_expanded_once(&server.database, KEYS);
    }
}
