//! Customers, users, roles, bodies, lists and names.

use super::*;

both! {
    fn customers_users_and_roles_refuse_bad_values(database) {
        let server = Server::spawn(database);
        let (token, path, _, user) = with_one_of_each(&server);
        let before = state(&server);
        let controls = ["a\u{0}b", "a\nb", "a\u{1b}[31mb", "a\u{7f}b", "a\u{85}b", " x", "x "];
        let customer = json!({"external_id": "new", "name": "New"});
        let mut bad: Vec<(&'static str, Value)> =
            ["", "a b", "ä", "a\u{0}", "a\n", "cus_x", "cus_0199c0de0000700080000000000000ff"]
                .iter()
                .map(|id| ("external_id", json!(id)))
                .collect();
        bad.extend([("external_id", json!("x".repeat(129))), ("external_id", Value::Null), ("name", Value::Null)]);
        bad.extend([
            ("name", json!("")),
            ("name", json!("x".repeat(201))),
            ("unknown", json!(1)),
            ("id", json!("cus_1")),
        ]);
        bad.extend(controls.iter().map(|text| ("name", json!(text))));
        bad.extend([("metadata", json!({"": "x"})), ("metadata", json!({"a": 1})), ("metadata", json!({"a": "b\nc"}))]);
        bad.extend(of_other_types("metadata", "object"));
        bad.extend(["external_id", "name"].iter().flat_map(|field| of_other_types(field, "string")));
        for (field, value) in bad {
            refused(&server, "POST", "/customers", &token, &with(&customer, field, &value), &[field]);
            refused(&server, "PATCH", "/customers/acme", &token, &json!({field: value}), &[field]);
        }
        refused(&server, "POST", "/customers", &token, &json!({}), &["external_id", "name"]);

        let person = json!({"email": "new@example.com", "role": "developer"});
        let mut bad: Vec<(&'static str, Value)> =
            ["", "ann", "@example.com", "ann@", "a b@example.com", "a@b@c", "a\u{0}@b", "a@b\n"]
                .iter()
                .map(|email| ("email", json!(email)))
                .collect();
        bad.extend([
            ("email", json!(format!("{}@b.example", "a".repeat(250)))),
            ("email", Value::Null),
            ("role", Value::Null),
        ]);
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
        refused(
            &server,
            "POST",
            "/users",
            &token,
            &json!({"email": "", "role": "x", "password": "x"}),
            &["email", "password"],
        );

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
        for body in [json!({}), json!({"owner": "nobody"}), json!({"owner": ""}), json!({"owner": ["ann@example.com"]})]
        {
            refused(&server, "POST", &transfer, &token, &body, &["owner"]);
        }
        assert_eq!(state(&server), before, "nothing changed");
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }

    fn a_body_that_is_no_json_object_of_bounded_size_is_refused(database) {
        let server = Server::start(database);
        let (token, path, key, user) = with_one_of_each(&server);
        let before = state(&server);
        let paths = [
            "/keys",
            "/keys/verify",
            &format!("{path}/rotate"),
            &format!("{path}/transfer"),
            "/customers",
            "/users",
            "/roles",
        ];
        let nested = format!("{{\"name\":{}", "{\"a\":".repeat(10_000));
        for path in paths {
            // Where nothing is required, null is the same as no body.
            let null = if path.contains("rotate") { None } else { Some("null") };
            for body in ["{", "[]", "\"x\"", "{} {}", "{\"name\":}", "name=x", "{'a':1}", "\u{feff}{}", " ", &nested]
                .into_iter()
                .chain(null)
            {
                let response = raw(&server, &token, path, Some("application/json"), body.into());
                assert_problem(&response, 400, "malformed_json");
            }
            for body in [b"{\"name\":\"\xff\"}".to_vec(), b"{\"name\":\"\\ud800\"}".to_vec(), vec![0; 100]] {
                assert_problem(&raw(&server, &token, path, Some("application/json"), body), 400, "malformed_json");
            }
            for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
                let response = raw(&server, &token, path, content_type, b"{\"name\":\"x\"}".to_vec());
                assert_problem(&response, 415, "unsupported_media_type");
            }
            let response = raw(&server, &token, path, Some("application/json"), vec![b' '; 64 * 1024 + 1]);
            assert_problem(&response, 413, "body_too_large");
        }
        for (path, body) in [
            (&path, "{\"name\":"),
            (&user, "[1]"),
            (&"/roles/support".to_owned(), "x"),
            (&"/customers/acme".to_owned(), "1"),
        ] {
            let request = server.http.patch(format!("{}/api/v1{path}", server.url)).bearer_auth(&token);
            let response = server.send(request.header("content-type", "application/json").body(body));
            assert_problem(&response, 400, "malformed_json");
        }
        assert_eq!(state(&server), before, "nothing changed");
        let verify = format!("{{\"key\":\"{key}\",\"environment\":\"production\"}}");
        let response = raw(&server, &token, "/keys/verify", Some("Application/JSON; charset=utf-8"), verify.into());
        assert_eq!(response.body["code"], "VALID", "{}", response.text);
    }

    fn a_list_refuses_what_it_cannot_read_in_its_query(database) {
        let server = Server::start(database);
        let (token, ..) = with_one_of_each(&server);
        for path in ["/keys", "/customers", "/users", "/roles"] {
            for (query, fields) in [
                ("limit=", vec!["limit"]),
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
                let response = server.api("GET", &format!("{path}?{query}"), &token, None);
                assert_eq!(response.status, 422, "{path}?{query}: {}", response.text);
                assert_invalid(&response, &fields);
            }
            for query in ["limit=1", "limit=1000", ""] {
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
            let response = server.api("GET", &format!("{path}?{query}"), &token, None);
            assert_eq!(response.status, 422, "{path}?{query}: {}", response.text);
            assert_invalid(&response, &[field]);
        }
    }

    /// A NUL is a character that PostgreSQL stores in no text: it must not get as far as there, in no field of the
    /// request.
    fn a_control_character_in_a_name_of_something_else_names_nothing(database) {
        let server = Server::spawn(database);
        let (token, path, _, user) = with_one_of_each(&server);
        let before = state(&server);
        let mut wrong = vec![];
        let mut check = |method: &str, path: &str, body: Option<Value>, status: u16, field: Option<&str>| {
            let response = server.api(method, path, &token, body.as_ref());
            let named = response.body["errors"][0]["field"].as_str();
            if (response.status, named) != (status, field) {
                wrong.push(format!("{method} {path} {body:?}: {}", response.text));
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
