//! `sealwright client`.

mod usage;

use super::{end, end_with};
use crate::api::{is_active, now, rfc3339, text, texts, with_secret};
use crate::support::{Server, TestClient, both, holds_within, pause};
use serde_json::{Value, json};
use std::time::Duration;

/// What a command changed must be so for a running server within a second.
#[track_caller]
pub(super) fn within_a_second<T: PartialEq + std::fmt::Debug>(expected: &T, now: impl Fn() -> T) {
    if !holds_within(Duration::from_secs(1), || now() == *expected) {
        assert_eq!(now(), *expected, "a second after the command");
    }
}

both! {
    /// A change made by the command line reaches a running server within one second.
    fn a_change_by_the_command_line_reaches_a_running_server_within_a_second(database: without_credentials) {
        let server = Server::start(database);
        let client = server.client("orders:read");
        assert_eq!(server.token(&client).status, 200);
        server.cli(&["client", "disable", &client.id]);
        within_a_second(&401, || server.token(&client).status);
        assert_eq!(server.token(&client).body["error"], "invalid_client");
    }

    fn a_client_s_whole_life_by_command(database: without_credentials) {
        let server = Server::start(database);
        let expires = rfc3339(now() + 86_400_000);
        let made = server.cli(&[
            "client",
            "create",
            "--name",
            "billing",
            "--environment",
            "production",
            "--description",
            "Posts invoices.",
            "--scope",
            "orders:read",
            "--scope",
            "invoices:write",
            "--default-scope",
            "orders:read",
            "--audience",
            "https://a.example",
            "--audience",
            "https://b.example",
            "--resource-for",
            "https://a.example",
            "--allow-ip",
            "127.0.0.0/8",
            "--allow-ip",
            "::1",
            "--token-lifetime",
            "15m",
            "--signing-algorithm",
            "EdDSA",
            "--token-typ",
            "JWT",
            "--rate-per-minute",
            "1000",
            "--burst-per-second",
            "unlimited",
            "--expires-at",
            &expires,
        ]);
        for (field, value) in [
            ("environment", json!("production")),
            ("name", json!("billing")),
            ("description", json!("Posts invoices.")),
            ("status", json!("active")),
            ("scopes", json!(["invoices:write", "orders:read"])),
            ("default_scopes", json!(["orders:read"])),
            ("audiences", json!(["https://a.example", "https://b.example"])),
            ("resource_for", json!(["https://a.example"])),
            ("allowed_ips", json!(["127.0.0.0/8", "::1"])),
            ("token_lifetime", json!(900)),
            ("signing_algorithm", json!("EdDSA")),
            ("token_typ", json!("JWT")),
            ("rate_per_minute", json!(1000)),
            ("burst_per_second", Value::Null),
            ("expires_at", json!(expires)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let client = with_secret(&made);
        let (id, issued) = (client.id.as_str(), server.token(&client));
        assert_eq!((issued.status, &issued.body["scope"]), (200, &json!("orders:read")), "known to a running server");
        let mut whole = made.clone();
        whole.as_object_mut().unwrap().remove("client_secret");
        let shown = server.cli(&["client", "show", id]);
        assert_eq!(
            shown.as_object().unwrap().keys().collect::<Vec<_>>(),
            whole.as_object().unwrap().keys().collect::<Vec<_>>()
        );
        let token = crate::api::owner(&server);
        let by_api = server.api("GET", &format!("/clients/{id}"), &token, None).body;
        assert_eq!(
            by_api.as_object().unwrap().keys().collect::<Vec<_>>(),
            whole.as_object().unwrap().keys().collect::<Vec<_>>()
        );
        assert_eq!(by_api["scopes"], shown["scopes"], "the API shows the same object");

        let updated = server.cli(&[
            "client",
            "update",
            id,
            "--name",
            "other",
            "--default-scope",
            "all",
            "--audience",
            "default",
            "--resource-for",
            "none",
            "--allow-ip",
            "any",
            "--signing-algorithm",
            "default",
            "--token-typ",
            "default",
            "--expires-at",
            "never",
            "--rate-per-minute",
            "unlimited",
            "--scope",
            "read",
        ]);
        for (field, value) in [
            ("name", json!("other")),
            ("description", json!("Posts invoices.")),
            ("scopes", json!(["read"])),
            ("default_scopes", Value::Null),
            ("audiences", json!([format!("{}/resources", server.url)])),
            ("resource_for", json!([])),
            ("allowed_ips", json!([])),
            ("token_lifetime", json!(900)),
            ("signing_algorithm", Value::Null),
            ("token_typ", Value::Null),
            ("rate_per_minute", Value::Null),
            ("expires_at", Value::Null),
        ] {
            assert_eq!(updated[field], value, "{field}");
        }
        within_a_second(&json!("read"), || server.token(&client).body["scope"].clone());

        let rotated = with_secret(&server.cli(&["client", "rotate-secret", id, "--grace", "24h"]));
        within_a_second(&[200, 200], || [&client, &rotated].map(|client| server.token(client).status));
        let again = with_secret(&server.cli(&["client", "rotate-secret", id]));
        within_a_second(&[401, 401, 200], || [&client, &rotated, &again].map(|client| server.token(client).status));

        let issued = text(&server.token(&again).body["access_token"]);
        assert!(is_active(&server, &again, &issued));
        server.cli(&["client", "revoke-tokens", id]);
        within_a_second(&false, || is_active(&server, &again, &issued));
        for (verb, status, then) in
            [("disable", "inactive", 401), ("enable", "active", 200), ("revoke", "revoked", 401)]
        {
            // Only the last asks.
            let yes = ["--yes"].into_iter().filter(|_| verb == "revoke");
            let arguments: Vec<&str> = ["client", verb, id].into_iter().chain(yes).collect();
            assert_eq!(server.cli(&arguments)["status"], status);
            within_a_second(&then, || server.token(&again).status);
        }
        for verb in [vec!["enable"], vec!["disable"], vec!["rotate-secret"], vec!["update", "--name", "x"]] {
            let mut arguments = vec!["client", verb[0], id];
            arguments.extend(&verb[1..]);
            let ended = end_with(1, &mut server.command(&arguments));
            assert!(ended.err.contains("revoked") && ended.out.is_empty(), "{ended:?}");
        }
    }

    fn clients_are_listed_by_command(database: without_credentials) {
        let server = Server::start(database);
        for (name, environment) in [("a", "production"), ("b", "staging"), ("b", "production"), ("c", "development")] {
            server.cli(&["client", "create", "--name", name, "--environment", environment, "--scope", "read"]);
        }
        let names = |options: &[&str]| {
            let mut arguments = vec!["client", "list"];
            arguments.extend(options);
            let listed = server.cli(&arguments);
            assert_eq!(listed["next_cursor"].is_null(), options != ["--limit", "3"], "{listed}");
            listed["data"].as_array().unwrap().iter().map(|row| text(&row["name"])).collect::<String>()
        };
        assert_eq!(names(&[]), "cbba", "newest first");
        assert_eq!(names(&["--environment", "production"]), "ba");
        assert_eq!(names(&["--name", "b"]), "bb");
        assert_eq!(names(&["--name", "b", "--environment", "staging"]), "b");
        assert_eq!(names(&["--limit", "3"]), "cbb");
        assert_eq!(names(&["--limit", "1000000"]), "cbba", "no upper bound here");
        assert_eq!(names(&["--name", "nobody"]), "");
        let table = end_with(0, &mut server.command(&["client", "list"])).out;
        assert!(table.starts_with("ID") && table.lines().count() == 5, "{table}");
        assert!(!table.contains("sws_"));
    }

    fn an_end_is_given_as_a_time_or_as_a_duration(database: without_credentials) {
        let server = Server::start(database);
        let asked = now();
        let made = server.cli(&["client", "create", "--name", "x", "--scope", "a", "--expires-in", "90d"]);
        let end = crate::api::millis(&made["expires_at"]);
        assert!((asked + 90 * 86_400_000..now() + 90 * 86_400_000 + 1).contains(&end));
        let id = text(&made["id"]);
        let client = with_secret(&made);
        server.cli(&["client", "update", &id, "--expires-in", "2s"]);
        assert_eq!(server.token(&client).status, 200);
        let end = crate::api::millis(&server.cli(&["client", "show", &id])["expires_at"]);
        pause("commands go by the system's clock", Duration::from_millis(u64::try_from(end - now()).unwrap_or(0)));
        assert_eq!(server.token(&client).status, 401);
        assert_eq!(server.cli(&["client", "show", &id])["status"], "expired");
        server.cli(&["client", "update", &id, "--expires-at", "never"]);
        within_a_second(&200, || server.token(&client).status);
    }
}
