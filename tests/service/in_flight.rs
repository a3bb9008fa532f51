//! What is in flight when something is revoked or narrowed: a request that was authorised and waits, and a decision
//! from caches that another process has overtaken.

use serde_json::{Value, json};

use crate::api::{assert_problem, text};
use crate::support::{Server, TestKey, both, pause};

/// A change to what makes `key` a caller: SQL, what it announces, and how the call is refused.
struct Narrowing {
    what: &'static str,
    sql: String,
    kind: &'static str,
    subject: String,
    refusal: (u16, &'static str),
}

/// Everything that can end or narrow a caller, an API key that a user owns.
fn narrowings(key: &TestKey, user: &str) -> Vec<Narrowing> {
    let id = &key.id;
    let credential = |what, set: &str, refusal| Narrowing {
        what,
        sql: format!("UPDATE credentials SET {set} WHERE id = '{id}'"),
        kind: "credential",
        subject: id.clone(),
        refusal,
    };
    let other = |what, sql: &str, kind, subject: &str, refusal| Narrowing {
        what,
        sql: sql.to_owned(),
        kind,
        subject: subject.to_owned(),
        refusal,
    };
    let (ended, narrowed) = ((401, "invalid_token"), (403, "permission_denied"));
    vec![
        credential("revoked", "state = 'revoked'", ended),
        credential("disabled", "state = 'disabled'", ended),
        credential("expired", "expires_at = 1", ended),
        credential("bound to other addresses", "allowed_ips = '192.0.2.1'", ended),
        credential("without the permission", "scopes = 'orders:read'", narrowed),
        other(
            "rotated",
            &format!("UPDATE credential_secrets SET ends_at = 1 WHERE credential = '{id}'"),
            "credential",
            id,
            ended,
        ),
        other(
            "of a disabled owner",
            &format!("UPDATE users SET is_active = 0 WHERE id = '{user}'"),
            "user",
            user,
            ended,
        ),
        other("of a narrower role", "UPDATE roles SET scopes = 'orders:read'", "role", "makers", narrowed),
    ]
}

fn made(server: &Server, path: &str, body: &Value) -> Value {
    let response = server.api("POST", path, &server.owner(), Some(body));
    assert_eq!(response.status, 201, "{path}: {}", response.text);
    response.body
}

/// A key that may create keys, of a user whose role allows that.
fn maker(server: &Server, number: usize) -> (TestKey, String) {
    let email = format!("maker{number}@example.com");
    let user = text(&made(server, "/users", &json!({"email": email, "role": "makers"}))["id"]);
    let body = json!({
        "name": "maker", "type": "internal", "scopes": ["orders:read", "sealwright.keys:write"], "owner": user,
    });
    let key = made(server, "/keys", &body);
    (TestKey { id: text(&key["id"]), key: text(&key["key"]) }, user)
}

fn verdict(server: &Server, verifier: &TestKey, key: &TestKey) -> String {
    let body = json!({"key": key.key, "environment": "production"});
    let response = server.api_with_key("POST", "/keys/verify", &verifier.key, Some(&body));
    assert_eq!(response.status, 200, "{}", response.text);
    text(&response.body["code"])
}

both! {
    fn a_change_is_refused_if_its_caller_is_ended_or_narrowed_while_it_waits(database) {
        let server = Server::start(database);
        let role = json!({"name": "makers", "scopes": ["orders:read", "sealwright.keys:write"]});
        let count = narrowings(&TestKey { id: String::new(), key: String::new() }, "").len();
        made(&server, "/roles", &role);
        let makers: Vec<(TestKey, String)> = (0..count).map(|number| maker(&server, number)).collect();
        let body = json!({"name": "made", "scopes": ["orders:read"]});
        for (number, (key, user)) in makers.iter().enumerate() {
            let Narrowing { what, sql, kind, subject, refusal } = narrowings(key, user).swap_remove(number);
            // It may, and is in memory.
            assert_eq!(server.api_with_key("POST", "/keys", &key.key, Some(&body)).status, 201, "before it was {what}");
            let change = server.database.begin_change();
            let response = std::thread::scope(|scope| {
                let waiting = scope.spawn(|| server.api_with_key("POST", "/keys", &key.key, Some(&body)));
                pause("the call is authorised and waits for the lock", std::time::Duration::from_millis(300));
                change.commit(&sql, kind, &subject);
                waiting.join().unwrap()
            });
            assert_problem(&response, refusal.0, refusal.1);
            assert_eq!(server.database.numbers("SELECT COUNT(*) AS n FROM credentials WHERE name = 'made'").len(), 1);
        }
        let created = server.database.numbers("SELECT COUNT(*) AS n FROM credentials WHERE name = 'made'");
        assert_eq!(created, [i64::try_from(count).unwrap()], "one each, before");
    }

    fn what_another_process_ended_is_refused_at_once_though_it_is_cached(database) {
        let server = Server::start(database);
        made(&server, "/roles", &json!({"name": "makers", "scopes": ["orders:read", "sealwright.keys:write"]}));
        let verifier = server.key("sealwright.keys:verify");
        let count = narrowings(&TestKey { id: String::new(), key: String::new() }, "").len();
        for number in 0..count {
            let (key, user) = maker(&server, number);
            let Narrowing { what, sql, kind, subject, .. } = narrowings(&key, &user).swap_remove(number);
            if what == "without the permission" || what == "of a narrower role" {
                continue;
            }
            assert_eq!(verdict(&server, &verifier, &key), "VALID");
            server.database.begin_change().commit(&sql, kind, &subject);
            assert_ne!(verdict(&server, &verifier, &key), "VALID", "{what}");
        }
    }

    fn a_change_of_the_command_line_is_in_force_when_the_command_ends(database) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        let client = server.client("orders:read");
        let issued = text(&server.token(&client).body["access_token"]);
        let passes = |field: &str, value: &str| {
            let request = server.http.get(format!("{}/api/v1/forward-auth", server.url));
            server.send(request.header(field, value)).status
        };
        let bearer = format!("Bearer {issued}");
        for _ in 0..3 {
            let key = server.key("orders:read");
            assert_eq!((verdict(&server, &verifier, &key).as_str(), passes("x-api-key", &key.key)), ("VALID", 200));
            server.cli(&["key", "disable", &key.id]);
            assert_eq!(verdict(&server, &verifier, &key), "DISABLED");
            server.cli(&["key", "enable", &key.id]);
            assert_eq!(passes("x-api-key", &key.key), 200, "widening holds at once, too");
            server.cli(&["key", "revoke", &key.id, "--yes"]);
            assert_eq!(passes("x-api-key", &key.key), 401);
        }
        assert_eq!((passes("authorization", &bearer), server.token(&client).status), (200, 200));
        server.cli(&["client", "revoke", &client.id, "--yes"]);
        assert_eq!((passes("authorization", &bearer), server.token(&client).status), (401, 401));
    }

