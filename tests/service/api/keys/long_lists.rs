//! Lists of many keys: every combination of filters finds all of its own, whatever number of steps and pages it takes.

use super::*;

/// Copies of a key.
const KEYS: i64 = 6_000;

/// Makes many keys beside the server. Their numbers, from the newest 1, say what they are.
fn make(server: &Server, original: &str, owner: &str, customer: &str) {
    let columns = server.database.columns("credentials", &["id", "name", "owner", "environment", "state", "key_type"]);
    let columns = columns.join(", ");
    server.database.execute(&format!(
        "CREATE TEMPORARY TABLE numbers AS \
             WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {KEYS}) \
             SELECT n, 'key_0' || substr('0000000000', 1, 10 - length(CAST({KEYS} - n AS TEXT))) || ({KEYS} - n) \
                 || '000000000000000000000' AS id FROM number; \
         INSERT INTO credentials (id, name, owner, environment, state, key_type, {columns}) \
             SELECT numbers.id, CASE WHEN n % 7 = 0 THEN 'seven ' || n ELSE 'other ' || n END, \
                 CASE WHEN n % 11 = 0 THEN '{owner}' END, 'production', \
                 CASE n % 13 WHEN 0 THEN 'revoked' WHEN 1 THEN 'disabled' ELSE 'enabled' END, \
                 CASE WHEN n % 500 = 0 THEN 'internal' ELSE 'partner' END, {columns} \
             FROM numbers, credentials WHERE credentials.id = '{original}'; \
         INSERT INTO credential_customers (customer, credential) SELECT '{customer}', id FROM numbers WHERE n % 17 = 0"
    ));
}

both! {
    fn every_combination_of_filters_finds_all_of_its_own(database) {
        // Each page stops after its first step.
        let server = Server::start_with(database, &[("LIST_TIME_LIMIT", "0s")]);
        let token = owner(&server);
        let acme = entered_customer(&server, &token, "acme");
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let original = text(&created_key(&server, &token, &minimal_key("original")).0["id"]);
        make(&server, &original, &ann, &acme);
        server.database.execute(&format!("UPDATE credentials SET state = 'revoked' WHERE id = '{original}'"));
        type Condition = fn(i64) -> bool;
        let owned = format!("owner={ann}");
        let conditions: [(&str, Condition); 7] = [
            ("name=seven", |n| n % 7 == 0),
            (&owned, |n| n % 11 == 0),
            ("status=inactive", |n| n % 13 == 1),
            ("status=active", |n| n % 13 > 1),
            ("type=internal", |n| n % 500 == 0),
            ("customer=acme", |n| n % 17 == 0),
            ("environment=production", |_| true),
        ];
        let mut queries: Vec<(String, Vec<Condition>)> = Vec::new();
        for (at, (query, condition)) in conditions.iter().enumerate() {
            queries.push(((*query).to_owned(), vec![*condition]));
            for (other, also) in &conditions[at + 1..] {
                if !(query.starts_with("status") && other.starts_with("status")) {
                    queries.push((format!("{query}&{other}"), vec![*condition, *also]));
                }
            }
        }
        for (query, conditions) in queries {
            let expected = (1..=KEYS).filter(|n| conditions.iter().all(|condition| condition(*n))).count();
            let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let page = server.api("GET", &format!("/keys?{query}&limit=1000{cursor}"), &token, None);
                seen.extend(column(&page, "id"));
                pages += 1;
                match &page.body["next_cursor"] {
                    Value::Null => break,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
            assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{query}: newest first, none twice");
            let own = seen.iter().filter(|id| **id != original).count();
            assert_eq!(own, expected, "{query}");
            assert!(pages <= 14, "{query}: {pages} pages");
        }
    }
}
