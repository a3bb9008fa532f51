//! No response without its event: what was handed out is in the audit log, whatever happens to the process or the
//! database.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Database, Kind, Server, TestClient, both, eventually, holds_within};

/// A request for a token; `None` where no whole answer came.
pub fn try_token(http: &Client, url: &str, client: &TestClient) -> Option<(u16, Value)> {
    let request = http.post(format!("{url}/api/oauth/token")).basic_auth(&client.id, Some(&client.secret));
    let response = request.form(&[("grant_type", "client_credentials")]).send().ok()?;
    let status = response.status().as_u16();
    Some((status, response.json().ok()?))
}

/// The `jti` of the token in a response.
pub fn jti_of(response: &Value) -> String {
    let token = response["access_token"].as_str().unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["jti"].as_str().unwrap().to_owned()
}

/// The ids of the tokens whose issue is in the audit log.
pub fn issued(database: &Database) -> HashSet<String> {
    let sql = "SELECT jti AS t FROM audit_log WHERE action = 'token.issue' AND outcome = 'success'";
    database.texts(sql).into_iter().collect()
}

/// Makes the database refuse audit events for which `condition` holds.
pub fn refuse_events(database: &Database, condition: &str) {
    database.execute(&match database.kind {
        Kind::Sqlite => format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_log WHEN ({condition}) \
             BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
        ),
        Kind::Postgres => format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON audit_log FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse()"
        ),
    });
}

/// How many events the index of the log does not have yet, fewer than a batch of which wait, and by how many values of
/// the others its rows differ from theirs. A loop in the background extends it.
pub fn index_lacks(database: &Database) -> (i64, i64) {
    let cursor = "COALESCE((SELECT position FROM audit_cursors WHERE name = 'index'), 0)";
    let indexed = format!(
        "EXISTS (SELECT 1 FROM audit_chain c WHERE l.serial >= c.first_serial \
         AND l.serial <= c.first_serial + {cursor} - c.position AND l.serial < c.first_serial + c.events)"
    );
    let is_another = "CASE WHEN l.credential <> l.actor THEN 1 ELSE 0 END";
    let others =
        ["customer", "target", "address"].map(|column| format!("CASE WHEN l.{column} IS NULL THEN 0 ELSE 1 END"));
    let values = format!("5 + {is_another} + {}", others.join(" + "));
    let behind = format!("SELECT COUNT(*) AS n FROM audit_log l WHERE NOT {indexed}");
    let entries = "CASE WHEN gaps = '' THEN 1 ELSE 2 + LENGTH(gaps) - LENGTH(REPLACE(gaps, ' ', '')) END";
    let difference = format!(
        "SELECT CAST(COALESCE((SELECT SUM({values}) FROM audit_log l WHERE {indexed}), 0) \
         - COALESCE((SELECT SUM({entries}) FROM audit_index), 0) AS BIGINT) AS n"
    );
    (database.numbers(&behind)[0], database.numbers(&difference)[0])
}

/// Waits until fewer events than a batch are not in the index of the log, and compares it with the others.
pub fn assert_indexed(database: &Database) {
    eventually("all but the last events are indexed", Duration::from_secs(60), || index_lacks(database).0 < 4_096);
    eventually("the index is complete", Duration::from_secs(20), || index_lacks(database).1 == 0);
}

/// Ends what [`refuse_events`] began.
pub fn accept_events(database: &Database) {
    database.execute(match database.kind {
        Kind::Sqlite => "DROP TRIGGER refuse",
        Kind::Postgres => "DROP TRIGGER refuse ON audit_log; DROP FUNCTION refuse()",
    });
}

