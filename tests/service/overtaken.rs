//! Calls at a process that has not read yet what another process changed just before, or that something overtakes while
//! they wait: they get what is true now, never what was, and no 503 either.

use serde_json::{Value, json};

use crate::api::{assert_problem, text};
use crate::support::{Database, Kind, Server, TestKey, both, pause};

fn made(server: &Server, path: &str, body: &Value) -> Value {
    let response = server.api("POST", path, &server.owner(), Some(body));
    assert_eq!(response.status, 201, "{path}: {}", response.text);
    response.body
}

fn key_of(server: &Server, body: &Value) -> TestKey {
    let key = made(server, "/keys", body);
    TestKey { id: text(&key["id"]), key: text(&key["key"]) }
}

/// Makes a change of another process, of which this one is told by the change log only.
fn change(server: &Server, sql: &str, kind: &str, subject: &str) {
    server.database.begin_change().commit(sql, kind, subject);
}

fn passes(server: &Server, key: &str) -> bool {
    let request = server.http.get(format!("{}/api/v1/forward-auth", server.url));
    server.send(request.header("x-api-key", key)).status == 200
}

both! {
    fn what_an_epoch_has_ended_is_refused_where_it_was_expanded_before_it_was_known(database) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        assert!(passes(&server, &key.key), "it is cached");
        let end = format!("UPDATE credentials SET state = 'revoked' WHERE id = '{}'", key.id);
        // Its row is not among the open ones: all that it ended is written.
        change(&server, &end, "epoch", "1");
        assert!(!passes(&server, &key.key));
        pause("the log is followed", std::time::Duration::from_millis(500));
        assert!(!passes(&server, &key.key));
    }

    fn a_caller_that_was_widened_may_do_at_once_what_it_may(database) {
        let server = Server::start(database);
        let body = json!({"name": "maker", "type": "internal", "scopes": ["orders:read", "sealwright.keys:write"]});
        let new = json!({"name": "made", "scopes": ["orders:write"]});
        for _ in 0..5 {
            let maker = key_of(&server, &body);
            let refused = server.api_with_key("POST", "/keys", &maker.key, Some(&new));
            assert_problem(&refused, 403, "scope_exceeds_caller");
            let scopes = "orders:read orders:write sealwright.keys:write";
            let widen = format!("UPDATE credentials SET scopes = '{scopes}' WHERE id = '{}'", maker.id);
            change(&server, &widen, "credential", &maker.id);
            let response = server.api_with_key("POST", "/keys", &maker.key, Some(&new));
            assert_eq!(response.status, 201, "{}", response.text);
        }
    }

    fn a_caller_that_was_tied_to_other_customers_acts_for_them_at_once(database) {
        let server = Server::start(database);
        let customer = |name: &str| {
            let body = json!({"external_id": name, "name": name});
            text(&made(&server, "/customers", &body)["id"])
        };
        let (acme, globex) = (customer("acme"), customer("globex"));
        let scopes = ["orders:read", "sealwright.keys:write", "sealwright.keys:read"];
        let body = json!({"name": "maker", "type": "internal", "scopes": scopes, "customers": ["acme"]});
        let of_globex = key_of(&server, &json!({"name": "g", "scopes": ["orders:read"], "customers": ["globex"]}));
        let path = format!("/keys/{}", of_globex.id);
        for _ in 0..5 {
            let maker = key_of(&server, &body);
            assert_eq!(server.api_with_key("GET", &path, &maker.key, None).status, 404);
            let tie = format!(
                "UPDATE credential_customers SET customer = '{globex}' \
                 WHERE credential = '{}' AND customer = '{acme}'",
                maker.id
            );
            change(&server, &tie, "credential", &maker.id);
            assert_eq!(server.api_with_key("GET", &path, &maker.key, None).status, 200);
            let new = json!({"name": "made", "scopes": ["orders:read"]});
            let response = server.api_with_key("POST", "/keys", &maker.key, Some(&new));
            assert_eq!((response.status, &response.body["customers"][0]["external_id"]), (201, &json!("globex")));
        }
    }

    fn a_transfer_by_a_caller_that_is_widened_meanwhile_goes_to_the_user_that_it_names(database) {
        let server = Server::start(database);
        made(&server, "/roles", &json!({"name": "narrow", "scopes": ["orders:read", "sealwright.credentials:own"]}));
        let user = |email: &str, role: &str| {
            let body = json!({"email": email, "role": role});
            text(&made(&server, "/users", &body)["id"])
        };
        let (own, other) = (user("own@example.com", "narrow"), user("other@example.com", "developer"));
        let scopes = ["orders:read", "sealwright.credentials:own", "sealwright.admin"];
        let body = json!({"name": "caller", "type": "internal", "scopes": scopes, "owner": own});
        let caller = key_of(&server, &body);
        let target = key_of(&server, &json!({"name": "t", "scopes": ["orders:read"], "owner": own}));
        let path = format!("/keys/{}/transfer", target.id);
        let transfer = json!({"owner": other});
        let waiting_for = server.database.begin_change();
        let response = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| server.api_with_key("POST", &path, &caller.key, Some(&transfer)));
            pause("the call is authorised and waits for the lock", std::time::Duration::from_millis(300));
            let widen = "UPDATE roles SET scopes = 'orders:read sealwright.admin' WHERE name = 'narrow'";
            waiting_for.commit(widen, "role", "narrow");
            waiting.join().unwrap()
        });
        assert_eq!(response.status, 200, "{}", response.text);
        assert_eq!(response.body["owner"], json!(other), "never to the organisation");
    }

    fn a_customer_that_is_deleted_meanwhile_is_an_invalid_field(database) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        let (update, create) = (format!("/keys/{}", key.id), "/keys".to_owned());
        for (number, method, path) in [(1, "POST", &create), (2, "PATCH", &update)] {
            let name = format!("gone-{number}");
            let id = text(&made(&server, "/customers", &json!({"external_id": name, "name": "Gone"}))["id"]);
            let body = match method {
                "POST" => json!({"name": "made", "scopes": ["orders:read"], "customers": [name]}),
                _ => json!({"customers": [name]}),
            };
            let waiting_for = server.database.begin_change();
            let response = std::thread::scope(|scope| {
                let waiting = scope.spawn(|| server.api(method, path, &server.owner(), Some(&body)));
                pause("the call is authorised and waits for the lock", std::time::Duration::from_millis(300));
                waiting_for.commit(&format!("DELETE FROM customers WHERE id = '{id}'"), "customer", &id);
                waiting.join().unwrap()
            });
            assert_problem(&response, 422, "invalid_input");
            assert_eq!(response.body["errors"][0]["field"], "customers", "{}", response.text);
        }
    }

    fn a_client_that_was_ended_revokes_no_token(database) {
        let server = Server::start(database);
        for path in ["/api/oauth/revoke", "/api/oauth/introspect"] {
            let client = server.client("orders:read");
            let token = text(&server.token(&client).body["access_token"]);
            let end = format!("UPDATE credentials SET state = 'revoked' WHERE id = '{}'", client.id);
            change(&server, &end, "credential", &client.id);
            for token in [token.as_str(), "unknown"] {
                let response = server.post_form(path, &client, &[("token", token)]);
                assert_eq!(response.status, 401, "{path}: {}", response.text);
            }
        }
    }

    fn a_dry_run_is_counted_though_its_caller_changes(database) {
        let server = Server::start(database);
        let body = json!({"name": "admin", "type": "internal", "scopes": ["sealwright.admin", "orders:read"]});
        let dry = json!({"environment": "production", "dry_run": true});
        let admin = key_of(&server, &body);
        for _ in 0..5 {
            assert_eq!(server.api_with_key("POST", "/revoke-all", &admin.key, Some(&dry)).status, 200);
            let rename = format!("UPDATE credentials SET name = 'renamed' WHERE id = '{}'", admin.id);
            change(&server, &rename, "credential", &admin.id);
            let response = server.api_with_key("POST", "/revoke-all", &admin.key, Some(&dry));
            assert_eq!(response.status, 200, "{}", response.text);
        }
    }

    fn metrics_are_refused_to_a_key_that_was_ended(database) {
        let server = Server::start(database);
        let key = key_of(&server, &json!({"name": "m", "type": "internal", "scopes": ["sealwright.metrics:read"]}));
        let status = || {
            let request = server.http.get(format!("{}/metrics", server.url)).header("x-forwarded-for", "192.0.2.1");
            server.send(request.header("x-api-key", &key.key)).status
        };
        assert_eq!(status(), 200);
        let end = format!("UPDATE credentials SET state = 'disabled' WHERE id = '{}'", key.id);
        change(&server, &end, "credential", &key.id);
        assert_eq!(status(), 401);
    }
}

