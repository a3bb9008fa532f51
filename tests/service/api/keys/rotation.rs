//! Replacing a key's string.

use super::*;

both! {
    fn a_replaced_value_ends_at_once_or_exactly_after_its_grace(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, first) = created_key(&server, &token, &minimal_key("rotated"));
        let path = format!("/keys/{}", text(&made["id"]));
        let codes = |keys: [&String; 2]| keys.map(|key| plain_code(&server, &token, key));
        assert_eq!(plain_code(&server, &token, &first), "VALID");
        let (response, second) = rotated(&server, &token, &path, None);
        assert_formed(&second, "live");
        assert_eq!(codes([&first, &second]), ["NOT_FOUND", "VALID"], "the old one stops at once");
        for same in
            ["id", "name", "scopes", "rate_per_minute", "environment", "type", "created_at", "owner", "expires_at"]
        {
            assert_eq!(response[same], made[same], "{same}");
        }
        assert!(millis(&response["rotated_at"]) >= millis(&made["rotated_at"]));
        let (_, third) = rotated(&server, &token, &path, Some(&json!({"grace": "0s"})));
        assert_eq!(codes([&second, &third]), ["NOT_FOUND", "VALID"]);

        let asked = server.now();
        let (response, fourth) = rotated(&server, &token, &path, Some(&json!({"grace": "2s"})));
        let end = millis(&response["values"][1]["ends_at"]);
        assert!((asked + 2_000 - 1..=server.now() + 2_000).contains(&end), "{response}");
        assert_eq!(codes([&third, &fourth]), ["VALID", "VALID"]);
        server.wait_until(end - 500);
        let still = plain_code(&server, &token, &third);
        if server.now() < end {
            assert_eq!(still, "VALID", "until the very end");
        }
        server.wait_until(end);
        assert_eq!(codes([&third, &fourth]), ["NOT_FOUND", "VALID"]);
        let shown = server.api("GET", &path, &token, None);
        let strings = shown.body["values"].as_array().unwrap();
        let live: Vec<&Value> = strings.iter().map(|string| &string["live"]).collect();
        assert_eq!(live, [&json!(true), &json!(false), &json!(false), &json!(false)], "newest first");
        assert_eq!(shown.body["last_four"], fourth[fourth.len() - 4..]);
        assert_eq!(shown.body["prefix"], strings[0]["prefix"]);
        for key in [&first, &second, &third, &fourth] {
            assert!(!shown.text.contains(key.as_str()));
        }
    }

    fn never_more_than_two_values_are_live(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, first) = created_key(&server, &token, &minimal_key("rotated"));
        let path = format!("/keys/{}", text(&made["id"]));
        let rotate = |grace: &str| rotated(&server, &token, &path, Some(&json!({"grace": grace})));
        let valid = |keys: &[&String]| -> Vec<bool> {
            keys.iter().map(|key| plain_code(&server, &token, key) == "VALID").collect()
        };
        let (_, second) = rotate("30d");
        assert_eq!(valid(&[&first, &second]), [true, true]);
        let (_, third) = rotate("1h");
        assert_eq!(valid(&[&first, &second, &third]), [false, true, true], "the oldest ends at once");
        let (response, fourth) = rotate("30d");
        assert_eq!(valid(&[&second, &third, &fourth]), [false, true, true]);
        assert!(millis(&response["values"][1]["ends_at"]) > server.now() + 29 * DAY);
        let (_, fifth) = rotate("0s");
        assert_eq!(valid(&[&third, &fourth, &fifth]), [false, false, true]);
        for grace in [json!("31d"), json!("2592001s"), json!("-1s"), json!("1"), json!(""), json!(5), json!(["1h"])] {
            let refused = server.api("POST", &format!("{path}/rotate"), &token, Some(&json!({"grace": grace})));
            assert_invalid(&refused, &["grace"]);
        }
        assert_eq!(valid(&[&fifth]), [true], "a refused rotation ends nothing");
        // Some at the same time leave two live at most, and the newest among them.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| rotate("1h"));
            }
        });
        let shown = server.api("GET", &path, &token, None);
        let live = shown.body["values"].as_array().unwrap().iter().filter(|string| string["live"] == json!(true));
        assert_eq!(live.count(), 2, "{}", shown.text);
        assert_eq!(shown.body["values"][0]["live"], json!(true));
    }

    fn what_is_due_to_be_rotated_is_marked_and_told_of_once(database) {
        let server = Server::start_with(database, &[("ROTATION_AGE", "2s")]);
        let token = owner(&server);
        let id = |name: &str| text(&created_key(&server, &token, &minimal_key(name)).0["id"]);
        let (old, other, gone) = (id("old"), id("other"), id("gone"));
        server.api("POST", &format!("/keys/{gone}/revoke"), &token, None);
        let is_due = |id: &str| server.api("GET", &format!("/keys/{id}"), &token, None).body["rotation_due"].clone();
        let made = millis(&server.api("GET", &format!("/keys/{other}"), &token, None).body["rotated_at"]);
        if server.now() < made + 2_000 {
            let due = is_due(&other);
            assert!(due == json!(false) || server.now() >= made + 2_000, "{due}");
        }
        server.wait_until(made + 2_000);
        assert_eq!([&old, &other, &gone].map(|id| is_due(id)), [json!(true), json!(true), json!(false)]);
        assert_eq!(listed(&server, &token, "rotation_due=true"), [other.clone(), old.clone()]);
        let told = |id: &str| {
            let events = server.events(&["--action", "credential.rotation_due"]);
            events.into_iter().filter(|event| event["target"] == id).collect::<Vec<_>>()
        };
        server.work(Work::KeepKeys);
        assert_eq!([&old, &other, &gone].map(|id| told(id).len()), [1, 1, 0]);
        let event = &told(&other)[0];
        assert_eq!((event["environment"].as_str(), event["actor"].as_str()), (Some("production"), Some("system")));
        rotated(&server, &token, &format!("/keys/{other}"), None);
        assert_eq!([&old, &other].map(|id| is_due(id)), [json!(true), json!(false)]);
        server.advance(2_000);
        server.work(Work::KeepKeys);
        assert_eq!([&old, &other, &gone].map(|id| told(id).len()), [1, 2, 0]);
    }

    fn a_repeated_creation_or_rotation_gets_the_same_key_and_is_done_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let first = repeatable(&server, &token, "/keys", "create", &minimal_key("once"));
        assert_eq!(first.status, 201, "{}", first.text);
        let again = repeatable(&server, &token, "/keys", "create", &minimal_key("once"));
        assert_eq!((again.status, &again.body), (201, &first.body), "key and all");
        assert_eq!(again.header("cache-control"), "no-store");
        assert_eq!(listed(&server, &token, "name=once").len(), 1);
        let rotate = format!("/keys/{}/rotate", text(&first.body["id"]));
        let rotation = repeatable(&server, &token, &rotate, "rotate", &json!({"grace": "1h"}));
        assert_eq!(rotation.status, 200, "{}", rotation.text);
        let again = repeatable(&server, &token, &rotate, "rotate", &json!({"grace": "1h"}));
        assert_eq!((again.status, &again.body), (200, &rotation.body));
        for key in [&first.body["key"], &rotation.body["key"]] {
            assert_eq!(plain_code(&server, &token, &text(key)), "VALID", "rotated once");
        }
        for (path, key, body) in [
            ("/keys", "create", minimal_key("other")),
            ("/keys", "rotate", minimal_key("once")),
            (&rotate, "rotate", json!({})),
            (&rotate, "create", json!({"grace": "1h"})),
        ] {
            let refused = repeatable(&server, &token, path, key, &body);
            assert_problem(&refused, 422, "idempotency_key_reused");
            assert!(!refused.text.contains("sw_live_"), "{}", refused.text);
        }
        assert_eq!(listed(&server, &token, "").len(), 1);
        server.database.execute(&format!("UPDATE idempotency_keys SET created_at = created_at - {}", 3_601_000));
        let path = format!("/keys/{}", text(&first.body["id"]));
        let now = server.api("GET", &path, &token, None).body;
        let late = repeatable(&server, &token, "/keys", "create", &minimal_key("once"));
        assert_eq!((late.status, late.body), (201, now), "after an hour the object as it is now, without the key");
        let refused = repeatable(&server, &token, "/keys", "free", &json!({"name": "x"}));
        assert_invalid(&refused, &["scopes"]);
        assert_eq!(repeatable(&server, &token, "/keys", "free", &minimal_key("x")).status, 201);
    }
}
