//! Several nodes on one database.

use std::time::{Duration, Instant};

use super::folder_only;
use crate::support::{Database, Kind, Server};

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
