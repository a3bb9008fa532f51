//! `POST /api/v1/keys/verify`.

mod events;
mod whose;

use super::{assert_problem, events_of, now, owner, rfc3339, text};
use crate::support::{Response, Server, TestKey, both, pause};
use serde_json::{Value, json};

/// A key that may verify keys.
pub fn verifier(server: &Server) -> TestKey {
    server.key("sealwright.keys:verify")
}

/// Asks about a key of production, with further members of the body.
pub fn verify(server: &Server, verifier: &TestKey, key: &str, more: &Value) -> Response {
    let mut body = json!({"key": key, "environment": "production"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let response = server.api_with_key("POST", "/keys/verify", &verifier.key, Some(&body));
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(response.body["valid"], response.body["code"] == "VALID", "{}", response.text);
    response
}

/// The code that a key of production gets.
pub fn code(server: &Server, verifier: &TestKey, key: &str, more: &Value) -> String {
    text(&verify(server, verifier, key, more).body["code"])
}

fn queries(server: &Server) -> u64 {
    let metrics = server.get("/metrics").text;
    let line =
        metrics.lines().find(|line| line.starts_with("sealwright_credential_cache_misses_total")).unwrap().to_owned();
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

both! {
    fn a_valid_key_is_told_with_what_it_may(database) {
        let server = Server::start(database);
        let verifier = verifier(&server);
        let customer = server.manage("POST", "/customers", Some(&json!({"external_id": "acme", "name": "Acme"})));
        let user = server.manage("POST", "/users", Some(&json!({"email": "a@b.c", "role": "developer"})));
        let expires_at = rfc3339(now() + 60_000);
        let key = server.key_with(
            "read orders:approve",
            &[
                "--customer",
                "acme",
                "--owner",
                "a@b.c",
                "--expires-at",
                &expires_at,
                "--rate-per-minute",
                "50",
                "--burst-per-second",
                "20",
            ],
        );
        let response = verify(&server, &verifier, &key.key, &json!({"scopes": ["orders:read", "orders:approve"]}));
        assert_eq!(
            response.body,
            json!({
                "valid": true,
                "code": "VALID",
                "id": key.id,
                "name": "test",
                "type": "partner",
                "environment": "production",
                "owner": user["id"],
                "customers": ["acme"],
                "metadata": {},
                "scopes": ["orders:approve", "read"],
                "expires_at": expires_at,
                "rate_limit": {"limit": 20, "remaining": 19, "reset_after": 1, "retry_after": 0},
            })
        );
        assert_eq!(response.header("cache-control"), "no-store");
        for customer in ["acme", customer["id"].as_str().unwrap()] {
            assert_eq!(code(&server, &verifier, &key.key, &json!({"customer": customer})), "VALID");
        }
        // Who is tied to no customer passes for any.
        let free = server.key("orders:read");
        assert_eq!(code(&server, &verifier, &free.key, &json!({"customer": "whoever"})), "VALID");
        let unlimited = verify(&server, &verifier, &free.key, &json!({}));
        assert_eq!(
            unlimited.body["rate_limit"],
            json!({"limit": null, "remaining": null, "reset_after": 0, "retry_after": 0})
        );
    }

    fn the_first_code_that_applies_is_told(database) {
        let server = Server::start(database);
        let (verifier, owner) = (verifier(&server), owner(&server));
        for name in ["acme", "other"] {
            server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
        }
        let key = server.key_with(
            "orders:read",
            &["--customer", "acme", "--allow-ip", "10.0.0.0/8", "--rate-per-minute", "1", "--expires-in", "1s"],
        );
        let path = format!("/keys/{}", key.id);
        let patch = |body: Value| assert_eq!(server.api("PATCH", &path, &owner, Some(&body)).status, 200, "{body}");
        let act =
            |verb: &str| assert_eq!(server.api("POST", &format!("{path}/{verb}"), &owner, None).status, 200, "{verb}");
        let mut asked = json!({
            "environment": "staging", "ip": "192.0.2.1", "customer": "other", "scopes": ["orders:write"],
        });
        let told = |asked: &Value, expected: &str| {
            let response = verify(&server, &verifier, &key.key, asked);
            assert_eq!(response.body["code"], expected, "{}", response.text);
            let reason = match expected {
                "VALID" => "ok",
                "REVOKED" => "key_revoked",
                "EXPIRED" => "key_expired",
                "DISABLED" => "key_disabled",
                "IP_NOT_ALLOWED" => "address_not_allowed",
                code => &code.to_lowercase(),
            };
            let events = server.events(&["--request-id", response.header("x-request-id")]);
            assert_eq!(
                (events.len(), &events[0]["reason"], &events[0]["credential"]),
                (1, &json!(reason), &json!(key.id))
            );
            assert_eq!(events[0]["outcome"], if expected == "VALID" { "success" } else { "refused" });
            assert!(response.body["rate_limit"].is_object(), "{}", response.text);
            assert_eq!(response.body.get("scopes").is_some(), expected == "VALID", "{}", response.text);
        };
        act("disable");
        server.advance(1_050);
        told(&asked, "EXPIRED");
        patch(json!({"expires_at": null}));
        told(&asked, "DISABLED");
        act("enable");
        told(&asked, "WRONG_ENVIRONMENT");
        asked["environment"] = json!("production");
        told(&asked, "IP_NOT_ALLOWED");
        asked.as_object_mut().unwrap().remove("ip");
        told(&asked, "IP_NOT_ALLOWED");
        asked["ip"] = json!("::ffff:10.1.2.3");
        told(&asked, "WRONG_CUSTOMER");
        asked["customer"] = json!("acme");
        // What was refused so far has cost nothing: this takes the one that there is, and lacks the scope.
        told(&asked, "INSUFFICIENT_SCOPE");
        told(&asked, "RATE_LIMITED");
        patch(json!({"rate_per_minute": null}));
        told(&asked, "INSUFFICIENT_SCOPE");
        asked["scopes"] = json!(["orders:read"]);
        told(&asked, "VALID");
        act("disable");
        act("revoke");
        told(&asked, "REVOKED");
    }

    fn a_caller_of_another_environment_gets_no_key_of_this_one(database) {
        let server = Server::start(database);
        let key = server.key("orders:read");
        let staging = server.key_with("sealwright.keys:verify", &["--environment", "staging"]);
        for environment in ["production", "staging"] {
            assert_eq!(code(&server, &staging, &key.key, &json!({"environment": environment})), "WRONG_ENVIRONMENT");
        }
        let own = server.key_with("orders:read", &["--environment", "staging"]);
        assert_eq!(code(&server, &staging, &own.key, &json!({"environment": "staging"})), "VALID");
    }

    fn to_who_is_tied_to_customers_keys_of_others_do_not_exist(database) {
        let server = Server::start(database);
        for name in ["acme", "other"] {
            server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
        }
        let verifier = server.key_with("sealwright.keys:verify", &["--customer", "acme"]);
        for (options, expected) in [
            (vec!["--customer", "acme"], "VALID"),
            (vec!["--customer", "other"], "NOT_FOUND"),
            (vec!["--customer", "acme", "--customer", "other"], "NOT_FOUND"),
            (vec![], "NOT_FOUND"),
        ] {
            let key = server.key_with("orders:read", &options);
            let response = verify(&server, &verifier, &key.key, &json!({}));
            assert_eq!(response.body["code"], expected, "{options:?}");
            assert_eq!(response.body.get("rate_limit").is_some(), expected == "VALID", "{}", response.text);
        }
    }

    fn what_is_no_key_is_not_found_and_a_wrong_checksum_costs_no_query(database) {
        let server = Server::start(database);
        let (verifier, key) = (verifier(&server), server.key("orders:read"));
        let because = "the server follows its own changes too, and forgets these keys once more; nothing tells when";
        pause(because, std::time::Duration::from_secs(1));
        assert_eq!(code(&server, &verifier, &key.key, &json!({})), "VALID");
        let before = queries(&server);
        let swapped = key.key.replace("sw_live_", "sw_stg_");
        let mistyped = |at: usize| {
            let mut text = key.key.clone().into_bytes();
            text[at] = if text[at] == b'x' { b'y' } else { b'x' };
            String::from_utf8(text).unwrap()
        };
        let (early, late, long) = (mistyped(10), mistyped(key.key.len() - 1), "x".repeat(10_000));
        for wrong in ["", "x", "sw_live_", &early, &late, &long, "sw_live_ä", &key.key[3..], &format!("{}0", key.key)]
        {
            let response = verify(&server, &verifier, wrong, &json!({}));
            assert_eq!(response.body, json!({"valid": false, "code": "NOT_FOUND"}), "{wrong}");
        }
        assert_eq!(queries(&server), before);
        // The checksum is of the random characters: this one is well-formed, and unknown.
        for _ in 0..3 {
            assert_eq!(
                verify(&server, &verifier, &swapped, &json!({})).body,
                json!({"valid": false, "code": "NOT_FOUND"})
            );
        }
        assert_eq!(queries(&server), before + 3, "that a key is unknown is not cached: it may be known by now");
        for _ in 0..3 {
            assert_eq!(code(&server, &verifier, &key.key, &json!({})), "VALID");
        }
        assert_eq!(queries(&server), before + 3, "a key in use costs none");
    }

    fn the_callers_own_limit_does_not_count_verifications(database) {
        let server = Server::start(database);
        let verifier = server.key_with("sealwright.keys:verify sealwright.webhooks:read", &["--rate-per-minute", "1"]);
        let key = server.key("orders:read");
        for _ in 0..5 {
            assert_eq!(code(&server, &verifier, &key.key, &json!({})), "VALID");
        }
    }
}
