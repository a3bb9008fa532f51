//! Keys, and questions about them.

use super::*;

both! {
    fn a_key_cannot_be_made_or_changed_with_a_bad_value(database) {
        let server = Server::start(database);
        let (token, path, key, _) = with_one_of_each(&server);
        let before = state(&server);
        for (field, value) in bad_values() {
            refused(&server, "POST", "/keys", &token, &with(&minimal_key("new"), field, &value), &[field]);
            refused(&server, "PATCH", &path, &token, &json!({field: value}), &[field]);
        }
        for preset in [json!("all"), json!(""), json!("Full"), json!(5), json!(["full"]), json!("write\u{0}")] {
            refused(&server, "POST", "/keys", &token, &json!({"name": "new", "preset": preset}), &["preset"]);
            refused(&server, "PATCH", &path, &token, &json!({"preset": preset}), &["preset"]);
        }
        // What is decided when a key is made.
        let mut fixed = vec![
            ("environment", json!("prod")),
            ("environment", json!("Production")),
            ("environment", json!("")),
            ("environment", json!("pro\u{0}")),
            ("type", json!("admin")),
            ("type", json!("Client")),
            ("type", json!("")),
            ("owner", json!("nobody@example.com")),
            ("owner", json!("ann")),
            ("owner", json!("")),
            ("owner", json!("usr_0199c0de0000700080000000000000ff")),
            ("owner", json!("key_0199c0de0000700080000000000000ff")),
            ("owner", json!("a".repeat(5_000))),
        ];
        for field in ["environment", "type", "owner"] {
            fixed.extend(of_other_types(field, "string"));
            refused(&server, "PATCH", &path, &token, &json!({field: "production", "name": "changed"}), &[field]);
        }
        for (field, value) in fixed {
            refused(&server, "POST", "/keys", &token, &with(&minimal_key("new"), field, &value), &[field]);
        }
        assert_eq!(state(&server), before, "nothing changed");
        assert_eq!(code(&server, &token, &key, &json!({"scopes": ["orders:read"]})), "VALID");
    }

    fn everything_that_is_wrong_with_a_key_is_named_at_once(database) {
        let server = Server::start(database);
        let (token, path, _, _) = with_one_of_each(&server);
        let before = state(&server);
        for (body, fields) in [
            (json!({}), vec!["name", "scopes"]),
            (json!({"name": "x"}), vec!["scopes"]),
            (json!({"scopes": ["a"]}), vec!["name"]),
            (
                json!({"environment": "x", "type": "y", "owner": "z"}),
                vec!["environment", "name", "owner", "scopes", "type"],
            ),
            // Whether customers exist is asked once everything can be read.
            (
                json!({"name": "", "scopes": ["a b"], "expires_at": "x", "customers": ["x"]}),
                vec!["expires_at", "name", "scopes"],
            ),
            (json!({"name": "x", "scopes": ["a"], "scope": "a", "key": "x"}), vec!["key", "scope"]),
            (json!({"name": 1, "scopes": 2, "unknown": 3}), vec!["name", "scopes", "unknown"]),
            (json!({"name": "x", "scopes": ["a"], "id": "key_1"}), vec!["id"]),
            (json!({"name": "x", "scopes": ["a"], "status": "active"}), vec!["status"]),
            (json!({"name": "x", "scopes": ["a"], "": 1}), vec![""]),
            (json!({"name": "x", "scopes": ["a"], "customer": "acme"}), vec!["customer"]),
        ] {
            refused(&server, "POST", "/keys", &token, &body, &fields);
        }
        let wrong = json!({"name": "", "allowed_ips": ["x"], "burst_per_second": 0, "expires_at": "x"});
        refused(&server, "PATCH", &path, &token, &wrong, &["allowed_ips", "burst_per_second", "expires_at", "name"]);
        let rotate = format!("{path}/rotate");
        for grace in [
            json!("1w"),
            json!("31d"),
            json!("99999999999999999999s"),
            json!("-1s"),
            json!(""),
            json!("ä"),
            json!(5),
            json!([]),
        ] {
            refused(&server, "POST", &rotate, &token, &json!({"grace": grace}), &["grace"]);
        }
        refused(&server, "POST", &rotate, &token, &json!({"grce": "1h"}), &["grce"]);
        assert_eq!(state(&server), before, "nothing changed");
    }

    fn a_question_about_a_key_is_read_field_by_field(database) {
        let server = Server::spawn(database);
        let (token, _, key, _) = with_one_of_each(&server);
        let good = json!({"key": key, "environment": "production"});
        let mut bad = vec![
            ("key", Value::Null),
            ("environment", json!("prod")),
            ("environment", json!("")),
            ("environment", json!("PRODUCTION")),
            ("environment", Value::Null),
            ("scopes", json!(["a b"])),
            ("scopes", json!([""])),
            ("scopes", json!(["ä"])),
            ("scopes", json!(["sealwright.nothing"])),
            ("scopes", many(101, &|n| format!("x{n}:read"))),
            ("ip", json!("localhost")),
            ("ip", json!("")),
            ("ip", json!("10.0.0.0/8")),
            ("ip", json!("10.0.0.1:80")),
            ("ip", json!("256.0.0.1")),
            ("ip", json!("[::1]")),
            ("ip", json!("10.0.0.1\u{0}")),
            ("cost", json!(0)),
            ("cost", json!(1001)),
            ("cost", json!(-1)),
            ("cost", json!(4_294_967_297_i64)),
            ("cost", json!(u64::MAX)),
            ("cost", json!("1")),
            ("unknown", json!(1)),
            ("scope", json!("orders:read")),
            ("customer", json!("no\u{0}body")),
        ];
        for (field, right) in [
            ("key", "string"),
            ("environment", "string"),
            ("scopes", "list"),
            ("customer", "string"),
            ("ip", "string"),
            ("cost", "number"),
            ("method", "string"),
            ("path", "string"),
            ("user_agent", "string"),
            ("request_id", "string"),
        ] {
            bad.extend(of_other_types(field, right));
        }
        bad.push(("cost", json!(1.5)));
        for (field, value) in bad {
            refused(&server, "POST", "/keys/verify", &token, &with(&good, field, &value), &[field]);
        }
        refused(&server, "POST", "/keys/verify", &token, &json!({}), &["environment", "key"]);
        let wrong = json!({"ip": "x", "cost": 0, "scopes": ["a b"], "environment": "x"});
        refused(&server, "POST", "/keys/verify", &token, &wrong, &["cost", "environment", "ip", "key", "scopes"]);
        // At the very bounds, and with what is only kept for reading, it is answered.
        for (field, value) in [
            ("cost", json!(1)),
            ("cost", json!(1000)),
            ("cost", Value::Null),
            ("ip", Value::Null),
            ("scopes", json!([])),
            ("method", json!("G\u{0}T".repeat(1_000))),
            ("path", json!("/\u{0}\n\u{1b}[31m".repeat(1_000))),
            ("user_agent", json!("\u{0}ä".repeat(1_000))),
            ("request_id", json!("\u{0}".repeat(1_000))),
        ] {
            let response = server.api("POST", "/keys/verify", &token, Some(&with(&good, field, &value)));
            assert_eq!((response.status, &response.body["code"]), (200, &json!("VALID")), "{field}: {}", response.text);
            let events = events_of(&server, &token, &response);
            assert_eq!(events.len(), 1, "{field} has its event");
            assert!(!events[0].to_string().contains("\\u00"), "{}", events[0]);
        }
        // What was never a key is none.
        for text in [
            "",
            "x",
            "sw_live_",
            "sw_live_\u{0}",
            &"a".repeat(10_000),
            "ä",
            &key[1..],
            &key.to_uppercase(),
            &format!(" {key}"),
        ] {
            assert_eq!(code(&server, &token, text, &json!({})), "NOT_FOUND", "{text}");
        }
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }
}
