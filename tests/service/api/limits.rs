//! Rate limits: two buckets that admit together, on every way in.

use serde_json::{Value, json};

use super::forward_auth::ask;
use super::verify::{verifier, verify};
use super::{assert_problem, owner, text};
use crate::support::{Response, Server, both};

/// `r` of the bucket that `name` names.
fn remaining(response: &Response, name: &str) -> u32 {
    let field = response.header("ratelimit");
    let item =
        field.split(", ").find(|item| item.starts_with(&format!("\"{name}\""))).unwrap_or_else(|| panic!("{field}"));
    item.split(';').find_map(|part| part.strip_prefix("r=")).unwrap().parse().unwrap()
}

fn retry_after(response: &Response) -> u64 {
    response.header("retry-after").parse().unwrap()
}

both! {
    fn a_client_is_limited_at_the_token_endpoint(database) {
        let server = Server::start(database);
        let client = server.client_with("orders:read", &["--rate-per-minute", "3", "--burst-per-second", "10"]);
        for left in [2, 1, 0] {
            let response = server.token(&client);
            assert_eq!((response.status, remaining(&response, "minute")), (200, left), "{}", response.text);
            assert_eq!(response.header("ratelimit-policy"), "\"burst\";q=10;w=1, \"minute\";q=3;w=60");
        }
        let over = server.token(&client);
        assert_eq!((over.status, over.body["error"].as_str()), (429, Some("temporarily_unavailable")), "{}", over.text);
        assert!((1..=20).contains(&retry_after(&over)), "{}", over.header("retry-after"));
        assert_eq!((remaining(&over, "minute"), over.header("cache-control")), (0, "no-store"));
        let event = &server.events(&["--request-id", over.header("x-request-id")])[0];
        assert_eq!((&event["reason"], &event["credential"]), (&json!("rate_limited"), &json!(client.id)));
        // Who fails to authenticate uses nothing up, and sees nothing of the limits.
        let other = server.client_with("orders:read", &["--rate-per-minute", "1"]);
        let wrong = crate::support::TestClient { id: other.id.clone(), secret: client.secret.clone() };
        for _ in 0..5 {
            let refused = server.token(&wrong);
            assert_eq!((refused.status, refused.header("ratelimit")), (401, ""));
        }
        assert_eq!(server.token(&other).status, 200);
        // What is wrong with the request counts all the same: it is authenticated.
        let form = [("grant_type", "client_credentials"), ("scope", "orders:write")];
        let third = server.client_with("orders:read", &["--rate-per-minute", "1"]);
        assert_eq!(server.post_form("/api/oauth/token", &third, &form).status, 400);
        assert_eq!(server.token(&third).status, 429);
        let unlimited = server.token(&server.client("orders:read"));
        assert_eq!((unlimited.header("ratelimit"), unlimited.header("ratelimit-policy")), ("", ""));
    }

    fn token_requests_and_forward_auth_of_tokens_share_a_clients_buckets(database) {
        let server = Server::start(database);
        let client = server.client_with("orders:read", &["--rate-per-minute", "4"]);
        let token = text(&server.token(&client).body["access_token"]);
        let bearer = format!("Bearer {token}");
        for left in [2, 1, 0] {
            let response = ask(&server, "", &[("authorization", &bearer)]);
            assert_eq!((response.status, remaining(&response, "minute")), (200, left));
        }
        assert_problem(&ask(&server, "", &[("authorization", &bearer)]), 429, "rate_limited");
        assert_eq!(server.token(&client).status, 429);
    }

    fn each_call_of_the_management_api_counts_for_its_caller(database) {
        let server = Server::start(database);
        let key = server.key_with("sealwright.keys:read", &["--type", "internal", "--rate-per-minute", "3"]);
        for left in [2, 1] {
            let response = server.api_with_key("GET", "/keys", &key.key, None);
            assert_eq!((response.status, remaining(&response, "minute")), (200, left), "{}", response.text);
        }
        // Also one that is refused.
        let refused = server.api_with_key("GET", "/clients", &key.key, None);
        assert_problem(&refused, 403, "permission_denied");
        let over = server.api_with_key("GET", "/keys", &key.key, None);
        assert_problem(&over, 429, "rate_limited");
        assert_eq!(over.body["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
        assert_eq!(over.body["violated-policies"], json!(["minute"]));
        assert!((1..=20).contains(&retry_after(&over)));
        assert_eq!(over.header("www-authenticate"), "");
    }

    fn both_buckets_must_admit_and_nothing_is_taken_unless_both_do(database) {
        let server = Server::start(database);
        let verifier = verifier(&server);
        let key = server.key_with("orders:read", &["--rate-per-minute", "12", "--burst-per-second", "10"]);
        let cost = |cost: u32| verify(&server, &verifier, &key.key, &json!({"cost": cost})).body;
        assert_eq!(cost(9)["rate_limit"]["remaining"], 1);
        let refused = cost(10);
        assert_eq!(refused["code"], "RATE_LIMITED");
        assert!(refused["rate_limit"]["retry_after"].as_u64().unwrap() > 1, "{refused}");
        assert_eq!(cost(11)["code"], "RATE_LIMITED", "more than it ever holds");
        server.advance(1_050);
        // Ten would fit into the second's bucket, and not into what the minute's has left: three.
        assert_eq!(cost(10)["code"], "RATE_LIMITED");
        let taken = cost(3);
        assert_eq!(
            (&taken["code"], &taken["rate_limit"]["limit"], &taken["rate_limit"]["remaining"]),
            (&json!("VALID"), &json!(12), &json!(0))
        );
        assert!((1..=60).contains(&taken["rate_limit"]["reset_after"].as_u64().unwrap()), "{taken}");
    }

    /// No wait would help, and none is named: not even for a bucket that is full.
    fn a_cost_above_a_limit_is_never_admitted(database) {
        let server = Server::start(database);
        let verifier = verifier(&server);
        let key = server.key_with("orders:read", &["--rate-per-minute", "12", "--burst-per-second", "10"]);
        let cost = |cost: u32| verify(&server, &verifier, &key.key, &json!({"cost": cost})).body;
        for above in [11, 13, 1_000] {
            let refused = cost(above);
            assert_eq!((&refused["code"], &refused["rate_limit"]["limit"]), (&json!("RATE_LIMITED"), &json!(10)));
            assert_eq!(refused["rate_limit"].get("retry_after"), Some(&Value::Null), "{refused}");
        }
        assert_eq!(cost(10)["code"], "VALID", "nothing was taken");
        let refused = cost(10);
        assert!(refused["rate_limit"]["retry_after"].as_u64().unwrap() > 1, "{refused}");
        let events = server.events(&["--credential", &key.id, "--action", "key.verify", "--outcome", "refused"]);
        let reasons: Vec<&Value> = events.iter().map(|event| &event["reason"]).collect();
        let above = "cost_exceeds_limit";
        assert_eq!(reasons, ["rate_limited", above, above, above], "newest first");
    }

    fn what_was_used_up_stays_used_up_when_a_key_is_changed(database) {
        let server = Server::start(database);
        let (verifier, owner) = (verifier(&server), owner(&server));
        let key = server.key_with("orders:read", &["--rate-per-minute", "2"]);
        let path = format!("/keys/{}", key.id);
        let remaining = || verify(&server, &verifier, &key.key, &json!({})).body["rate_limit"]["remaining"].clone();
        assert_eq!((remaining(), remaining()), (json!(1), json!(0)));
        for change in [json!({"name": "other"}), json!({"rate_per_minute": 4})] {
            assert_eq!(server.api("PATCH", &path, &owner, Some(&change)).status, 200);
            assert_eq!(verify(&server, &verifier, &key.key, &json!({})).body["code"], "RATE_LIMITED", "{change}");
        }
        for verb in ["disable", "enable"] {
            server.api("POST", &format!("{path}/{verb}"), &owner, None);
        }
        assert_eq!(verify(&server, &verifier, &key.key, &json!({})).body["code"], "RATE_LIMITED");
        assert_eq!(server.api("PATCH", &path, &owner, Some(&json!({"rate_per_minute": null}))).status, 200);
        assert_eq!(remaining(), Value::Null);
    }

    fn failed_authentications_are_limited_by_address_and_lock_nobody_out(database) {
        let settings = [("GUESS_LIMIT_PER_MINUTE", "3"), ("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#)];
        let server = Server::start_with(database, &settings);
        let key = server.key_with("sealwright.keys:read", &["--type", "internal"]);
        let wrong = key.key.replace("_live_", "_dev_");
        let from = |address: &str, key: &str| ask(&server, "", &[("x-forwarded-for", address), ("x-api-key", key)]);
        for _ in 0..3 {
            assert_problem(&from("203.0.113.1", &wrong), 401, "invalid_token");
        }
        let over = from("203.0.113.1", "junk");
        assert_problem(&over, 429, "too_many_failures");
        assert!((1..=20).contains(&retry_after(&over)));
        assert_eq!(from("203.0.113.1", &key.key).status, 200, "a right key is never refused for others' failures");
        assert_problem(&from("203.0.113.2", &wrong), 401, "invalid_token");
        for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
            assert_problem(&from(address, &wrong), 401, "invalid_token");
        }
        assert_problem(&from("2001:db8::4", &wrong), 429, "too_many_failures");
        assert_problem(&from("2001:db8:0:1::4", &wrong), 401, "invalid_token");
        let managed = |key: &str| server.api_with_key("GET", "/keys", key, None);
        for _ in 0..3 {
            assert_problem(&managed(&wrong), 401, "invalid_token");
        }
        assert_problem(&managed(&wrong), 429, "too_many_failures");
        assert_eq!(managed(&key.key).status, 200);
    }
}
