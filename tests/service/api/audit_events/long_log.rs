//! A long log: what is rare in it is found, page by page, and searching it keeps nobody else waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::support::TestKey;

/// Makes events beside the server, a thousand in each second before 2024, of which the oldest alone is an error.
fn make(server: &Server, events: i64, subject: &str) {
    let columns = "time, actor, credential, environment, action, outcome, status, reason, method, path, user_agent, \
                   request_id, duration_micros, count";
    let shared = "1700000000000 + n, 'x', '{subject}', 'production', 'token.issue'".replace("{subject}", subject);
    // Ids begin with the time in twelve hexadecimal digits.
    let id = match server.database.url() {
        Some(_) => "'evt_' || lpad(to_hex(1700000000000 + n), 12, '0') || '70000000000000000000'",
        None => "'evt_' || printf('%012x', 1700000000000 + n) || '70000000000000000000'",
    };
    server.database.execute(&format!(
        "INSERT INTO audit_log (id, {columns}) \
             WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {events}) \
             SELECT {id}, {shared}, CASE n WHEN 1 THEN 'error' ELSE 'success' END, 200, 'ok', '', '', '', '', 0, 1 \
             FROM number; \
         INSERT INTO audit_seconds (subject, second) \
             SELECT DISTINCT credential, time / 1000 FROM audit_log WHERE credential = '{subject}'"
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
    fn what_is_rare_is_found_page_by_page(database) {
        // Each page stops after its first window.
        let server = Server::start_with(database, &[("LIST_TIME_LIMIT", "0s")]);
        let token = owner(&server);
        make(&server, 5_500, "cli_busy");
        let of_action = "outcome=error&action=token.issue&limit=1";
        for query in ["outcome=error", "outcome=error&credential=cli_busy", of_action] {
            let (seen, pages) = pages(&server, &token, query);
            assert_eq!(seen.len(), 1, "{query}");
            assert!((5..=8).contains(&pages), "{query}: {pages} pages");
        }
        let (all, _) = pages(&server, &token, "credential=cli_busy&limit=1000");
        assert_eq!(all.len(), 5_500);
        let listed = server.cli(&["audit", "list", "--outcome", "error"]);
        let listed = listed.as_array().or(listed["data"].as_array()).map(Vec::len);
        assert_eq!(listed, Some(1), "a command reads all pages");
    }

    /// Slow reads have connections of their own: what other processes change applies here as usual.
    fn slow_reads_do_not_delay_what_others_change(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let verifier = server.key_with("sealwright.keys:verify", &["--type", "internal"]);
        let client = server.client("orders:read");
        make(&server, 400_000, "cli_busy");
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
