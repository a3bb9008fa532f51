//! A long log: what is rare in it is found, page by page, and searching it keeps nobody else waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::support::TestKey;
use crate::support::in_process::first_pages;

/// The columns of an event that lists are filtered by, as expressions of its number `n`.
struct Made<'t> {
    events: i64,
    columns: &'t [(&'t str, &'t str)],
}

/// Makes events beside the server, a thousand in each second before 2024.
fn make(server: &Server, made: &Made<'_>) {
    let is_made = |column: &&(&str, &str)| made.columns.iter().all(|(name, _)| *name != column.0);
    let others = [
        ("actor", "'x'"),
        ("environment", "'production'"),
        ("action", "'token.issue'"),
        ("outcome", "'success'"),
        ("reason", "'ok'"),
    ];
    let columns: Vec<&(&str, &str)> = made.columns.iter().chain(others.iter().filter(is_made)).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = columns.iter().map(|(_, value)| *value).collect();
    // Ids begin with the time in twelve hexadecimal digits.
    let id = match server.database.url() {
        Some(_) => "'evt_' || lpad(to_hex(1700000000000 + n), 12, '0') || '70000000000000000000'",
        None => "'evt_' || printf('%012x', 1700000000000 + n) || '70000000000000000000'",
    };
    server.database.execute(&format!(
        "INSERT INTO audit_log (id, time, status, method, path, user_agent, request_id, duration_micros, count, {}) \
             WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {}) \
             SELECT {id}, 1700000000000 + n, 200, '', '', '', '', 0, 1, {} FROM number",
        names.join(", "),
        made.events,
        values.join(", ")
    ));
}

/// The ids of all events of a list, and how many pages it took.
fn pages(server: &Server, token: &str, query: &str) -> (Vec<String>, usize) {
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = server.api("GET", &format!("/audit-events?{query}{cursor}"), token, None);
        seen.extend(column(&page, "id"));
        pages += 1;
        match &page.body["next_cursor"] {
            Value::Null => return (seen, pages),
            next => cursor = format!("&cursor={}", text(next)),
        }
    }
}

both! {
    /// Each page stops after its first steps. What many events have, and what few of them have, is on the first page.
    fn each_filter_alone_is_answered_from_an_index(database) {
        let server = Server::start_with(database, &[("LIST_TIME_LIMIT", "0s")]);
        // Sixty events of 60,000, none of which is among the latest.
        let is_rare = "n % 500 = 1 AND n < 30000";
        let rare = |rare: &str, other: &str| format!("CASE WHEN {is_rare} THEN {rare} ELSE {other} END");
        let columns = [
            ("environment", rare("'staging'", "'production'")),
            ("action", rare("'key.update'", "'token.issue'")),
            ("outcome", rare("'refused'", "'success'")),
            ("reason", rare("'address_not_allowed'", "'ok'")),
            ("actor", rare("'usr_rare'", "'cli_busy'")),
            ("credential", rare("'cli_rare'", "'cli_busy'")),
            ("customer", rare("'cus_rare'", "NULL")),
            ("target", rare("'key_rare'", "NULL")),
            ("address", rare("'192.0.2.7'", "'192.0.2.1'")),
        ];
        let columns: Vec<(&str, &str)> = columns.iter().map(|(name, value)| (*name, value.as_str())).collect();
        make(&server, &Made { events: 60_000, columns: &columns });
        assert_indexed(&server.database);
        let filters = [
            ("environment", "staging"),
            ("environment", "production"),
            ("action", "key.update"),
            ("action", "token.issue"),
            ("outcome", "refused"),
            ("reason", "address_not_allowed"),
            ("actor", "usr_rare"),
            ("actor", "cli_busy"),
            ("credential", "cli_rare"),
            ("credential", "key_rare"),
            ("customer", "cus_rare"),
            ("target", "key_rare"),
            ("address", "192.0.2.7"),
        ];
        let settings = server.database.folder.path().join("sealwright.toml");
        assert_eq!(first_pages(&settings, &filters), filters.map(|filter| (filter, 50)));
        let nothing = [("action", "role.delete"), ("actor", "nobody"), ("customer", "cus_none")];
        assert_eq!(first_pages(&settings, &nothing), nothing.map(|filter| (filter, 0)));
    }

    fn what_is_rare_is_found_page_by_page(database) {
        // Each page stops after its first steps.
        let server = Server::start_with(database, &[("LIST_TIME_LIMIT", "0s")]);
        let token = owner(&server);
        // Errors and events of the credential are frequent; the oldest event alone is both.
        let columns = [
            ("credential", "CASE WHEN n % 2 = 1 THEN 'cli_busy' END"),
            ("outcome", "CASE WHEN n % 2 = 0 OR n = 1 THEN 'error' ELSE 'success' END"),
        ];
        make(&server, &Made { events: 20_000, columns: &columns });
        assert_indexed(&server.database);
        let (seen, taken) = pages(&server, &token, "outcome=error&credential=cli_busy");
        assert_eq!(seen.len(), 1);
        assert!((6..=20).contains(&taken), "{taken} pages");
        let (all, _) = pages(&server, &token, "credential=cli_busy&limit=1000");
        assert_eq!(all.len(), 10_000);
        let listed = server.cli(&["audit", "list", "--outcome", "error", "--credential", "cli_busy"]);
        let listed = listed.as_array().or(listed["data"].as_array()).map(Vec::len);
        assert_eq!(listed, Some(1), "a command reads all pages");
    }

    /// Slow reads have connections of their own: what other processes change applies here as usual.
    fn slow_reads_do_not_delay_what_others_change(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let verifier = server.key_with("sealwright.keys:verify", &["--type", "internal"]);
        let client = server.client("orders:read");
        let columns = [("credential", "'cli_busy'"), ("outcome", "CASE n WHEN 1 THEN 'error' ELSE 'success' END")];
        make(&server, &Made { events: 400_000, columns: &columns });
        let is_valid = |key: &TestKey| {
            let body = json!({"key": key.key, "environment": "production"});
            server.api_with_key("POST", "/keys/verify", &verifier.key, Some(&body)).body["valid"] == true
        };
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let rare = "/audit-events?outcome=error&until=2024-06-01T00:00:00Z";
                        let read = server.api("GET", rare, &token, None);
                        assert_eq!(read.status, 200, "{}", read.text);
                    }
                });
            }
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for _ in 0..3 {
                    let key = server.key("orders:read");
                    assert!(is_valid(&key));
                    server.cli(&["key", "revoke", &key.id, "--yes"]);
                    let started = Instant::now();
                    while is_valid(&key) {
                        assert!(started.elapsed() < Duration::from_secs(2), "the follower starves");
                    }
                    let started = Instant::now();
                    assert_eq!(server.token(&client).status, 200);
                    assert!(started.elapsed() < Duration::from_secs(2), "a token took {:?}", started.elapsed());
                }
            }));
            is_over.store(true, Ordering::Relaxed);
            if let Err(panic) = ended {
                std::panic::resume_unwind(panic);
            }
        });
    }
}