both! {
    /// Where events cannot be stored, what would grant or change something is 503.
    fn without_its_event_nothing_is_handed_out_or_changed(database) {
        let server = Server::spawn(database);
        let client = server.client("orders:read");
        let manager =
            server.client_with("sealwright.admin orders:read", &["--audience", &format!("{}/api/v1", server.url)]);
        let management = server.management_token(&manager);
        let token = server.token(&client).body["access_token"].as_str().unwrap().to_owned();
        let counts = |server: &Server| {
            ["credentials", "credential_secrets", "signing_keys", "revoked_tokens", "audit_log"]
                .map(|table| server.database.numbers(&format!("SELECT COUNT(*) AS n FROM {table}"))[0])
        };
        let before = counts(&server);
        refuse_events(&server.database, "1 = 1");

        let response = server.token(&client);
        assert_eq!(
            (response.status, response.body["error"].as_str()),
            (503, Some("temporarily_unavailable")),
            "{}",
            response.text
        );
        assert!(!response.text.contains("access_token"));
        for path in ["/api/oauth/introspect", "/api/oauth/revoke"] {
            let response = server.post_form(path, &client, &[("token", &token)]);
            assert_eq!(response.status, 503, "{path}: {}", response.text);
            assert_eq!(response.body["error"], "temporarily_unavailable", "{path}");
        }
        let body = json!({"name": "must not be", "scopes": ["orders:read"]});
        let mut calls = vec![("POST", "/clients".to_owned(), Some(body)), ("GET", "/clients".to_owned(), None)];
        for verb in ["rotate-secret", "disable", "revoke-tokens", "revoke"] {
            calls.push(("POST", format!("/clients/{}/{verb}", client.id), None));
        }
        calls.push(("POST", "/signing-keys/rotate".to_owned(), Some(json!({}))));
        for (method, path, body) in &calls {
            let response = server.api(method, path, &management, body.as_ref());
            assert_eq!(response.status, 503, "{method} {path}: {}", response.text);
            assert!(!response.text.contains("client_secret"), "{method} {path}");
        }
        let output = server.command(&["client", "revoke", &client.id]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));

        // Refusing grants nothing, and reading public keys is nobody's secret.
        let wrong = TestClient { secret: format!("{}x", client.secret), ..client.clone() };
        assert_eq!(server.token(&wrong).status, 401);
        for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/healthz"] {
            assert_eq!(server.get(path).status, 200, "{path}");
        }
        let metrics = server.get("/metrics").text;
        let failures = metrics.lines().find_map(|line| line.strip_prefix("sealwright_audit_failures_total ")).unwrap();
        assert!(failures.parse::<u64>().unwrap() >= 3, "{failures}");

        assert_eq!(counts(&server), before);
        accept_events(&server.database);
        let response = server.token(&client);
        assert_eq!(response.status, 200, "{}", response.text);
        assert_eq!(server.post_form("/api/oauth/introspect", &client, &[("token", &token)]).body["active"], true);
        for (method, path, body) in &calls {
            let response = server.api(method, path, &management, body.as_ref());
            assert!((200..300).contains(&response.status), "{method} {path}: {}", response.text);
        }
        assert_indexed(&server.database);
    }

    /// Events share a commit, not a fate.
    fn an_event_that_the_database_refuses_takes_no_other_with_it(database) {
        let server = Server::spawn(database);
        let unlimited = ["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"];
        let good = server.client_with("orders:read", &unlimited);
        let refused = server.client_with("orders:read", &unlimited);
        assert_eq!((server.token(&good).status, server.token(&refused).status), (200, 200));
        refuse_events(&server.database, &format!("NEW.credential = '{}'", refused.id));
        let (until, counts) = (Instant::now() + Duration::from_secs(2), [AtomicUsize::new(0), AtomicUsize::new(0)]);
        let received: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let (server, counts, good, refused) = (&server, &counts, &good, &refused);
                    scope.spawn(move || {
                        let mut received = Vec::new();
                        let is_good = number % 2 == 0;
                        while Instant::now() < until {
                            let (client, status) = if is_good { (good, 200) } else { (refused, 503) };
                            let response = server.token(client);
                            assert_eq!(response.status, status, "{}", response.text);
                            counts[number % 2].fetch_add(1, Ordering::Relaxed);
                            if is_good {
                                received.push(jti_of(&response.body));
                            }
                        }
                        received
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let counts = counts.map(AtomicUsize::into_inner);
        assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
        let stored = issued(&server.database);
        assert!(received.iter().all(|jti| stored.contains(jti)));
        accept_events(&server.database);
        assert_eq!(server.token(&refused).status, 200);
    }

    /// Singly up to 100 a minute for each address, then one summary a second with the count.
    fn a_flood_of_unknown_clients_is_stored_as_some_events_and_summaries(database) {
        let server = Arc::new(Server::spawn(database));
        flood(&server);
        holds_within(Duration::from_secs(10), || refusals(&server.database)[1] >= FLOOD);
        let [rows, total, singly] = refusals(&server.database);
        assert_eq!(total, FLOOD);
        // A hundred at once, and what a minute's quota refills while they come.
        assert!((100..120).contains(&singly) && rows < 130, "{rows} rows, {singly} of them for one request");
    }

    /// A stop stores what was counted so far.
    fn a_stop_loses_no_count_of_a_flood(database) {
        let mut server = Arc::new(Server::spawn(database));
        flood(&server);
        let server = Arc::get_mut(&mut server).unwrap();
        server.signal("TERM");
        assert!(server.wait());
        assert_eq!(refusals(&server.database)[1], FLOOD);
    }
}

const FLOOD: i64 = 1000;

/// Requests of clients that do not exist, each with another id.
fn flood(server: &Arc<Server>) {
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let server = Arc::clone(server);
            std::thread::spawn(move || {
                for number in 0..FLOOD / 8 {
                    let client = TestClient { id: format!("cli_{thread}unknown{number}"), secret: "secret".to_owned() };
                    assert_eq!(server.token(&client).status, 401);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Rows for refused token requests, the requests that they count for, and the rows that count for one.
fn refusals(database: &Database) -> [i64; 3] {
    let of = "FROM audit_log WHERE action = 'token.issue' AND outcome = 'refused'";
    [
        format!("SELECT COUNT(*) AS n {of}"),
        format!("SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) AS n {of}"),
        format!("SELECT COUNT(*) AS n {of} AND count = 1"),
    ]
    .map(|sql| database.numbers(&sql)[0])
}
