//! What cannot be used of keys, customers, users and roles is refused with what is wrong with it, and nothing is changed.

use serde_json::{Value, json};

use super::keys::{code, created_key, entered_customer, made_user, minimal_key};
use super::{assert_invalid, assert_problem, events_of, owner};
use crate::support::{Answer, Server, both};

/// A list of so many entries.
fn many(count: usize, entry: &dyn Fn(usize) -> String) -> Value {
    json!((0..count).map(entry).collect::<Vec<_>>())
}

/// Values of every JSON type but one; what is said of `null` differs from field to field.
fn of_other_types(field: &'static str, right: &str) -> Vec<(&'static str, Value)> {
    [
        ("string", json!("x y")),
        ("number", json!(1.5)),
        ("list", json!([1])),
        ("list of lists", json!([["orders:read"]])),
        ("object", json!({"orders:read": true})),
        ("boolean", json!(false)),
    ]
    .into_iter()
    .filter(|(kind, _)| *kind != right)
    .map(|(_, value)| (field, value))
    .collect()
}

/// Values that no key may have, for creating and for changing one.
fn bad_values() -> Vec<(&'static str, Value)> {
    let mut bad = vec![
        ("name", json!("")),
        ("name", json!(" x")),
        ("name", json!("x\u{a0}")),
        ("name", json!("a\u{0}b")),
        ("name", json!("a\nb")),
        ("name", json!("a\u{1b}[31mb")),
        ("name", json!("a\u{85}b")),
        ("name", json!("ä".repeat(201))),
        ("name", Value::Null),
        ("description", json!("x".repeat(1001))),
        ("description", json!("a\u{7f}b")),
        ("description", json!("two\nlines")),
        ("scopes", json!([])),
        ("scopes", Value::Null),
        ("scopes", json!(["a b"])),
        ("scopes", json!([""])),
        ("scopes", json!(["a\"b"])),
        ("scopes", json!(["a\\b"])),
        ("scopes", json!(["ä"])),
        ("scopes", json!(["a\u{0}"])),
        ("scopes", json!(["x".repeat(129)])),
        ("scopes", json!(["sealwright.everything"])),
        ("scopes", json!(["sealwright.*"])),
        ("scopes", json!(["admin"])),
        ("scopes", many(101, &|n| format!("x{n}:read"))),
        ("allowed_ips", json!(["localhost"])),
        ("allowed_ips", json!([""])),
        ("allowed_ips", json!(["10.0.0.1 "])),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("allowed_ips", json!(["::/129"])),
        ("allowed_ips", json!(["10.0.0.0/-1"])),
        ("allowed_ips", json!(["010.0.0.1"])),
        ("allowed_ips", json!(["10.0.0"])),
        ("allowed_ips", json!(["10.0.0.1\u{0}"])),
        ("allowed_ips", json!(["192.0.2.1", "fe80::1%eth0"])),
        ("allowed_ips", many(101, &|n| format!("10.0.0.{n}"))),
        ("rate_per_minute", json!(0)),
        ("rate_per_minute", json!(-5)),
        ("rate_per_minute", json!(1_000_001)),
        ("rate_per_minute", json!("unlimited")),
        ("rate_per_minute", json!(u64::MAX)),
        ("burst_per_second", json!(0)),
        ("burst_per_second", json!(4_294_967_297_i64)),
        ("burst_per_second", json!(0.5)),
        ("burst_per_second", json!(1e300)),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("")),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("2999-01-01")),
        ("expires_at", json!("2999-02-30T00:00:00Z")),
        ("expires_at", json!("99999-01-01T00:00:00Z")),
        ("expires_at", json!(4_102_444_800_i64)),
        ("customers", json!(["nobody"])),
        ("customers", json!(["acme", "nobody"])),
        ("customers", json!([""])),
        ("customers", json!(["cus_0199c0de0000700080000000000000ff"])),
        ("customers", json!(["a".repeat(5_000)])),
        ("customers", many(21, &|_| "acme".to_owned())),
    ];
    for (field, right) in [
        ("name", "string"),
        ("description", "string"),
        ("scopes", "list"),
        ("allowed_ips", "list"),
        ("rate_per_minute", "number"),
        ("burst_per_second", "number"),
        ("expires_at", "string"),
        ("customers", "list"),
    ] {
        bad.extend(of_other_types(field, right));
    }
    bad
}