    fn a_restored_or_pruned_log_drops_what_was_cached(database) {
        let server = Server::start(database);
        let verifier = server.key("sealwright.keys:verify");
        for forget in [
            // As a restore does.
            "UPDATE installation SET incarnation = incarnation + 1, change_sequence = 1, pruned_to = 1",
            // Everything that this process has not read yet is removed.
            "UPDATE installation SET change_sequence = change_sequence + 5, pruned_to = change_sequence + 5",
        ] {
            let key = server.key("orders:read");
            assert_eq!(verdict(&server, &verifier, &key), "VALID");
            let revoke = format!("UPDATE credentials SET state = 'revoked' WHERE id = '{}'", key.id);
            server.database.execute(&format!("BEGIN; {revoke}; {forget}; DELETE FROM change_log; COMMIT"));
            assert_eq!(verdict(&server, &verifier, &key), "REVOKED");
        }
    }

    fn a_process_that_was_stopped_accepts_nothing_that_was_ended_meanwhile(database) {
        let server = Server::spawn(database);
        let other = server.beside(&[]);
        let (verifier, client) = (server.key("sealwright.keys:verify"), server.client("orders:read"));
        let bearer = format!("Bearer {}", text(&server.token(&client).body["access_token"]));
        let token_at = |url: &str| {
            let request = server.http.post(format!("{url}/api/oauth/token"));
            let request = request.basic_auth(&client.id, Some(&client.secret));
            server.send(request.form(&[("grant_type", "client_credentials")])).status
        };
        let passes = |field: &str, value: &str| {
            server.send(server.http.get(format!("{}/api/v1/forward-auth", other.url)).header(field, value)).status
        };
        for _ in 0..5 {
            let key = server.key("orders:read");
            assert_eq!((verdict(&server, &verifier, &key).as_str(), passes("x-api-key", &key.key)), ("VALID", 200));
            other.stopped(|| server.manage("POST", &format!("/keys/{}/revoke", key.id), None));
            assert_eq!(passes("x-api-key", &key.key), 401);
        }
        assert_eq!((token_at(&other.url), passes("authorization", &bearer)), (200, 200));
        other.stopped(|| server.manage("POST", &format!("/clients/{}/disable", client.id), None));
        assert_eq!((token_at(&other.url), passes("authorization", &bearer)), (401, 401));
    }
}
