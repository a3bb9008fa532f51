//! `sealwright audit verify`: what was done to events that are sealed.

use std::time::Duration;

use serde_json::{Value, json};

use super::end_with;
use crate::support::{Database, Kind, Server, both, eventually};

/// What the command finds, with this exit status.
#[track_caller]
pub fn verify(server: &Server, status: i32) -> Value {
    let ended = end_with(status, &mut server.command(&["audit", "verify", "--json"]));
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"))
}

/// Tables that a case changes, and that are put back after it.
const TABLES: [&str; 3] = ["audit_log", "audit_chain", "audit_seals"];

fn keep(database: &Database) {
    let mut connection = database.connect();
    TABLES.iter().for_each(|table| connection(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")));
}

fn put_back(database: &Database) {
    let mut connection = database.connect();
    TABLES.iter().for_each(|table| connection(&format!("DELETE FROM {table}")));
    TABLES.iter().for_each(|table| connection(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")));
}

/// A server that has ended, whose events are sealed. A serial is missing between two of them, and so is one event that
/// had its position.
fn sealed(database: Database) -> Server {
    let mut server = Server::spawn(database);
    let client = server.client("orders:read");
    for _ in 0..40 {
        assert_eq!(server.token(&client).status, 200);
    }
    let count = |of: &str| server.database.numbers(&format!("SELECT CAST({of} AS BIGINT) AS n"))[0];
    let events = || count("(SELECT COUNT(*) FROM audit_log)");
    eventually("all events are sealed", Duration::from_secs(60), || {
        events() > 40 && count("COALESCE((SELECT SUM(events) FROM audit_seals), 0)") >= events()
    });
    server.kill();
    server
}

/// The number and the text of a query's only row.
fn event(server: &Server, offset: usize) -> (i64, String) {
    let of = |column: &str| format!("SELECT {column} FROM audit_log ORDER BY serial LIMIT 1 OFFSET {offset}");
    (server.database.numbers(&of("serial AS n"))[0], server.database.texts(&of("id AS t")).remove(0))
}

both! {
    fn a_log_that_nobody_touched_is_intact(database) {
        let server = sealed(database);
        let found = verify(&server, 0);
        assert_eq!((&found["is_intact"], &found["defect"], &found["erased"]), (&json!(true), &Value::Null, &json!(0)));
        assert!(found["verified"].as_i64() > Some(40), "{found}");
        assert_eq!(found["sealed_until"], found["verified"], "{found}");
        assert_eq!(server.events(&["--action", "audit.verify"]).len(), 1, "reading the log is an event");
        assert_eq!(verify(&server, 0)["verified"], found["verified"], "what is newer is no defect");
    }

    fn the_first_event_that_is_not_as_it_was_sealed_is_named(database) {
        let server = sealed(database);
        keep(&server.database);
        let ((serial, id), (next, next_id)) = (event(&server, 20), event(&server, 21));
        let case = |sql: String, defect: &str, position: usize, event: Option<&str>| {
            sql.split("; ").for_each(|sql| server.database.connect()(sql));
            let found = verify(&server, 1);
            let expected = (&json!(false), &json!(defect), &json!(position), &json!(event));
            assert_eq!((&found["is_intact"], &found["defect"], &found["position"], &found["event"]), expected, "{sql}");
            put_back(&server.database);
        };
        let columns = server.database.columns("audit_log", &["serial"]);
        assert!(columns.len() > 19, "{columns:?}");
        for column in columns {
            let (value, id) = match column.as_str() {
                "time" | "status" | "duration_micros" | "count" => ("77", &*id),
                "id" => ("'evt_other'", "evt_other"),
                _ => ("'192.0.2.77'", &*id),
            };
            case(format!("UPDATE audit_log SET {column} = {value} WHERE serial = {serial}"), "changed", 21, Some(id));
        }
        case(format!("DELETE FROM audit_log WHERE serial = {serial}"), "removed", 21, None);
        case(format!("DELETE FROM audit_log WHERE serial >= {serial}"), "removed", 21, None);
        case("DELETE FROM audit_log".to_owned(), "removed", 1, None);
        case(
            format!(
                "UPDATE audit_log SET serial = -1 WHERE serial = {serial}; \
                 UPDATE audit_log SET serial = {serial} WHERE serial = {next}; \
                 UPDATE audit_log SET serial = {next} WHERE serial = -1"
            ),
            "reordered",
            21,
            Some(&next_id),
        );
        case("UPDATE audit_seals SET sealed_at = 0, events = events - 1".to_owned(), "seal_broken", 1, None);
        case("UPDATE audit_seals SET contents = persons".to_owned(), "seal_broken", 1, None);
        case("UPDATE audit_seals SET chain = contents".to_owned(), "seal_broken", 1, None);
        assert_eq!(verify(&server, 0)["is_intact"], true, "all is put back");
    }

    fn loops_that_do_not_follow_the_log_are_told(database) {
        let mut server = sealed(database);
        let lag = |server: &Server, name: &str| {
            let metrics = server.get("/metrics").text;
            let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("sealwright_{name} ")));
            line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
        };
        let told = |server: &Server| end_with(0, &mut server.command(&["doctor", "--json"])).out;
        assert!(!told(&server).contains("audit log"));
        // Nobody gives positions to what commands store, and that was two minutes ago.
        end_with(0, &mut server.command(&["client", "list"]));
        server.database.connect()("UPDATE audit_log SET time = time - 120000");
        let said = told(&server);
        assert!(said.contains("has no position") && said.contains("is not sealed"), "{said}");
        server.restart();
        eventually("the loops have followed", Duration::from_secs(60), || {
            let names = ["audit_positions_lag_seconds", "audit_seals_lag_seconds", "audit_unindexed"];
            let lags: [f64; 3] = names.map(|name| lag(&server, name));
            lags[0] < 60.0 && lags[1] < 60.0 && lags[2] > 40.0
        });
        assert!(!told(&server).contains("audit log"));
    }

    fn an_event_that_was_not_there_is_named(database) {
        let mut server = Server::spawn(database);
        let client = server.client("orders:read");
        let issue = || assert_eq!(server.token(&client).status, 200);
        issue();
        // A gap between serials, as a transaction leaves it that was rolled back.
        let gap = server.database.numbers("SELECT MAX(serial) + 1 AS n FROM audit_log")[0];
        let skip = match server.database.kind {
            Kind::Sqlite => "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'audit_log'",
            Kind::Postgres => "SELECT nextval(pg_get_serial_sequence('audit_log', 'serial'))",
        };
        server.database.connect()(skip);
        issue();
        let last = server.database.numbers("SELECT MAX(serial) AS n FROM audit_log")[0];
        assert_eq!(last, gap + 1);
        eventually("all are sealed", Duration::from_secs(60), || {
            let end = "SELECT CAST(COALESCE(SUM(events), 0) AS BIGINT) AS n FROM audit_seals";
            server.database.numbers(end)[0] >= server.database.numbers("SELECT COUNT(*) AS n FROM audit_log")[0]
        });
        server.kill();
        let columns = server.database.columns("audit_log", &["serial", "id"]).join(", ");
        server.database.connect()(&format!(
            "INSERT INTO audit_log (serial, id, {columns}) SELECT {gap}, 'evt_forged', {columns} FROM audit_log \
             WHERE serial = {last}"
        ));
        let found = verify(&server, 1);
        assert_eq!((&found["defect"], &found["event"]), (&json!("inserted"), &json!("evt_forged")), "{found}");
    }
}