/// A token that is signed with a key which only the other process knows yet.
#[test]
fn a_token_of_a_key_that_another_process_made_is_accepted_at_once() {
    let server = Server::spawn_with(Database::new(Kind::Postgres), &[("SIGNING_ALGORITHMS", r#"["ES256"]"#)]);
    let other = server.beside(&[]);
    let client = server.client("orders:read");
    for round in 0..8 {
        let keys = server.manage("GET", "/signing-keys", None);
        let mut all = keys["data"].as_array().unwrap().iter();
        let active = all.find(|key| key["status"] == "active" && key["environment"] == "production");
        let kid = text(&active.unwrap()["kid"]);
        server.manage("POST", &format!("/signing-keys/{kid}/destroy"), None);
        let token = text(&server.token(&client).body["access_token"]);
        let request = server.http.get(format!("{}/api/v1/forward-auth", other.url)).bearer_auth(&token);
        assert_eq!(server.send(request).status, 200, "round {round}");
    }
}

/// Those that wait for another process's change take turns: the others hold no connection.
#[test]
fn changes_that_wait_leave_connections_to_others() {
    let server = Server::start(Database::new(Kind::Postgres));
    let cold = server.client("orders:read");
    server.database.execute(&format!("UPDATE credentials SET name = 'cold' WHERE id = '{}'", cold.id));
    let (token, body) = (server.owner(), json!({"name": "made", "scopes": ["orders:read"]}));
    let holding = server.database.begin_change();
    std::thread::scope(|scope| {
        let create = || server.api("POST", "/keys", &token, Some(&body));
        let waiting: Vec<_> = (0..20).map(|_| scope.spawn(create)).collect();
        pause("they are authorised and wait", std::time::Duration::from_millis(700));
        for _ in 0..5 {
            let listed = server.api("GET", &format!("/clients/{}", cold.id), &token, None);
            assert_eq!((listed.status, &listed.body["name"]), (200, &json!("cold")), "{}", listed.text);
        }
        holding.commit("SELECT 1", "scope", "nothing");
        for response in waiting {
            assert_eq!(response.join().unwrap().status, 201);
        }
    });
}
