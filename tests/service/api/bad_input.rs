//! What cannot be used is refused with what is wrong with it, and nothing is changed.

use serde_json::{Value, json};

use super::{assert_invalid, assert_problem, column, created, events_of, minimal, owner, text};
use crate::support::{Answer, Server, both};

/// Values that no client may have, for creating and for changing one.
fn bad_values() -> Vec<(&'static str, Value)> {
    let many = |count: usize, entry: &dyn Fn(usize) -> String| json!((0..count).map(entry).collect::<Vec<_>>());
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
        ("scopes", json!(["sealwright."])),
        ("scopes", many(101, &|n| format!("x{n}:read"))),
        ("default_scopes", json!([])),
        ("default_scopes", json!(["a b"])),
        ("default_scopes", json!(["other:write"])),
        ("audiences", json!([""])),
        ("audiences", json!(["a b"])),
        ("audiences", json!(["x".repeat(513)])),
        ("audiences", json!(["\u{0}"])),
        ("audiences", many(51, &|n| format!("https://{n}.example"))),
        ("resource_for", json!(["a b"])),
        ("resource_for", many(51, &|n| format!("https://{n}.example"))),
        ("allowed_ips", json!(["localhost"])),
        ("allowed_ips", json!([""])),
        ("allowed_ips", json!(["10.0.0.1 "])),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("allowed_ips", json!(["::/129"])),
        ("allowed_ips", json!(["010.0.0.1"])),
        ("allowed_ips", many(101, &|n| format!("10.0.0.{n}"))),
        ("token_lifetime", json!(0)),
        ("token_lifetime", json!(-1)),
        ("token_lifetime", json!(3601)),
        ("token_lifetime", json!(i64::MAX)),
        ("token_lifetime", json!(u64::MAX)),
        ("token_lifetime", json!(60.5)),
        ("token_lifetime", json!(1e300)),
        ("token_lifetime", json!("60")),
        ("token_lifetime", json!(true)),
        ("signing_algorithm", json!("none")),
        ("signing_algorithm", json!("HS256")),
        ("signing_algorithm", json!("es256")),
        ("signing_algorithm", json!("")),
        ("rate_per_minute", json!(0)),
        ("rate_per_minute", json!(-5)),
        ("rate_per_minute", json!(1_000_001)),
        ("rate_per_minute", json!("unlimited")),
        ("burst_per_second", json!(0)),
        ("burst_per_second", json!(4_294_967_297_i64)),
        ("burst_per_second", json!(0.5)),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("")),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("2999-01-01")),
        ("expires_at", json!("2999-02-30T00:00:00Z")),
        ("expires_at", json!("99999-01-01T00:00:00Z")),
        ("expires_at", json!(4_102_444_800_i64)),
    ];
    // Every field with a value of every other type.
    for (field, right) in [
        ("name", "string"),
        ("description", "string"),
        ("scopes", "list"),
        ("default_scopes", "list"),
        ("audiences", "list"),
        ("resource_for", "list"),
        ("allowed_ips", "list"),
        ("token_lifetime", "number"),
        ("signing_algorithm", "string"),
        ("rate_per_minute", "number"),
        ("burst_per_second", "number"),
        ("expires_at", "string"),
    ] {
        for (kind, value) in [
            ("string", json!("x y")),
            ("number", json!(1.5)),
            ("list", json!([1])),
            ("list of lists", json!([["orders:read"]])),
            ("object", json!({"orders:read": true})),
            ("boolean", json!(false)),
        ] {
            if kind != right {
                bad.push((field, value));
            }
        }
    }
    bad
}

