//! A client's secrets.

use super::*;

both! {
    fn a_replaced_secret_ends_at_once_or_exactly_after_its_grace(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, first) = fresh(&server, &token, "plain");
        assert_eq!(token_status(&server, &first), 200);
        let rotate = |body: Option<Value>| {
            let response = server.api("POST", &format!("{path}/rotate-secret"), &token, body.as_ref());
            assert_eq!(response.status, 200, "{}", response.text);
            assert_eq!(response.header("cache-control"), "no-store");
            (with_secret(&response.body), response.body)
        };
        let (second, _) = rotate(None);
        assert_eq!((token_status(&server, &first), token_status(&server, &second)), (401, 200));
        assert_ne!(first.secret, second.secret);
        let (third, _) = rotate(Some(json!({"grace": "0s"})));
        assert_eq!((token_status(&server, &second), token_status(&server, &third)), (401, 200));

        let asked = server.now();
        let (fourth, response) = rotate(Some(json!({"grace": "2s"})));
        let end = millis(&response["secrets"][1]["ends_at"]);
        assert!((asked + 2_000 - 1..=server.now() + 2_000).contains(&end), "{response}");
        assert_eq!((token_status(&server, &third), token_status(&server, &fourth)), (200, 200));
        server.wait_until(end - 500);
        let still = server.token(&third);
        if server.now() < end {
            assert_eq!(still.status, 200, "until the very end");
        }
        server.wait_until(end);
        assert_eq!((token_status(&server, &third), token_status(&server, &fourth)), (401, 200));
        let shown = server.api("GET", &path, &token, None);
        let live: Vec<bool> =
            shown.body["secrets"].as_array().unwrap().iter().map(|secret| secret["live"] == json!(true)).collect();
        assert_eq!(live, [true, false, false, false], "newest first");
        assert!(!shown.text.contains(&fourth.secret));
    }

    fn never_more_than_two_secrets_are_live(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, first) = fresh(&server, &token, "plain");
        let rotate = |grace: &str| {
            let response = server.api("POST", &format!("{path}/rotate-secret"), &token, Some(&json!({"grace": grace})));
            assert_eq!(response.status, 200, "{}", response.text);
            (with_secret(&response.body), response.body)
        };
        let (second, _) = rotate("30d");
        assert_eq!((token_status(&server, &first), token_status(&server, &second)), (200, 200));
        let (third, _) = rotate("1h");
        let statuses = [&first, &second, &third].map(|client| token_status(&server, client));
        assert_eq!(statuses, [401, 200, 200], "the oldest ends at once");
        let (fourth, response) = rotate("30d");
        let statuses = [&first, &second, &third, &fourth].map(|client| token_status(&server, client));
        assert_eq!(statuses, [401, 401, 200, 200]);
        assert!(millis(&response["secrets"][1]["ends_at"]) > server.now() + 29 * 86_400_000);
        let (fifth, _) = rotate("0s");
        assert_eq!([&third, &fourth, &fifth].map(|client| token_status(&server, client)), [401, 401, 200]);
        for grace in [json!("31d"), json!("2592001s"), json!("-1s"), json!("1"), json!(""), json!(5), json!(["1h"])] {
            let body = json!({"grace": grace});
            let refused = server.api("POST", &format!("{path}/rotate-secret"), &token, Some(&body));
            assert_invalid(&refused, &["grace"]);
        }
        assert_eq!(token_status(&server, &fifth), 200, "a refused rotation ends nothing");
        // Two at the same time leave two live at most, and the newest among them.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| rotate("1h"));
            }
        });
        let shown = server.api("GET", &path, &token, None);
        let live = shown.body["secrets"].as_array().unwrap().iter().filter(|secret| secret["live"] == json!(true));
        assert_eq!(live.count(), 2, "{}", shown.text);
        assert_eq!(shown.body["secrets"][0]["live"], json!(true));
    }

    fn each_secret_tells_when_it_was_last_used(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, first) = fresh(&server, &token, "plain");
        let rotated = server.api("POST", &format!("{path}/rotate-secret"), &token, Some(&json!({"grace": "1h"})));
        let second = with_secret(&rotated.body);
        let wrong = TestClient { secret: format!("{}x", first.secret), ..first.clone() };
        assert_eq!(token_status(&server, &wrong), 401);
        let used_first = server.now();
        assert_eq!(token_status(&server, &first), 200);
        server.work(Work::StoreNotes);
        let shown = server.api("GET", &path, &token, None).body;
        assert_eq!(shown["secrets"][0]["last_used_at"], Value::Null, "the new one was not used");
        let at = millis(&shown["secrets"][1]["last_used_at"]);
        assert!((used_first - 1..used_first + 1_000).contains(&at), "{shown}");
        assert_eq!(shown["last_used_at"], shown["secrets"][1]["last_used_at"]);
        let used_second = server.now();
        assert_eq!(token_status(&server, &second), 200);
        server.work(Work::StoreNotes);
        let shown = server.api("GET", &path, &token, None).body;
        assert!(millis(&shown["secrets"][0]["last_used_at"]) >= used_second - 1, "{shown}");
        assert_eq!(millis(&shown["secrets"][1]["last_used_at"]), at);
        assert_eq!(shown["last_used_at"], shown["secrets"][0]["last_used_at"]);
    }
}
