//! `sealwright audit`.

use serde_json::{Value, json};

use super::end_with;
use crate::api::{created, millis, minimal, now, owner, rfc3339, text};
use crate::support::{Server, TestClient, both, pause, uid};

both! {
    fn every_change_by_command_has_its_event_with_the_true_reason(database: without_credentials) {
        let server = Server::start(database);
        let id = text(&server.cli(&["client", "create", "--name", "x", "--scope", "a"])["id"]);
        let kid = text(&server.cli(&["signing-key", "rotate", "--lead", "1h"])["kid"]);
        let run = |arguments: &[&str], status: i32| {
            end_with(status, server.command(arguments).env("USER", "alice").env_remove("SUDO_USER"));
        };
        let newest = |action: &str| server.events(&["--action", action]).remove(0);
        for (arguments, status, action, target, outcome, reason) in [
            (vec!["client", "update", &*id, "--description", "d"], 0, "client.update", Some(&*id), "success", "ok"),
            (vec!["client", "show", &*id], 0, "client.read", Some(&*id), "success", "ok"),
            (vec!["client", "list"], 0, "client.list", None, "success", "ok"),
            (vec!["client", "rotate-secret", &*id], 0, "client.rotate_secret", Some(&*id), "success", "ok"),
            (vec!["client", "disable", &*id], 0, "client.disable", Some(&*id), "success", "ok"),
            (vec!["client", "enable", &*id], 0, "client.enable", Some(&*id), "success", "ok"),
            (vec!["client", "revoke-tokens", &*id], 0, "client.revoke_tokens", Some(&*id), "success", "ok"),
            (vec!["client", "revoke", &*id, "--yes"], 0, "client.revoke", Some(&*id), "success", "ok"),
            (vec!["client", "enable", &*id], 1, "client.enable", Some(&*id), "refused", "revoked"),
            (vec!["client", "show", "cli_1"], 1, "client.read", Some("cli_1"), "refused", "not_found"),
            (vec!["scope", "create", "a:read"], 0, "scope.create", Some("a:read"), "success", "ok"),
            (vec!["scope", "create", "a:read"], 1, "scope.create", Some("a:read"), "refused", "scope_exists"),
            (vec!["scope", "delete", "a:read", "--yes"], 0, "scope.delete", Some("a:read"), "success", "ok"),
            (vec!["signing-key", "list"], 0, "signing_key.list", None, "success", "ok"),
            (vec!["signing-key", "rotate"], 1, "signing_key.rotate", None, "refused", "rotation_pending"),
            (vec!["signing-key", "destroy", &*kid, "--yes"], 0, "signing_key.destroy", Some(&*kid), "success", "ok"),
            (vec!["audit", "list", "--limit", "1"], 0, "audit.list", None, "success", "ok"),
            (vec!["audit", "export", "--since", "1s"], 0, "audit.list", None, "success", "ok"),
            (vec!["master-key", "rotate"], 0, "master_key.rotate", None, "success", "ok"),
            (
                vec!["revoke-all", "--environment", "staging", "--yes"],
                0,
                "credential.revoke_all",
                None,
                "success",
                "ok",
            ),
        ] {
            run(&arguments, status);
            // `audit.list` itself is what the newest of its kind is: not the one that looks, but the one before.
            let event = newest(action);
            assert_eq!(
                (&event["actor"], &event["method"]),
                (&json!(format!("cli:{}", uid())), &json!("CLI")),
                "who it was, not who a variable says: {arguments:?}: {event}"
            );
            let note = concat!("sealwright/", env!("CARGO_PKG_VERSION"), " (alice)");
            assert_eq!(event["user_agent"], note, "{event}");
            assert_eq!(
                (&event["outcome"], &event["reason"]),
                (&json!(outcome), &json!(reason)),
                "{arguments:?}: {event}"
            );
            assert_eq!(event["path"], arguments[..if arguments[0] == "revoke-all" { 1 } else { 2 }].join(" "));
            assert_eq!((&event["credential"], &event["address"]), (&Value::Null, &Value::Null), "{event}");
            if let Some(target) = target {
                assert_eq!(event["target"], target, "{arguments:?}: {event}");
            }
        }
    }

    fn events_are_found_by_every_option(database: without_credentials) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("filtered"));
        let first = server.token(&client);
        let apart = || pause("commands go by the system's clock", std::time::Duration::from_millis(20));
        apart();
        let middle = rfc3339(now());
        apart();
        let second = server.token(&TestClient { secret: "wrong".into(), ..client.clone() });
        let id = |response: &crate::support::Response| response.header("x-request-id").to_owned();
        let (first, second) = (id(&first), id(&second));
        let staging = server.post_form("/staging/api/oauth/token", &client, &[("grant_type", "client_credentials")]);
        let staging = id(&staging);
        let found = |options: &[&str]| {
            let mut arguments = vec!["--credential", &client.id, "--action", "token.issue"];
            arguments.extend(options);
            let found = server.cli(&[&["audit", "list"], arguments.as_slice()].concat());
            found["data"].as_array().unwrap().iter().map(|event| text(&event["request_id"])).collect::<Vec<_>>()
        };
        assert_eq!(found(&[]), [&*staging, &second, &first], "newest first");
        assert_eq!(found(&["--outcome", "success"]), [&*first]);
        assert_eq!(found(&["--outcome", "refused"]), [&*staging, &second]);
        assert_eq!(found(&["--since", &middle]), [&*staging, &second]);
        assert_eq!(found(&["--until", &middle]), [&*first]);
        assert_eq!(found(&["--since", "1h"]).len(), 3);
        assert_eq!(found(&["--since", "0s"]).len(), 0);
        assert_eq!(found(&["--until", "1h"]).len(), 0);
        assert_eq!(found(&["--request-id", &second]), [&*second]);
        // What is tried with a client elsewhere belongs to its own environment: staging learns nothing of production.
        assert_eq!(found(&["--environment", "staging"]).len(), 0);
        assert_eq!(found(&["--environment", "production"]), [&*staging, &second, &first]);
        let reasons: Vec<Value> = server
            .events(&["--credential", &client.id, "--outcome", "refused"])
            .iter()
            .map(|event| event["reason"].clone())
            .collect();
        assert_eq!(reasons, ["wrong_environment", "wrong_secret"], "the true ones");

        // As a table, and as lines of JSON.
        let table = end_with(0, &mut server.command(&["audit", "list", "--credential", &client.id])).out;
        assert!(table.starts_with("TIME") && table.contains("token.issue") && table.contains(&second), "{table}");
        assert!(table.lines().next().unwrap().contains("COUNT"), "a summary shows how many it sums up: {table}");
        let exported = end_with(0, &mut server.command(&["audit", "export", "--credential", &client.id])).out;
        let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, server.events(&["--credential", &client.id]));
        for (arguments, named) in [
            (vec!["audit", "list", "--limit", "0"], "--limit"),
            (vec!["audit", "list", "--since", "yesterday"], "--since"),
            (vec!["audit", "list", "--outcome", "good"], "--outcome"),
            (vec!["audit", "list", "--request-id", "x"], "--request-id"),
            (vec!["audit", "list", "--environment", "x"], "--environment"),
            (vec!["audit", "list", "--reason", "x"], "must be the code of a reason, such as rate_limited"),
            (vec!["audit", "list", "--action", "x"], "must be the name of an action, such as token.issue"),
        ] {
            assert!(end_with(2, &mut server.command(&arguments)).err.contains(named), "{arguments:?}");
        }
    }

    fn any_number_of_events_is_listed_and_exported(database: without_credentials) {
        let server = Server::start(database);
        let client = server.client("orders:read");
        let count = 1_100;
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..count / 16 + 1 {
                        assert_eq!(server.token(&client).status, 200);
                    }
                });
            }
        });
        let events = server.events(&["--credential", &client.id, "--action", "token.issue"]);
        assert_eq!(events.len(), (count / 16 + 1) * 16, "beyond any page");
        let mut ids: Vec<String> = events.iter().map(|event| text(&event["id"])).collect();
        let arguments = ["audit", "export", "--credential", &client.id, "--action", "token.issue"];
        let exported = end_with(0, &mut server.command(&arguments)).out;
        let by_export: Vec<String> =
            exported.lines().map(|line| text(&serde_json::from_str::<Value>(line).unwrap()["id"])).collect();
        assert_eq!(by_export, ids);
        assert!(ids.is_sorted_by(|a, b| a > b), "newest first");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), events.len());
        let jtis: std::collections::HashSet<String> = events.iter().map(|event| text(&event["jti"])).collect();
        assert_eq!(jtis.len(), events.len());
        let short = server.cli(&["audit", "list"]);
        assert_eq!(short["data"].as_array().unwrap().len(), 50);
        assert!(millis(&short["data"][0]["time"]) >= millis(&short["data"][49]["time"]));
    }
}
