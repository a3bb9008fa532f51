//! Positions of audit events: each has one, none is repeated, and they have the order in which events were inserted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::command_on;
use crate::support::{Database, Kind, Server, both, eventually, pause, system_now};

/// Runs as position, first serial and number of events, in the order of positions.
fn runs(database: &Database) -> Vec<(i64, i64, i64)> {
    let column = |name: &str| database.numbers(&format!("SELECT {name} AS n FROM audit_chain ORDER BY position"));
    let (positions, serials, events) = (column("position"), column("first_serial"), column("events"));
    positions
        .into_iter()
        .zip(serials)
        .zip(events)
        .map(|((position, serial), events)| (position, serial, events))
        .collect()
}

/// The number of events without a position.
pub fn unpositioned(database: &Database) -> i64 {
    database.numbers(
        "SELECT COUNT(*) AS n FROM audit_log l WHERE NOT EXISTS (SELECT 1 FROM audit_chain c \
         WHERE l.serial >= c.first_serial AND l.serial < c.first_serial + c.events)",
    )[0]
}

/// Positions begin at 1 and have no gaps; each belongs to a stored event, in the order of serials.
#[track_caller]
pub fn assert_positions(database: &Database) {
    let (mut next, mut after) = (1, 0);
    for (position, serial, events) in runs(database) {
        assert_eq!(position, next, "positions are dense");
        assert!(serial > after && events > 0, "serials rise: {serial} after {after}");
        (next, after) = (position + events, serial + events - 1);
    }
    let stored = format!("SELECT COUNT(*) AS n FROM audit_log WHERE serial <= {after}");
    assert_eq!(database.numbers(&stored)[0], next - 1, "no position without its event");
}

/// A statement that inserts `count` events.
fn insert(count: usize) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let row = |_| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let time = system_now();
        let id = format!("evt_{time:012x}{number:020x}");
        format!("('{id}', {time}, 'x', 'cli_x', 'production', 'x.y', 'success', 200, 'ok', '', '', '', '', 0, 1)")
    };
    let rows: Vec<String> = (0..count).map(row).collect();
    format!(
        "INSERT INTO audit_log (id, time, actor, credential, environment, action, outcome, status, reason, method, \
         path, user_agent, request_id, duration_micros, count) VALUES {}",
        rows.join(",")
    )
}

fn begin(database: &Database) -> &'static str {
    if database.kind == Kind::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }
}

both! {
    /// Many write at once, some give up, and some commit seconds after those who came later.
    fn none_is_missed_or_repeated_whenever_writers_commit(database) {
        let server = Server::start(database);
        let database = &server.database;
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for number in 0..4_u64 {
                let (mut writer, is_over) = (database.connect(), &is_over);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(number);
                    while !is_over.load(Ordering::SeqCst) {
                        writer(begin(database));
                        for _ in 0..random.usize(1..4) {
                            writer(&insert(random.usize(1..20)));
                            pause("others come between", Duration::from_millis(random.u64(0..5)));
                        }
                        // Each of them sometimes takes its time.
                        if random.u8(0..20) == 0 {
                            pause("it commits late", Duration::from_millis(random.u64(300..1_200)));
                        }
                        writer(if random.u8(0..5) == 0 { "ROLLBACK" } else { "COMMIT" });
                        pause("others take the lock", Duration::from_millis(random.u64(1..10)));
                    }
                });
            }
            let seen: Vec<_> = (0..20)
                .map(|_| {
                    pause("positions are given meanwhile", Duration::from_millis(300));
                    runs(database)
                })
                .collect();
            // The writers end before anything can fail here.
            is_over.store(true, Ordering::SeqCst);
            for pair in seen.windows(2) {
                assert_eq!(pair[1][..pair[0].len()], pair[0], "what has a position keeps it");
            }
            assert!(seen[19].len() > 1, "{seen:?}");
        });
        eventually("all have one", Duration::from_secs(30), || unpositioned(database) == 0);
        assert_positions(database);
    }

    /// While a transaction may still store an event, nothing behind that event gets a position; then all of it does.
    fn a_transaction_that_commits_late_comes_before_those_that_began_later(database) {
        let server = Server::start(database);
        let database = &server.database;
        for end in ["COMMIT", "ROLLBACK"] {
            eventually("all have one", Duration::from_secs(20), || unpositioned(database) == 0);
            let before = runs(database).last().unwrap().0;
            let (mut late, mut early) = (database.connect(), database.connect());
            late(begin(database));
            late(&insert(1));
            if database.kind == Kind::Postgres {
                early(&insert(3));
                pause("they could get positions", Duration::from_millis(2_000));
                assert_eq!((runs(database).last().unwrap().0, unpositioned(database)), (before, 3));
            }
            late(end);
            early(&insert(3));
            eventually("all have one", Duration::from_secs(20), || unpositioned(database) == 0);
            assert_positions(database);
        }
    }

    /// A row that somebody removed before it had a position leaves a gap, which holds up nobody.
    fn a_gap_between_serials_holds_up_nobody(database) {
        let server = Server::start(database);
        let database = &server.database;
        let mut writer = database.connect();
        writer(begin(database));
        writer(&insert(5));
        writer("DELETE FROM audit_log WHERE serial = (SELECT MAX(serial) - 2 FROM audit_log)");
        writer("COMMIT");
        eventually("all have one", Duration::from_secs(20), || unpositioned(database) == 0);
        assert_positions(database);
    }

    fn a_copy_keeps_positions_and_continues_them(database) {
        let server = Server::start(database);
        server.client("orders:read");
        server.database.execute(&insert(30));
        eventually("all have one", Duration::from_secs(20), || unpositioned(&server.database) == 0);
        let file = server.database.folder.path().join("copy.jsonl");
        server.cli(&["backup", "--output", file.to_str().unwrap()]);
        let events = |database: &Database| -> Vec<String> {
            let until = runs(database)[0].1 + 20;
            database.texts(&format!("SELECT id AS t FROM audit_log WHERE serial <= {until} ORDER BY serial"))
        };
        let stored = runs(&server.database);
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let other = Database::empty(kind);
            std::fs::create_dir(other.data_dir()).unwrap();
            let restore = ["restore", "--input", file.to_str().unwrap()];
            assert!(command_on(&other, &[], &restore).output().unwrap().status.success());
            let kept = runs(&other);
            assert_eq!(kept[..], stored[..kept.len()], "{kind:?}");
            assert!(!kept.is_empty());
            assert_eq!(events(&other), events(&server.database), "{kind:?}");
            std::fs::copy(server.database.data_dir().join("master.key"), other.data_dir().join("master.key")).unwrap();
            let restored = Server::start(other);
            restored.client("orders:read");
            eventually("all have one", Duration::from_secs(20), || unpositioned(&restored.database) == 0);
            assert_positions(&restored.database);
            let numbers = restored.database.numbers("SELECT serial AS n FROM audit_log");
            assert_eq!(numbers.len(), numbers.iter().collect::<BTreeSet<_>>().len());
        }
    }
}