/// Everything that these requests could change, as numbers.
fn state(server: &Server) -> Vec<i64> {
    [
        "SELECT COUNT(*) AS n FROM api_keys",
        "SELECT COUNT(*) AS n FROM api_key_strings",
        "SELECT COUNT(*) AS n FROM api_key_strings WHERE ends_at IS NOT NULL",
        "SELECT COUNT(*) AS n FROM credential_customers",
        "SELECT COUNT(*) AS n FROM customers",
        "SELECT COUNT(*) AS n FROM users",
        "SELECT COUNT(*) AS n FROM roles",
        "SELECT COUNT(*) AS n FROM idempotency_keys",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM api_keys",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM customers",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM users",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM roles",
    ]
    .iter()
    .flat_map(|sql| server.database.numbers(sql))
    .collect()
}

/// A server with one of each: the token, the key's path and string, and the user's path.
fn with_one_of_each(server: &Server) -> (String, String, String, String) {
    let token = owner(server);
    entered_customer(server, &token, "acme");
    let user = made_user(server, &token, "ann@example.com", "developer");
    let role = server.api("POST", "/roles", &token, Some(&json!({"name": "support", "scopes": ["read"]})));
    assert_eq!(role.status, 201, "{}", role.text);
    let (made, key) = created_key(server, &token, &minimal_key("good"));
    (token, format!("/keys/{}", made["id"].as_str().unwrap()), key, format!("/users/{user}"))
}

/// `good` with one field set to something else.
fn with(good: &Value, field: &str, value: &Value) -> Value {
    let mut body = good.clone();
    body[field] = value.clone();
    body
}

