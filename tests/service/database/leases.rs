//! Background loops that must run once: which process runs them, and what becomes of one that does not know that it is
//! no longer the one.

use std::time::{Duration, Instant};

use super::positions::{assert_positions, unpositioned};
use crate::support::{Database, Kind, Server, TestClient, both, eventually, holds_within, pause};

/// Holder and fence of the sequencer's lease.
fn lease(database: &Database) -> (String, i64) {
    let row = |column: &str| format!("SELECT {column} FROM leases WHERE name = 'sequencer'");
    (database.texts(&row("holder AS t")).remove(0), database.numbers(&row("fence AS n"))[0])
}

fn unlimited(server: &Server) -> TestClient {
    server.client_with("orders:read", &["--rate-per-minute", "unlimited", "--burst-per-second", "unlimited"])
}

/// Stops a process where it holds no lock of SQLite, which would stop everybody.
fn stop_between_transactions(server: &Server) {
    let is_free = || {
        let Kind::Sqlite = server.database.kind else { return true };
        let mut beside = server.database.connect();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            beside("PRAGMA busy_timeout = 300; BEGIN IMMEDIATE; COMMIT");
        }))
        .is_ok()
    };
    server.signal("STOP");
    while !is_free() {
        server.signal("CONT");
        pause("it ends its transaction", Duration::from_millis(50));
        server.signal("STOP");
    }
}

/// Makes events on some servers for a while.
fn use_for(duration: Duration, servers: &[&Server], client: &TestClient) {
    let until = Instant::now() + duration;
    while Instant::now() < until {
        for server in servers {
            assert_eq!(server.token(client).status, 200);
        }
    }
}

both! {
    fn another_process_takes_over_from_one_that_is_stopped_and_keeps_what_it_took(database) {
        let first = Server::spawn(database);
        let second = first.beside(&[]);
        let database = &first.database;
        let client = unlimited(&first);
        use_for(Duration::from_millis(500), &[&first, &second], &client);
        let (holder, fence) = lease(database);
        stop_between_transactions(&first);
        let stopped = Instant::now();
        // Within a transaction it holds the row, until PostgreSQL ends its session after thirty seconds.
        eventually("it is taken over", Duration::from_secs(90), || lease(database).0 != holder);
        assert!(stopped.elapsed() > Duration::from_secs(3), "a holder has time to show that it lives");
        let taken = lease(database);
        assert_eq!(taken.1, fence + 1);
        use_for(Duration::from_secs(1), &[&second], &client);
        eventually("positions are given", Duration::from_secs(20), || unpositioned(database) == 0);

        first.signal("CONT");
        use_for(Duration::from_secs(3), &[&first, &second], &client);
        eventually("positions are given", Duration::from_secs(20), || unpositioned(database) == 0);
        assert_positions(database);
        assert_eq!(lease(database), taken, "it is not taken back");
        let told = || first.log().contains("another process has taken over the lease \"sequencer\"");
        eventually("the first one knows", Duration::from_secs(10), told);
    }

    /// As if a process were stopped just before it writes.
    fn a_write_under_a_lease_that_was_taken_over_is_refused(database) {
        let server = Server::spawn(database);
        let database = &server.database;
        let client = unlimited(&server);
        eventually("positions are given", Duration::from_secs(20), || unpositioned(database) == 0);
        let (_, fence) = lease(database);

        // The server has read that there is an event without a position, and waits for this transaction to write it.
        let mut thief = database.connect();
        assert_eq!(server.token(&client).status, 200);
        thief(if database.kind == Kind::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" });
        thief("UPDATE leases SET holder = 'another', fence = fence + 1, heartbeat = heartbeat + 1");
        pause("the server comes to write", Duration::from_millis(2_000));
        thief("COMMIT");
        let refusal = "another process has taken over the lease \"sequencer\": this write is refused";
        eventually("it is refused", Duration::from_secs(10), || server.log().contains(refusal));

        // While the other one lives, the server writes nothing; then it takes over.
        let lives = || {
            thief("UPDATE leases SET heartbeat = heartbeat + 1 WHERE holder = 'another'");
            pause("it lives", Duration::from_millis(300));
            assert_eq!(server.token(&client).status, 200);
            lease(database).0 != "another" || unpositioned(database) == 0
        };
        assert!(!holds_within(Duration::from_secs(7), lives), "another process holds the lease, and lives");
        eventually("it takes over", Duration::from_secs(30), || unpositioned(database) == 0);
        assert_eq!(lease(database).1, fence + 2);
        assert_positions(database);
    }

    fn a_process_that_ends_returns_its_leases(database) {
        let mut first = Server::spawn(database);
        let _second = first.beside(&[]);
        let (holder, _) = lease(&first.database);
        first.signal("TERM");
        assert!(first.wait());
        eventually("the other has them", Duration::from_secs(3), || {
            let holders = first.database.texts("SELECT DISTINCT holder AS t FROM leases");
            holders.len() == 1 && !holders[0].is_empty() && holders[0] != holder
        });
    }
}
