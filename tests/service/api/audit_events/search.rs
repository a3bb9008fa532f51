//! How events are found.

use super::*;

both! {
    fn events_are_found_by_every_filter(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let start = server.now();
        let (_, client) = created(&server, &token, &minimal("filtered"));
        let issued = server.token(&client);
        let refused = server.token(&TestClient { secret: "x".into(), ..client.clone() });
        server.advance(20);
        let middle = server.now();
        server.advance(20);
        let last = server.token(&client);
        let found = |query: &str| {
            let response = server.api("GET", &format!("/audit-events?{query}"), &token, None);
            column(&response, "request_id")
        };
        let id = |response: &Response| response.header("x-request-id").to_owned();
        let own = format!("credential={}", client.id);
        let (start, middle) = (rfc3339(start), rfc3339(middle));
        let all = found(&own);
        assert_eq!(all.len(), 4, "used by it, or done to it");
        assert_eq!(all[..3], [id(&last), id(&refused), id(&issued)], "newest first");
        for (query, expected) in [
            ("action=token.issue", vec![&last, &refused, &issued]),
            ("action=token.issue&outcome=success", vec![&last, &issued]),
            ("outcome=refused", vec![&refused]),
            ("outcome=error", vec![]),
            (&format!("since={middle}"), vec![&last]),
            (&format!("until={middle}&action=token.issue"), vec![&refused, &issued]),
            (&format!("since={start}&until={middle}&outcome=success&action=token.issue"), vec![&issued]),
            (&format!("until={start}"), vec![]),
            (&format!("request_id={}", id(&refused)), vec![&refused]),
            ("environment=production&outcome=refused", vec![&refused]),
            ("environment=staging", vec![]),
            ("action=token.revoke", vec![]),
            ("limit=1", vec![&last]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(id).collect();
            assert_eq!(found(&format!("{own}&{query}")), expected, "{query}");
        }
        let all = column(&server.api("GET", &format!("/audit-events?{own}"), &token, None), "id");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.api("GET", &format!("/audit-events?{own}&limit=2{cursor}"), &token, None);
            seen.extend(column(&page, "id"));
            match &page.body["next_cursor"] {
                Value::Null => break,
                next => cursor = format!("&cursor={}", text(next)),
            }
        }
        assert_eq!(seen, all, "page by page");
    }

    fn events_of_a_credential_are_found_however_far_apart_they_are(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (busy, rare) = ("cli_busy", "cli_rare");
        let start = 1_700_000_000_000_i64;
        let (mut rows, mut expected) = (vec![], vec![]);
        for second in 0..8_000_i64 {
            let subjects = if second % 3 == 0 { vec![busy, rare] } else { vec![busy] };
            for (place, subject) in subjects.into_iter().enumerate() {
                let time = start + second * 1000 + 500 * i64::try_from(place).unwrap();
                let id = crate::support::in_process::first_event_id(time);
                let column = if second % 2 == 0 { format!("'{subject}', NULL") } else { format!("NULL, '{subject}'") };
                rows.push(format!(
                    "('{id}', {time}, 'x', {column}, 'production', 'x.y', 'success', 200, 'ok', '', '', '', '', 0, 1)"
                ));
                if subject == rare {
                    expected.push(id.clone());
                }
            }
        }
        for rows in rows.chunks(400) {
            server.database.execute(&format!(
                "INSERT INTO audit_log (id, time, actor, credential, target, environment, action, outcome, status, \
                 reason, method, path, user_agent, request_id, duration_micros, count) VALUES {}",
                rows.join(",")
            ));
        }
        expected.reverse();
        let found = || {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let query = format!("/audit-events?credential={rare}&limit=100{cursor}");
                let page = server.api("GET", &query, &token, None);
                seen.extend(column(&page, "id"));
                match &page.body["next_cursor"] {
                    Value::Null => return seen,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
        };
        assert_eq!(found(), expected, "as soon as they are stored");
        assert_indexed(&server.database);
        assert_eq!(found(), expected);
        let listed = server.cli(&["audit", "list", "--credential", rare, "--limit", "100000"]);
        assert_eq!(listed.as_array().or(listed["data"].as_array()).map(Vec::len), Some(expected.len()));
    }

    fn asking_for_another_environment_has_its_event_too(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (path, action) in [("/clients", "client.list"), ("/audit-events", "audit.list")] {
            let response = server.api("GET", &format!("{path}?environment=staging"), &token, None);
            assert_eq!((response.status, &response.body["data"]), (200, &json!([])));
            assert_eq!(event_of(&server, &response)["action"], action);
        }
    }
}
