//! Bodies, queries and paths.

use super::*;

fn raw(server: &Server, token: &str, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Response {
    let mut request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    server.send(request.body(body))
}

both! {
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
            // Where nothing is required, null is the same as no body.
            let null = if path.contains("rotate") { None } else { Some("null") };
            for body in [
                "{",
                "[]",
                "\"x\"",
                "1",
                "{} {}",
                "{\"name\":}",
                "name=x",
                "{'a':1}",
                "\u{feff}{}",
                " ",
                &nested,
                &deep,
            ]
            .into_iter()
            .chain(null)
            {
                let response = raw(&server, &token, path, Some("application/json"), body.into());
                assert_problem(&response, 400, "malformed_json");
            }
            for body in [b"{\"name\":\"\xff\"}".to_vec(), b"{\"name\":\"\\ud800\"}".to_vec(), vec![0; 100]] {
                let response = raw(&server, &token, path, Some("application/json"), body);
                assert_problem(&response, 400, "malformed_json");
            }
            for content_type in [
                None,
                Some("text/plain"),
                Some("application/x-www-form-urlencoded"),
                Some(""),
                Some("application/jsonx"),
                Some("multipart/form-data; boundary=x"),
            ] {
                let response = raw(&server, &token, path, content_type, minimal("x").to_string().into());
                assert_problem(&response, 415, "unsupported_media_type");
            }
            for size in [64 * 1024 + 1, 1024 * 1024] {
                let mut body = minimal("x").to_string();
                body.push_str(&" ".repeat(size - body.len()));
                let response = raw(&server, &token, path, Some("application/json"), body.into());
                assert_problem(&response, 413, "body_too_large");
            }
        }
        assert_eq!(state(&server), before, "nothing changed");
        // At the very bound, and with parameters of the content type, a body is taken.
        let mut body = minimal("x").to_string();
        body.push_str(&" ".repeat(64 * 1024 - body.len()));
        let response = raw(&server, &token, "/clients", Some("Application/JSON; charset=utf-8"), body.into());
        assert_eq!(response.status, 201, "{}", response.text);
    }

    fn a_list_refuses_what_it_cannot_read_in_its_query(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let lists = ["/clients", "/scopes", "/signing-keys", "/audit-events"];
        for path in lists {
            for (query, fields) in [
                ("limit=", vec!["limit"]),
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
                let response = server.api("GET", &format!("{path}?{query}"), &token, None);
                assert_eq!(response.status, 422, "{path}?{query}: {}", response.text);
                assert_invalid(&response, &fields);
            }
            for query in ["limit=1", "limit=1000", ""] {
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
            ("/audit-events", "action=token", "action"),
            ("/audit-events", "outcome=good", "outcome"),
            ("/audit-events", "since=yesterday", "since"),
            ("/audit-events", "until=1", "until"),
            ("/audit-events", "request_id=x", "request_id"),
            ("/audit-events", "cursor=cli_0199c0de0000700080000000000000ff", "cursor"),
        ] {
            let response = server.api("GET", &format!("{path}?{query}"), &token, None);
            assert_eq!(response.status, 422, "{path}?{query}: {}", response.text);
            assert_invalid(&response, &[field]);
        }
    }

    /// A NUL is a character that PostgreSQL stores in no text: it must not get as far as there, in no field of the
    /// request.
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
            let response = server.api("GET", path, &token, None);
            assert!(statuses.contains(&response.status), "{path}: {} {}", response.status, response.text);
            let events = events_of(&server, &token, &response);
            assert_eq!(events.len(), 1, "{path} has its event");
            assert_eq!(events[0]["status"], response.status, "{path}: {}", events[0]);
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
            let response = server.api(method, path, &token, body.as_ref());
            assert_problem(&response, 404, "not_found");
            let events = events_of(&server, &token, &response);
            assert_eq!(events.len(), 1, "{method} {path} has its event");
        }
        assert!(!server.log().contains(" ERROR "), "{}", server.log());
    }

    fn a_path_that_is_no_text_is_not_found(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for path in ["/clients/%FF", "/scopes/%C3%28", "/clients/%", "/clients/%zz"] {
            let response = server.api("GET", path, &token, None);
            assert!(matches!(response.status, 400 | 404), "{path}: {}", response.text);
            assert_eq!(response.header("content-type"), "application/problem+json", "{path}: {}", response.text);
            assert!(!text(&response.body["code"]).is_empty());
        }
        assert_eq!(column(&server.api("GET", "/clients", &token, None), "id").len(), 1);
    }
}