fn raw(server: &Server, token: &str, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Answer {
    let mut request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    server.send(request.body(body))
}

/// Asserts which field is wrong, and says for which value where it is not that one.
#[track_caller]
fn refused(server: &Server, method: &str, path: &str, token: &str, body: &Value, fields: &[&str]) {
    let answer = server.api(method, path, token, Some(body));
    assert_eq!(answer.status, 422, "{method} {path} {body}: {}", answer.text);
    assert_invalid(&answer, fields);
    assert!(answer.text.len() < 2_000, "what is wrong is not said again whole: {}", answer.text);
}

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
            (json!({"environment": "x", "type": "y", "owner": "z"}), vec!["environment", "name", "owner", "scopes", "type"]),
            (json!({"name": "", "scopes": ["a b"], "expires_at": "x", "customers": ["x"]}), vec!["customers", "expires_at", "name", "scopes"]),
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
        for grace in [json!("1w"), json!("31d"), json!("99999999999999999999s"), json!("-1s"), json!(""), json!("ä"), json!(5), json!([])] {
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
        ];
        for (field, right) in [("key", "string"), ("environment", "string"), ("scopes", "list"), ("customer", "string"), ("ip", "string"),
            ("cost", "number"), ("method", "string"), ("path", "string"), ("user_agent", "string"), ("request_id", "string")] {
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
            ("customer", json!("no\u{0}body")),
            ("method", json!("G\u{0}T".repeat(1_000))),
            ("path", json!("/\u{0}\n\u{1b}[31m".repeat(1_000))),
            ("user_agent", json!("\u{0}ä".repeat(1_000))),
            ("request_id", json!("\u{0}".repeat(1_000))),
        ] {
            let answer = server.api("POST", "/keys/verify", &token, Some(&with(&good, field, &value)));
            assert_eq!((answer.status, &answer.body["code"]), (200, &json!("VALID")), "{field}: {}", answer.text);
            let events = events_of(&server, &token, &answer);
            assert_eq!(events.len(), 1, "{field} has its event");
            assert!(!events[0].to_string().contains("\\u00"), "{}", events[0]);
        }
        // What was never a key is none.
        for text in ["", "x", "sw_live_", "sw_live_\u{0}", &"a".repeat(10_000), "ä", &key[1..], &key.to_uppercase(), &format!(" {key}")] {
            assert_eq!(code(&server, &token, text, &json!({})), "NOT_FOUND", "{text}");
        }
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }

    fn customers_users_and_roles_refuse_bad_values(database) {
        let server = Server::spawn(database);
        let (token, path, _, user) = with_one_of_each(&server);
        let before = state(&server);
        let controls = ["a\u{0}b", "a\nb", "a\u{1b}[31mb", "a\u{7f}b", "a\u{85}b", " x", "x "];
        let customer = json!({"external_id": "new", "name": "New"});
        let mut bad: Vec<(&'static str, Value)> = ["", "a b", "ä", "a\u{0}", "a\n", "cus_x", "cus_0199c0de0000700080000000000000ff"]
            .iter()
            .map(|id| ("external_id", json!(id)))
            .collect();
        bad.extend([("external_id", json!("x".repeat(129))), ("external_id", Value::Null), ("name", Value::Null)]);
        bad.extend([("name", json!("")), ("name", json!("x".repeat(201))), ("unknown", json!(1)), ("id", json!("cus_1"))]);
        bad.extend(controls.iter().map(|text| ("name", json!(text))));
        bad.extend(["external_id", "name"].iter().flat_map(|field| of_other_types(field, "string")));
        for (field, value) in bad {
            refused(&server, "POST", "/customers", &token, &with(&customer, field, &value), &[field]);
            refused(&server, "PATCH", "/customers/acme", &token, &json!({field: value}), &[field]);
        }
        refused(&server, "POST", "/customers", &token, &json!({}), &["external_id", "name"]);

        let person = json!({"email": "new@example.com", "role": "developer"});
        let mut bad: Vec<(&'static str, Value)> = ["", "ann", "@example.com", "ann@", "a b@example.com", "a@b@c", "a\u{0}@b", "a@b\n"]
            .iter()
            .map(|email| ("email", json!(email)))
            .collect();
        bad.extend([("email", json!(format!("{}@b.example", "a".repeat(250)))), ("email", Value::Null), ("role", Value::Null)]);
        bad.extend(["nobody", "", "Developer"].map(|role| ("role", json!(role))));
        bad.extend([("password", json!("")), ("password", json!("seven77")), ("password", json!("x".repeat(1025)))]);
        bad.extend([("password", json!("äöüßäöü")), ("unknown", json!(1)), ("status", json!("active"))]);
        bad.extend([("password_hash", json!("$argon2id$")), ("id", json!("usr_1")), ("name", json!("x".repeat(201)))]);
        bad.extend(controls.iter().map(|text| ("name", json!(text))));
        bad.extend(["email", "role", "name", "password"].iter().flat_map(|field| of_other_types(field, "string")));
        // Three characters are a text all the same, and too short for a password.
        bad.push(("password", json!("x y")));
        for (field, value) in bad {
            refused(&server, "POST", "/users", &token, &with(&person, field, &value), &[field]);
            refused(&server, "PATCH", &user, &token, &json!({field: value}), &[field]);
        }
        refused(&server, "POST", "/users", &token, &json!({}), &["email", "role"]);
        refused(&server, "POST", "/users", &token, &json!({"email": "", "role": "x", "password": "x"}), &["email", "password"]);

        let role = json!({"name": "new", "scopes": ["read"]});
        let mut bad: Vec<(&'static str, Value)> = vec![
            ("description", json!("x".repeat(1001))),
            ("scopes", json!(["a b"])),
            ("scopes", json!([""])),
            ("scopes", json!(["a\u{0}"])),
            ("scopes", json!(["sealwright.everything"])),
            ("scopes", many(101, &|n| format!("x{n}:read"))),
            ("permissions", json!([])),
            ("built_in", json!(true)),
        ];
        bad.extend(controls.iter().map(|text| ("description", json!(text))));
        bad.extend(of_other_types("description", "string"));
        bad.extend(of_other_types("scopes", "list"));
        for (field, value) in bad {
            refused(&server, "POST", "/roles", &token, &with(&role, field, &value), &[field]);
            refused(&server, "PATCH", "/roles/support", &token, &json!({field: value}), &[field]);
        }
        let names = ["", "Upper", "1a", "-a", "a b", "ä", "a.b", "a\u{0}", "a\n"].map(|name| json!(name));
        for name in names.into_iter().chain([json!("x".repeat(61)), Value::Null, json!(5), json!(["a"])]) {
            refused(&server, "POST", "/roles", &token, &with(&role, "name", &name), &["name"]);
        }
        refused(&server, "POST", "/roles", &token, &json!({"name": "new"}), &["scopes"]);
        refused(&server, "PATCH", "/roles/support", &token, &json!({"name": "other"}), &["name"]);
        let transfer = format!("{path}/transfer");
        for body in [json!({}), json!({"owner": "nobody"}), json!({"owner": ""}), json!({"owner": ["ann@example.com"]})] {
            refused(&server, "POST", &transfer, &token, &body, &["owner"]);
        }
        assert_eq!(state(&server), before, "nothing changed");
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }

    fn a_body_that_is_no_json_object_of_bounded_size_is_refused(database) {
        let server = Server::start(database);
        let (token, path, key, user) = with_one_of_each(&server);
        let before = state(&server);
        let paths = ["/keys", "/keys/verify", &format!("{path}/rotate"), &format!("{path}/transfer"), "/customers", "/users", "/roles"];
        let nested = format!("{{\"name\":{}", "{\"a\":".repeat(10_000));
        for path in paths {
            for body in ["{", "[]", "null", "\"x\"", "{} {}", "{\"name\":}", "name=x", "{'a':1}", "\u{feff}{}", " ", &nested] {
                let answer = raw(&server, &token, path, Some("application/json"), body.into());
                assert_problem(&answer, 400, "malformed_json");
            }
            for body in [b"{\"name\":\"\xff\"}".to_vec(), b"{\"name\":\"\\ud800\"}".to_vec(), vec![0; 100]] {
                assert_problem(&raw(&server, &token, path, Some("application/json"), body), 400, "malformed_json");
            }
            for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
                let answer = raw(&server, &token, path, content_type, b"{\"name\":\"x\"}".to_vec());
                assert_problem(&answer, 415, "unsupported_media_type");
            }
            let answer = raw(&server, &token, path, Some("application/json"), vec![b' '; 64 * 1024 + 1]);
            assert_problem(&answer, 413, "body_too_large");
        }
        for (path, body) in [(&path, "{\"name\":"), (&user, "[1]"), (&"/roles/support".to_owned(), "x"), (&"/customers/acme".to_owned(), "1")] {
            let request = server.http.patch(format!("{}/api/v1{path}", server.url)).bearer_auth(&token);
            let answer = server.send(request.header("content-type", "application/json").body(body));
            assert_problem(&answer, 400, "malformed_json");
        }
        assert_eq!(state(&server), before, "nothing changed");
        let verify = format!("{{\"key\":\"{key}\",\"environment\":\"production\"}}");
        let answer = raw(&server, &token, "/keys/verify", Some("Application/JSON; charset=utf-8"), verify.into());
        assert_eq!(answer.body["code"], "VALID", "{}", answer.text);
    }

    fn a_list_refuses_what_it_cannot_read_in_its_query(database) {
        let server = Server::start(database);
        let (token, ..) = with_one_of_each(&server);
        for path in ["/keys", "/customers", "/users", "/roles"] {
            for (query, fields) in [
                ("limit=0", vec!["limit"]),
                ("limit=1001", vec!["limit"]),
                ("limit=-1", vec!["limit"]),
                ("limit=x", vec!["limit"]),
                ("limit=1&limit=2", vec!["limit"]),
                ("cursor=%00", vec!["cursor"]),
                ("page=2", vec!["page"]),
                ("offset=1&limit=0", vec!["limit", "offset"]),
                ("limit=%zz", vec!["query"]),
            ] {
                let answer = server.api("GET", &format!("{path}?{query}"), &token, None);
                assert_eq!(answer.status, 422, "{path}?{query}: {}", answer.text);
                assert_invalid(&answer, &fields);
            }
            for query in ["limit=1", "limit=1000", "limit=", ""] {
                assert_eq!(server.api("GET", &format!("{path}?{query}"), &token, None).status, 200, "{path}?{query}");
            }
        }
        for (path, query, field) in [
            ("/keys", "environment=prod", "environment"),
            ("/keys", "type=admin", "type"),
            ("/keys", "status=lost", "status"),
            ("/keys", "owner=ann", "owner"),
            ("/keys", "owner=cus_0199c0de0000700080000000000000ff", "owner"),
            ("/keys", "customer=%00", "customer"),
            ("/keys", "name=a%0Ab", "name"),
            ("/keys", "name=a&name=b", "name"),
            ("/keys", "rotation_due=maybe", "rotation_due"),
            ("/keys", "rotation_due=1", "rotation_due"),
            ("/keys", "cursor=key_1", "cursor"),
            ("/keys", "cursor=cli_0199c0de0000700080000000000000ff", "cursor"),
            ("/keys", "email=a@b", "email"),
            ("/customers", "cursor=acme", "cursor"),
            ("/customers", "external_id=%00", "external_id"),
            ("/customers", "name=x", "name"),
            ("/users", "cursor=usr_1", "cursor"),
            ("/users", "email=%00", "email"),
            ("/users", "role=%1b", "role"),
            ("/users", "password=x", "password"),
            ("/roles", "name=x", "name"),
        ] {
            let answer = server.api("GET", &format!("{path}?{query}"), &token, None);
            assert_eq!(answer.status, 422, "{path}?{query}: {}", answer.text);
            assert_invalid(&answer, &[field]);
        }
    }

    /// A NUL is a character that PostgreSQL stores in no text: it must not get as far as there, in no field of the request.
    fn a_control_character_in_a_name_of_something_else_names_nothing(database) {
        let server = Server::spawn(database);
        let (token, path, _, user) = with_one_of_each(&server);
        let before = state(&server);
        let mut wrong = vec![];
        let mut check = |method: &str, path: &str, body: Option<Value>, status: u16, field: Option<&str>| {
            let answer = server.api(method, path, &token, body.as_ref());
            let named = answer.body["errors"][0]["field"].as_str();
            if (answer.status, named) != (status, field) {
                wrong.push(format!("{method} {path} {body:?}: {}", answer.text));
            }
        };
        for text in ["\u{0}", "a\u{0}b", "\u{1b}", "\n"] {
            let new = |field: &str, value: Value| Some(with(&minimal_key("new"), field, &value));
            check("POST", "/keys", new("customers", json!([text])), 422, Some("customers"));
            check("POST", "/keys", new("owner", json!(text)), 422, Some("owner"));
            check("POST", "/clients", new("customers", json!([text])), 422, Some("customers"));
            check("POST", "/clients", new("owner", json!(text)), 422, Some("owner"));
            check("PATCH", &path, Some(json!({"customers": [text]})), 422, Some("customers"));
            check("POST", &format!("{path}/transfer"), Some(json!({"owner": text})), 422, Some("owner"));
            check("POST", "/users", Some(json!({"email": "new@example.com", "role": text})), 422, Some("role"));
            check("PATCH", &user, Some(json!({"role": text})), 422, Some("role"));
        }
        for kind in ["customers", "roles"] {
            for id in ["%00", "a%00b", "%0A"] {
                check("GET", &format!("/{kind}/{id}"), None, 404, None);
                check("PATCH", &format!("/{kind}/{id}"), Some(json!({})), 404, None);
                check("DELETE", &format!("/{kind}/{id}"), None, 404, None);
            }
        }
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(state(&server), before, "nothing changed");
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }
}
