//! Several nodes on one database.

use std::time::{Duration, Instant};

use super::folder_only;
use crate::support::{Database, Kind, Server, eventually};

/// What one process changes is in force in another within a second.
#[test]
fn what_one_node_revokes_another_follows_within_a_second() {
    let database = Database::empty(Kind::Postgres);
    let public = "http://localhost:8080";
    let settings = [
        ("DATABASE_URL", database.url().unwrap()),
        ("SIGNING_ALGORITHMS", "[\"ES256\"]"),
        ("PUBLIC_URL", public),
        ("MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    ];
    let here = Server::spawn_with(folder_only(), &settings);
    let there = Server::spawn_with(folder_only(), &settings);
    let manager = here.client_with("sealwright.admin orders:read", &["--audience", &format!("{public}/api/v1")]);
    let form = [("grant_type", "client_credentials"), ("resource", "http://localhost:8080/api/v1")];
    let response = here.post_form("/api/oauth/token", &manager, &form);
    let management = response.body["access_token"].as_str().unwrap().to_owned();
    for verb in ["revoke", "disable", "rotate-secret", "revoke"] {
        let client = here.client("orders:read");
        let token = there.token(&client).body["access_token"].as_str().unwrap().to_owned();
        let introspected = |server: &Server| server.post_form("/api/oauth/introspect", &manager, &[("token", &token)]);
        assert_eq!(introspected(&there).body["active"], true);
        let response = here.api("POST", &format!("/clients/{}/{verb}", client.id), &management, None);
        assert_eq!(response.status, 200, "{}", response.text);
        let answered = Instant::now();
        let deadline = answered + Duration::from_secs(1);
        while there.token(&client).status != 401 {
            assert!(Instant::now() < deadline, "{verb}: still accepted after a second");
        }
    }
}

/// What one process ends at once, others refuse; both write rows and events, and each is written once.
#[test]
fn an_epoch_of_one_node_is_followed_by_another_and_expanded_once() {
    let database = Database::new(Kind::Postgres);
    let master_key = std::fs::read_to_string(database.data_dir().join("master.key")).unwrap();
    let settings = [
        ("DATABASE_URL", database.url().unwrap()),
        ("SIGNING_ALGORITHMS", "[\"ES256\"]"),
        ("MASTER_KEY", master_key.trim()),
    ];
    let here = Server::spawn_with(folder_only(), &settings);
    let there = Server::spawn_with(folder_only(), &settings);
    here.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
    let key = here.key_with("read", &["--customer", "acme"]);
    // Enough for several steps, all of them tied to acme.
    database.execute(
        "INSERT INTO credentials (id, kind, environment, name, description, scopes, allowed_ips, state, created_at, \
             updated_at, rotated_at, key_type, metadata) \
         SELECT 'key_' || lpad(CAST(n AS TEXT), 32, '0'), 'api_key', 'production', 'k', '', 'read', '', 'enabled', 1, \
             1, 4102444800000, 'partner', '{}' FROM generate_series(1, 3000) AS n; \
         INSERT INTO credential_customers (customer, credential) \
         SELECT customers.id, credentials.id FROM customers, credentials WHERE credentials.name = 'k'",
    );
    let passes = |server: &Server| {
        let request = server.http.get(format!("{}/api/v1/forward-auth", server.url));
        server.send(request.header("x-api-key", &key.key)).status == 200
    };
    assert!(passes(&here) && passes(&there));
    let done = here.cli(&["revoke-all", "--customer", "acme", "--yes"]);
    assert_eq!(done["keys"], 3001);
    for server in [&here, &there] {
        eventually("the epoch is followed", Duration::from_secs(1), || !passes(server));
    }
    let count = |sql: &str| database.numbers(&format!("SELECT COUNT(*) AS n FROM {sql}"))[0];
    eventually("rows are written", Duration::from_secs(60), || count("epochs WHERE expanded_at IS NULL") == 0);
    assert_eq!(count("credentials WHERE state = 'revoked'"), 3001);
    assert_eq!(count("audit_log WHERE action = 'key.revoke'"), 3001);
    assert_eq!(count("(SELECT DISTINCT target FROM audit_log WHERE action = 'key.revoke') AS targets"), 3001);
    assert!(!passes(&here) && !passes(&there));
}
