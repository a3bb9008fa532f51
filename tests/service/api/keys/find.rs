//! Finding keys by their values, and by the characters of these that are shown.

use super::*;

/// How a value begins and ends, as it is shown.
fn shown(key: &str) -> (&str, &str) {
    (&key[.."sw_live_".len() + 4], &key[key.len() - 4..])
}

both! {
    fn a_key_is_found_by_each_of_its_values_also_when_it_is_revoked(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, old) = created_key(&server, &token, &minimal_key("wanted"));
        let id = text(&made["id"]);
        let path = format!("/keys/{id}");
        let find = |caller: &str, value: &str| server.api("POST", "/keys/find", caller, Some(&json!({"key": value})));
        let (_, new) = rotated(&server, &token, &path, None);
        server.manage("POST", &format!("{path}/revoke"), None);
        let expected = server.api("GET", &path, &token, None).body;
        for value in [&old, &new] {
            let found = find(&token, value);
            assert_eq!((found.status, &found.body), (200, &expected), "{}", found.text);
            let event = &events_of(&server, &token, &found)[0];
            assert_eq!((&event["action"], &event["target"]), (&json!("key.read"), &json!(id)), "{event}");
            assert!(!event.to_string().contains(&value["sw_live_".len()..]), "{event}");
        }
        let unknown = old.replace("sw_live_", "sw_stg_");
        let staging = server.key_with("sealwright.keys:read", &["--type", "internal", "--environment", "staging"]);
        entered_customer(&server, &token, "acme");
        let tied = server.key_with("sealwright.keys:read", &["--type", "internal", "--customer", "acme"]);
        for (caller, value) in
            [(&token, unknown.as_str()), (&token, "x"), (&token, ""), (&staging.key, &new), (&tied.key, &new)]
        {
            let missed = find(caller, value);
            assert_problem(&missed, 404, "not_found");
            let event = &server.events(&["--request-id", missed.header("x-request-id")])[0];
            assert_eq!((&event["reason"], &event["target"]), (&json!("not_found"), &Value::Null), "{event}");
        }
        assert_invalid(&server.api("POST", "/keys/find", &token, Some(&json!({}))), &["key"]);
    }

    fn keys_are_listed_by_the_characters_that_are_shown_of_their_values(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (made, old) = created_key(&server, &token, &minimal_key("wanted"));
        let (id, path) = (text(&made["id"]), format!("/keys/{}", text(&made["id"])));
        let (_, new) = rotated(&server, &token, &path, Some(&json!({"grace": "1h"})));
        let (_, other) = created_key(&server, &token, &minimal_key("other"));
        server.manage("POST", &format!("{path}/revoke"), None);
        let ((first, last), (new_first, new_last)) = (shown(&old), shown(&new));
        for (query, is_found) in [
            (format!("prefix={first}"), true),
            (format!("prefix={new_first}"), true),
            (format!("last_four={last}"), true),
            (format!("last_four={new_last}"), true),
            (format!("prefix={first}&last_four={last}"), true),
            (format!("prefix={first}&last_four={last}&status=revoked&type=partner"), true),
            (format!("prefix={first}&status=active"), false),
            // Characters of two values are not those of one.
            (format!("prefix={first}&last_four={new_last}"), false),
            (format!("prefix={first}&last_four={}", shown(&other).1), false),
        ] {
            let found = listed(&server, &token, &query);
            assert_eq!(found, if is_found { vec![id.clone()] } else { vec![] }, "{query}");
        }
        for (query, field) in [
            ("prefix=sw_live_".to_owned(), "prefix"),
            (format!("prefix={old}"), "prefix"),
            ("last_four=abc".to_owned(), "last_four"),
            ("last_four=ab%25c".to_owned(), "last_four"),
        ] {
            assert_invalid(&server.api("GET", &format!("/keys?{query}"), &token, None), &[field]);
        }
    }
}