fn raw(server: &Server, token: &str, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Answer {
    let mut request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    server.send(request.body(body))
}

/// Everything that management can change, as numbers.
fn state(server: &Server) -> Vec<i64> {
    [
        "SELECT COUNT(*) AS n FROM clients",
        "SELECT COUNT(*) AS n FROM client_secrets",
        "SELECT COUNT(*) AS n FROM scopes",
        "SELECT COUNT(*) AS n FROM signing_keys",
        "SELECT COUNT(*) AS n FROM idempotency_keys",
        "SELECT CAST(SUM(updated_at) AS BIGINT) AS n FROM clients",
    ]
    .iter()
    .flat_map(|sql| server.database.numbers(sql))
    .collect()
}

both! {
    fn a_client_cannot_be_made_or_changed_with_a_bad_value(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("good"));
        let path = format!("/clients/{}", client.id);
        let before = state(&server);
        for (field, value) in bad_values() {
            let mut body = minimal("new");
            body[field] = value.clone();
            assert_invalid(&server.api("POST", "/clients", &token, Some(&body)), &[field]);
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: value}))), &[field]);
        }
        for environment in [json!("prod"), json!("Production"), json!(""), json!(1), json!([]), json!("pro\u{0}")] {
            let mut body = minimal("new");
            body["environment"] = environment;
            assert_invalid(&server.api("POST", "/clients", &token, Some(&body)), &["environment"]);
        }
        assert_eq!(state(&server), before, "nothing changed");
    }

    fn everything_that_is_wrong_is_named_at_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (body, fields) in [
            (json!({}), vec!["name", "scopes"]),
            (json!({"name": "", "scopes": ["a b"], "token_lifetime": 0}), vec!["name", "scopes", "token_lifetime"]),
            (json!({"name": "x", "scopes": ["a"], "scope": "a", "secret": "x"}), vec!["scope", "secret"]),
            (json!({"name": 1, "scopes": 2, "unknown": 3}), vec!["name", "scopes", "unknown"]),
            (json!({"name": "x", "scopes": ["a"], "client_id": "cli_1"}), vec!["client_id"]),
            (json!({"name": "x", "scopes": ["a"], "status": "active"}), vec!["status"]),
            (json!({"name": "x", "scopes": ["a"], "": 1}), vec![""]),
            (json!({"environment": "x"}), vec!["environment", "name", "scopes"]),
        ] {
            assert_invalid(&server.api("POST", "/clients", &token, Some(&body)), &fields);
        }
        let (_, client) = created(&server, &token, &minimal("good"));
        let path = format!("/clients/{}", client.id);
        for field in ["environment", "id", "client_id", "status", "client_secret", "secrets", "created_at", "grace"] {
            let answer = server.api("PATCH", &path, &token, Some(&json!({field: "x", "name": "changed"})));
            assert_invalid(&answer, &[field]);
        }
        assert_eq!(server.api("GET", &path, &token, None).body["name"], "good");
        let long = "x".repeat(5_000);
        let answer = server.api("PATCH", &path, &token, Some(&json!({&long: 1})));
        assert_eq!(answer.status, 422);
        assert!(answer.text.len() < 1_000, "a long name is not said again whole");
    }

    fn other_objects_refuse_bad_values_too(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("good"));
        assert_eq!(server.api("POST", "/scopes", &token, Some(&json!({"name": "known:read"}))).status, 201);
        let before = state(&server);
        let rotate = format!("/clients/{}/rotate-secret", client.id);
        for (method, path, body, fields) in [
            ("POST", rotate.as_str(), json!({"grace": "1w"}), vec!["grace"]),
            ("POST", &rotate, json!({"grace": "31d"}), vec!["grace"]),
            ("POST", &rotate, json!({"grace": "99999999999999999999s"}), vec!["grace"]),
            ("POST", &rotate, json!({"grce": "1h"}), vec!["grce"]),
            ("POST", "/scopes", json!({}), vec!["name"]),
            ("POST", "/scopes", json!({"name": ""}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "a b"}), vec!["name"]),
            ("POST", "/scopes", json!({"name": null}), vec!["name"]),
            ("POST", "/scopes", json!({"name": ["a"]}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "x".repeat(129)}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "a\u{0}"}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "sealwright.x"}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "a", "description": "x".repeat(1001)}), vec!["description"]),
            ("POST", "/scopes", json!({"name": "a", "description": "\u{0}"}), vec!["description"]),
            ("POST", "/scopes", json!({"name": "a", "descripton": "x"}), vec!["descripton"]),
            ("PATCH", "/scopes/known:read", json!({"description": "a\tb"}), vec!["description"]),
            ("PATCH", "/scopes/known:read", json!({"name": "other:read"}), vec!["name"]),
            ("POST", "/signing-keys/rotate", json!({"environment": "prod"}), vec!["environment"]),
            ("POST", "/signing-keys/rotate", json!({"algorithm": "HS256"}), vec!["algorithm"]),
            ("POST", "/signing-keys/rotate", json!({"algorithm": 1}), vec!["algorithm"]),
            ("POST", "/signing-keys/rotate", json!({"lead": "1 h"}), vec!["lead"]),
            ("POST", "/signing-keys/rotate", json!({"lead": "31d"}), vec!["lead"]),
            ("POST", "/signing-keys/rotate", json!({"lead": 60}), vec!["lead"]),
            ("POST", "/signing-keys/rotate", json!({"kid": "x"}), vec!["kid"]),
        ] {
            let answer = server.api(method, path, &token, Some(&body));
            assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text);
            assert_invalid(&answer, &fields);
        }
        assert_eq!(state(&server), before, "nothing changed");
    }

    fn a_body_that_is_no_json_object_of_bounded_size_is_refused(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("good"));
        assert_eq!(server.api("POST", "/scopes", &token, Some(&json!({"name": "known:read"}))).status, 201);
        let before = state(&server);
        let paths = [
            "/clients".to_owned(),
            format!("/clients/{}/rotate-secret", client.id),
            "/scopes".to_owned(),
            "/signing-keys/rotate".to_owned(),
        ];
        let nested = "[".repeat(60_000);
        let deep = format!("{{\"name\":{}", "{\"a\":".repeat(10_000));
        for path in &paths {
            for body in ["{", "[]", "null", "\"x\"", "1", "{} {}", "{\"name\":}", "name=x", "{'a':1}", "\u{feff}{}", " ",
                &nested, &deep] {
                let answer = raw(&server, &token, path, Some("application/json"), body.into());
                assert_problem(&answer, 400, "malformed_json");
            }
            for body in [b"{\"name\":\"\xff\"}".to_vec(), b"{\"name\":\"\\ud800\"}".to_vec(), vec![0; 100]] {
                let answer = raw(&server, &token, path, Some("application/json"), body);
                assert_problem(&answer, 400, "malformed_json");
            }
            for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some(""),
                Some("application/jsonx"), Some("multipart/form-data; boundary=x")] {
                let answer = raw(&server, &token, path, content_type, minimal("x").to_string().into());
                assert_problem(&answer, 415, "unsupported_media_type");
            }
            for size in [64 * 1024 + 1, 1024 * 1024] {
                let mut body = minimal("x").to_string();
                body.push_str(&" ".repeat(size - body.len()));
                let answer = raw(&server, &token, path, Some("application/json"), body.into());
                assert_problem(&answer, 413, "body_too_large");
            }
        }
        assert_eq!(state(&server), before, "nothing changed");
        // At the very bound, and with parameters of the content type, a body is taken.
        let mut body = minimal("x").to_string();
        body.push_str(&" ".repeat(64 * 1024 - body.len()));
        let answer = raw(&server, &token, "/clients", Some("Application/JSON; charset=utf-8"), body.into());
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    fn a_list_refuses_what_it_cannot_read_in_its_query(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let lists = ["/clients", "/scopes", "/signing-keys", "/audit-events"];
        for path in lists {
            for (query, fields) in [
                ("limit=0", vec!["limit"]),
                ("limit=1001", vec!["limit"]),
                ("limit=-1", vec!["limit"]),
                ("limit=x", vec!["limit"]),
                ("limit=1.5", vec!["limit"]),
                ("limit=99999999999999999999", vec!["limit"]),
                ("limit=1&limit=2", vec!["limit"]),
                ("cursor=%00", vec!["cursor"]),
                ("cursor=a%20b", vec!["cursor"]),
                ("page=2", vec!["page"]),
                ("Limit=2", vec!["Limit"]),
                ("offset=1&limit=0", vec!["limit", "offset"]),
                ("limit=%zz", vec!["query"]),
                ("limit=%ff", vec!["query"]),
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
            ("/clients", "environment=prod", "environment"),
            ("/clients", "cursor=cli_1", "cursor"),
            ("/clients", "cursor=evt_0199c0de0000700080000000000000ff", "cursor"),
            ("/clients", "status=live", "status"),
            ("/scopes", "cursor=no:such", "cursor"),
            ("/signing-keys", "environment=prod", "environment"),
            ("/signing-keys", "algorithm=HS256", "algorithm"),
            ("/signing-keys", "status=lost", "status"),
            ("/signing-keys", "cursor=nosuchkid", "cursor"),
            ("/audit-events", "environment=prod", "environment"),
            ("/audit-events", "outcome=good", "outcome"),
            ("/audit-events", "since=yesterday", "since"),
            ("/audit-events", "until=1", "until"),
            ("/audit-events", "request_id=x", "request_id"),
            ("/audit-events", "cursor=cli_0199c0de0000700080000000000000ff", "cursor"),
        ] {
            let answer = server.api("GET", &format!("{path}?{query}"), &token, None);
            assert_eq!(answer.status, 422, "{path}?{query}: {}", answer.text);
            assert_invalid(&answer, &[field]);
        }
    }

    /// A NUL is a character that PostgreSQL stores in no text: it must not get as far as there, in no field of the request.
    fn control_characters_anywhere_are_bad_input_and_no_failure(database) {
        let server = Server::spawn(database);
        let token = owner(&server);
        for (path, statuses) in [
            ("/clients?name=%00", [200, 422]),
            ("/clients?name=a%00b", [200, 422]),
            ("/clients?name=%0a%1b%7f", [200, 422]),
            ("/audit-events?credential=%00", [200, 422]),
            ("/audit-events?action=%00", [200, 422]),
            ("/clients/%00", [404, 404]),
            ("/clients/cli_%00%0a", [404, 404]),
            ("/scopes/%00", [404, 404]),
            ("/scopes/a%0Ab", [404, 404]),
        ] {
            let answer = server.api("GET", path, &token, None);
            assert!(statuses.contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
            let events = events_of(&server, &token, &answer);
            assert_eq!(events.len(), 1, "{path} has its event");
            assert_eq!(events[0]["status"], answer.status, "{path}: {}", events[0]);
            let target = events[0]["target"].as_str().unwrap_or_default();
            assert!(!target.chars().any(char::is_control), "{path}: {target:?}");
        }
        for (method, path) in [
            ("PATCH", "/clients/%00"),
            ("POST", "/clients/%00/disable"),
            ("POST", "/clients/%00/rotate-secret"),
            ("PATCH", "/scopes/%00"),
            ("DELETE", "/scopes/%00"),
            ("POST", "/signing-keys/%00/destroy"),
        ] {
            let body = (method != "DELETE").then(|| json!({}));
            let answer = server.api(method, path, &token, body.as_ref());
            assert_problem(&answer, 404, "not_found");
            let events = events_of(&server, &token, &answer);
            assert_eq!(events.len(), 1, "{method} {path} has its event");
        }
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }

    fn a_path_that_is_no_text_is_not_found(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for path in ["/clients/%FF", "/scopes/%C3%28", "/clients/%", "/clients/%zz"] {
            let answer = server.api("GET", path, &token, None);
            assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.text);
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}: {}", answer.text);
            assert!(!text(&answer.body["code"]).is_empty());
        }
        assert_eq!(column(&server.api("GET", "/clients", &token, None), "id").len(), 1);
    }
}
