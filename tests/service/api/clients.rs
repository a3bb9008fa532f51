//! A client's life by `/api/v1/clients`.

use serde_json::{Value, json};

use super::{
    assert_invalid, assert_problem, column, created, is_active, millis, minimal, now, owner, rfc3339, text, texts,
    wait_until, with_secret,
};
use crate::support::{Server, TestClient, both};

/// Every member of a client's view, apart from the secret of a new one.
const MEMBERS: [&str; 25] = [
    "allowed_ips",
    "audiences",
    "burst_per_second",
    "client_id",
    "created_at",
    "customers",
    "default_scopes",
    "description",
    "environment",
    "expires_at",
    "id",
    "last_used_at",
    "name",
    "owner",
    "rate_per_minute",
    "resource_for",
    "rotated_at",
    "rotation_due",
    "scopes",
    "secrets",
    "signing_algorithm",
    "status",
    "token_lifetime",
    "tokens_revoked_before",
    "updated_at",
];

fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Makes a client and gives its path.
fn fresh(server: &Server, token: &str, name: &str) -> (String, TestClient) {
    let (body, client) = created(server, token, &minimal(name));
    (format!("/clients/{}", text(&body["id"])), client)
}

fn token_status(server: &Server, client: &TestClient) -> u16 {
    server.token(client).status
}

both! {
    fn a_created_client_is_shown_whole_and_its_secret_this_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let expires_at = rfc3339(now() + 86_400_000);
        let given = json!({
            "environment": "production",
            "name": "Rechnungen – billing",
            "description": "Posts invoices.",
            "scopes": ["orders:read", "invoices:write", "orders:read"],
            "default_scopes": ["orders:read"],
            "audiences": ["https://orders.example", "https://billing.example"],
            "resource_for": ["https://billing.example"],
            "allowed_ips": ["127.0.0.1", "10.1.2.3/8", "2001:db8::/32"],
            "token_lifetime": 900,
            "signing_algorithm": "EdDSA",
            "rate_per_minute": 1_000,
            "burst_per_second": null,
            "expires_at": expires_at,
        });
        let before = now();
        let answer = server.api("POST", "/clients", &token, Some(&given));
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "application/json");
        let mut made = answer.body;
        let client = with_secret(&made);
        made.as_object_mut().unwrap().remove("client_secret");
        assert_eq!(members(&made), MEMBERS);
        let expected = json!({
            "environment": "production",
            "name": "Rechnungen – billing",
            "description": "Posts invoices.",
            "scopes": ["invoices:write", "orders:read"],
            "default_scopes": ["orders:read"],
            "audiences": ["https://orders.example", "https://billing.example"],
            "resource_for": ["https://billing.example"],
            "allowed_ips": ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"],
            "token_lifetime": 900,
            "signing_algorithm": "EdDSA",
            "rate_per_minute": 1_000,
            "burst_per_second": null,
            "expires_at": expires_at,
            "status": "active",
            "tokens_revoked_before": null,
            "last_used_at": null,
        });
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(&made[member], value, "{member}");
        }
        assert_eq!(made["id"], made["client_id"]);
        assert!(client.id.starts_with("cli_"));
        assert!(client.secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{}", client.secret);
        assert!((before - 1..=now()).contains(&millis(&made["created_at"])));
        assert_eq!(made["created_at"], made["updated_at"]);
        let secrets = made["secrets"].as_array().unwrap();
        assert_eq!(secrets.len(), 1);
        assert_eq!(members(&secrets[0]), ["created_at", "ends_at", "id", "last_four", "last_used_at", "live"]);
        assert!(client.secret.ends_with(&text(&secrets[0]["last_four"])));
        assert_eq!((&secrets[0]["ends_at"], &secrets[0]["live"]), (&Value::Null, &json!(true)));

        let shown = server.api("GET", &format!("/clients/{}", client.id), &token, None);
        assert_eq!((shown.status, &shown.body), (200, &made), "shown later without its secret");
        let listed = server.api("GET", "/clients", &token, None);
        assert_eq!(listed.body["data"][0], made);
        for answer in [&shown, &listed] {
            assert!(!answer.text.contains(&client.secret) && !answer.text.contains("$argon2"), "{}", answer.text);
        }
        let issued = server.token(&client);
        assert_eq!((issued.status, &issued.body["expires_in"]), (200, &json!(900)), "{}", issued.text);
        assert_eq!(issued.body["scope"], "orders:read");
        assert_eq!(
            server.database.numbers("SELECT COUNT(*) AS n FROM client_secrets WHERE hash NOT LIKE '$argon2id$%'"),
            [0]
        );
    }

    fn what_is_not_named_has_its_default(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let made = server.api("POST", "/clients", &token, Some(&minimal("plain"))).body;
        let client = with_secret(&made);
        for (member, value) in [
            ("environment", json!("production")),
            ("description", json!("")),
            ("default_scopes", Value::Null),
            ("audiences", json!([format!("{}/resources", server.url)])),
            ("resource_for", json!([])),
            ("allowed_ips", json!([])),
            ("token_lifetime", json!(3600)),
            ("signing_algorithm", Value::Null),
            ("rate_per_minute", json!(100)),
            ("burst_per_second", json!(10)),
            ("expires_at", Value::Null),
            ("owner", Value::Null),
            ("customers", json!([])),
            ("rotation_due", json!(false)),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        assert_eq!(server.token(&client).body["scope"], "orders:read");
        let (manager, _) = created(&server, &token, &json!({"name": "m", "scopes": ["sealwright.clients:read"]}));
        assert_eq!(texts(&manager["audiences"]), [format!("{}/api/v1", server.url)]);
    }

    fn lists_go_from_the_newest_to_the_oldest_page_by_page(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let mut ids: Vec<String> = Vec::new();
        for name in ["one", "two", "same", "same", "five"] {
            ids.insert(0, created(&server, &token, &minimal(name)).1.id);
        }
        server.client_with("orders:read", &["--environment", "staging"]);
        let all = server.api("GET", "/clients", &token, None);
        assert_eq!(column(&all, "id")[..5], ids, "newest first, and the owner itself last");
        assert_eq!(column(&all, "id").len(), 6, "nothing of staging");
        assert_eq!(all.body["next_cursor"], Value::Null);

        for limit in [1, 2, 3, 5, 6, 1000] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = server.api("GET", &format!("/clients?limit={limit}{cursor}"), &token, None);
                let rows = column(&page, "id");
                assert!(rows.len() <= limit && !rows.is_empty(), "{limit}: {}", page.text);
                seen.extend(rows);
                match &page.body["next_cursor"] {
                    Value::Null => break,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
            assert_eq!(seen, column(&all, "id"), "in pages of {limit}");
        }

        for (query, expected) in [
            ("name=same", vec![&ids[1], &ids[2]]),
            ("name=same&limit=1", vec![&ids[1]]),
            ("name=Same", vec![]),
            ("name=sam", vec![]),
            ("name=two&environment=production", vec![&ids[3]]),
            ("environment=staging", vec![]),
            ("environment=development&name=two", vec![]),
        ] {
            let answer = server.api("GET", &format!("/clients?{query}"), &token, None);
            assert_eq!(column(&answer, "id").iter().collect::<Vec<_>>(), expected, "{query}");
        }
        // A page does not move when something newer is made meanwhile.
        let first = server.api("GET", "/clients?limit=2", &token, None);
        created(&server, &token, &minimal("newer"));
        let cursor = text(&first.body["next_cursor"]);
        let second = server.api("GET", &format!("/clients?limit=2&cursor={cursor}"), &token, None);
        assert_eq!(column(&second, "id"), ids[2..4]);
    }

    fn every_setting_is_changed_by_itself_and_null_sets_it_back(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let later = rfc3339(now() + 3_600_000);
        let (path, _) = fresh(&server, &token, "plain");
        let mut expected = server.api("GET", &path, &token, None).body;
        for (field, set, shown, cleared) in [
            ("description", json!("What it is for."), json!("What it is for."), json!("")),
            ("default_scopes", json!(["orders:read"]), json!(["orders:read"]), Value::Null),
            ("audiences", json!(["b", "a", "b"]), json!(["b", "a"]), json!([format!("{}/resources", server.url)])),
            ("resource_for", json!(["https://a.example"]), json!(["https://a.example"]), json!([])),
            ("allowed_ips", json!(["::ffff:10.0.0.1", "10.0.0.0/8"]), json!(["10.0.0.1", "10.0.0.0/8"]), json!([])),
            ("token_lifetime", json!(1), json!(1), json!(3600)),
            ("signing_algorithm", json!("RS256"), json!("RS256"), Value::Null),
            ("rate_per_minute", json!(1_000_000), json!(1_000_000), Value::Null),
            ("burst_per_second", json!(1), json!(1), Value::Null),
            ("expires_at", json!(later), json!(later), Value::Null),
        ] {
            for (given, then) in [(set, shown), (Value::Null, cleared)] {
                let answer = server.api("PATCH", &path, &token, Some(&json!({field: given})));
                assert_eq!(answer.status, 200, "{field}: {}", answer.text);
                expected[field] = then;
                assert!(millis(&answer.body["updated_at"]) >= millis(&expected["updated_at"]));
                expected["updated_at"] = answer.body["updated_at"].clone();
                assert_eq!(answer.body, expected, "{field} and nothing else");
                assert_eq!(server.api("GET", &path, &token, None).body, expected, "{field} is stored");
            }
        }
        for (field, given) in [("name", json!("other")), ("scopes", json!(["invoices:read"]))] {
            let answer = server.api("PATCH", &path, &token, Some(&json!({field: given})));
            assert_eq!((answer.status, &answer.body[field]), (200, &given), "{}", answer.text);
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: null}))), &[field]);
        }
        let none = server.api("PATCH", &path, &token, Some(&json!({})));
        assert_eq!(none.status, 200, "{}", none.text);
        // Default scopes go beyond the scopes neither at once nor when the scopes shrink.
        assert_invalid(
            &server.api("PATCH", &path, &token, Some(&json!({"default_scopes": ["orders:read"]}))),
            &["default_scopes"],
        );
        let both = json!({"scopes": ["read"], "default_scopes": ["orders:read"]});
        assert_eq!(server.api("PATCH", &path, &token, Some(&both)).status, 200);
        assert_invalid(
            &server.api("PATCH", &path, &token, Some(&json!({"scopes": ["write"]}))),
            &["default_scopes"],
        );
    }

    fn a_changed_setting_is_in_force_when_its_answer_is_given(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, client) = fresh(&server, &token, "plain");
        assert_eq!(token_status(&server, &client), 200);
        let change = |body: Value| {
            let answer = server.api("PATCH", &path, &token, Some(&body));
            assert_eq!(answer.status, 200, "{}", answer.text);
            server.token(&client)
        };
        assert_eq!(change(json!({"token_lifetime": 60})).body["expires_in"], 60);
        assert_eq!(change(json!({"scopes": ["invoices:read"]})).body["scope"], "invoices:read");
        assert_eq!(change(json!({"scopes": ["read"], "default_scopes": ["x:read"]})).body["scope"], "x:read");
        assert_eq!(change(json!({"allowed_ips": ["192.0.2.0/24"]})).status, 401);
        assert_eq!(change(json!({"allowed_ips": ["127.0.0.0/8"]})).status, 200);
        assert_eq!(change(json!({"allowed_ips": null})).status, 200);
        let end = now() + 1_000;
        change(json!({"expires_at": rfc3339(end)}));
        wait_until(end);
        assert_eq!(token_status(&server, &client), 401);
        assert_eq!(server.api("GET", &path, &token, None).body["status"], "expired");
        assert_eq!(change(json!({"expires_at": null})).status, 200);
    }

    fn disabling_enabling_and_revoking_are_in_force_when_they_are_answered(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, client) = fresh(&server, &token, "plain");
        let observer = server.client("sealwright.tokens:introspect");
        let introspected = |token: &str| {
            server.post_form("/api/oauth/introspect", &observer, &[("token", token)]).body["active"] == json!(true)
        };
        let issued = text(&server.token(&client).body["access_token"]);
        for (action, status, token_answer, active) in [
            ("disable", "inactive", 401, false),
            ("disable", "inactive", 401, false),
            ("enable", "active", 200, true),
            ("enable", "active", 200, true),
            ("disable", "inactive", 401, false),
            ("revoke", "revoked", 401, false),
            ("revoke", "revoked", 401, false),
        ] {
            let answer = server.api("POST", &format!("{path}/{action}"), &token, None);
            assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some(status)), "{}", answer.text);
            assert_eq!(token_status(&server, &client), token_answer, "after {action}");
            assert_eq!(introspected(&issued), active, "after {action}");
        }
        // What is revoked stays so, and stays to be seen.
        for (method, at, body) in [
            ("POST", format!("{path}/enable"), json!({})),
            ("POST", format!("{path}/disable"), json!({})),
            ("POST", format!("{path}/rotate-secret"), json!({})),
            ("PATCH", path.clone(), json!({"name": "other"})),
            ("PATCH", path.clone(), json!({})),
        ] {
            assert_problem(&server.api(method, &at, &token, Some(&body)), 409, "revoked");
        }
        assert_eq!(server.api("POST", &format!("{path}/revoke-tokens"), &token, None).status, 200);
        let shown = server.api("GET", &path, &token, None);
        assert_eq!((shown.body["status"].as_str(), shown.body["name"].as_str()), (Some("revoked"), Some("plain")));
        assert_eq!(shown.body["secrets"].as_array().unwrap().len(), 1);
    }

    fn revoking_tokens_ends_those_issued_before_and_none_after(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, client) = fresh(&server, &token, "plain");
        let (_, other) = fresh(&server, &token, "other");
        let issued = |client: &TestClient| text(&server.token(client).body["access_token"]);
        let (first, second, others) = (issued(&client), issued(&client), issued(&other));
        let answer = server.api("POST", &format!("{path}/revoke-tokens"), &token, None);
        assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some("active")));
        assert!((millis(&answer.body["tokens_revoked_before"]) - now()).abs() < 5_000);
        let after = issued(&client);
        assert!(!is_active(&server, &client, &first) && !is_active(&server, &client, &second));
        assert!(is_active(&server, &client, &after), "even within the same second");
        assert!(is_active(&server, &other, &others));
        server.api("POST", &format!("{path}/revoke-tokens"), &token, None);
        assert!(!is_active(&server, &client, &after));
    }

    fn a_replaced_secret_ends_at_once_or_exactly_after_its_grace(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (path, first) = fresh(&server, &token, "plain");
        assert_eq!(token_status(&server, &first), 200);
        let rotate = |body: Option<Value>| {
            let answer = server.api("POST", &format!("{path}/rotate-secret"), &token, body.as_ref());
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.header("cache-control"), "no-store");
            (with_secret(&answer.body), answer.body)
        };
        let (second, _) = rotate(None);
        assert_eq!((token_status(&server, &first), token_status(&server, &second)), (401, 200));
        assert_ne!(first.secret, second.secret);
        let (third, _) = rotate(Some(json!({"grace": "0s"})));
        assert_eq!((token_status(&server, &second), token_status(&server, &third)), (401, 200));

        let asked = now();
        let (fourth, answer) = rotate(Some(json!({"grace": "2s"})));
        let end = millis(&answer["secrets"][1]["ends_at"]);
        assert!((asked + 2_000 - 1..=now() + 2_000).contains(&end), "{answer}");
        assert_eq!((token_status(&server, &third), token_status(&server, &fourth)), (200, 200));
        wait_until(end - 150);
        let still = server.token(&third);
        if now() < end {
            assert_eq!(still.status, 200, "until the very end");
        }
        wait_until(end);
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
            let answer =
                server.api("POST", &format!("{path}/rotate-secret"), &token, Some(&json!({"grace": grace})));
            assert_eq!(answer.status, 200, "{}", answer.text);
            (with_secret(&answer.body), answer.body)
        };
        let (second, _) = rotate("30d");
        assert_eq!((token_status(&server, &first), token_status(&server, &second)), (200, 200));
        let (third, _) = rotate("1h");
        let statuses = [&first, &second, &third].map(|client| token_status(&server, client));
        assert_eq!(statuses, [401, 200, 200], "the oldest ends at once");
        let (fourth, answer) = rotate("30d");
        let statuses = [&first, &second, &third, &fourth].map(|client| token_status(&server, client));
        assert_eq!(statuses, [401, 401, 200, 200]);
        assert!(millis(&answer["secrets"][1]["ends_at"]) > now() + 29 * 86_400_000);
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
        let rotated =
            server.api("POST", &format!("{path}/rotate-secret"), &token, Some(&json!({"grace": "1h"})));
        let second = with_secret(&rotated.body);
        let wrong = TestClient { secret: format!("{}x", first.secret), ..first.clone() };
        assert_eq!(token_status(&server, &wrong), 401);
        let used_first = now();
        assert_eq!(token_status(&server, &first), 200);
        wait_until(used_first + 2_000);
        let shown = server.api("GET", &path, &token, None).body;
        assert_eq!(shown["secrets"][0]["last_used_at"], Value::Null, "the new one was not used");
        let at = millis(&shown["secrets"][1]["last_used_at"]);
        assert!((used_first - 1..used_first + 1_000).contains(&at), "{shown}");
        assert_eq!(shown["last_used_at"], shown["secrets"][1]["last_used_at"]);
        let used_second = now();
        assert_eq!(token_status(&server, &second), 200);
        wait_until(used_second + 2_000);
        let shown = server.api("GET", &path, &token, None).body;
        assert!(millis(&shown["secrets"][0]["last_used_at"]) >= used_second - 1, "{shown}");
        assert_eq!(millis(&shown["secrets"][1]["last_used_at"]), at);
        assert_eq!(shown["last_used_at"], shown["secrets"][0]["last_used_at"]);
    }

    fn an_id_that_names_nothing_is_not_found(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let well_formed = "cli_0199c0de0000700080000000000000ff";
        for id in [well_formed, "cli_1", "x", "sec_0199c0de0000700080000000000000ff", "%F0%9F%92%A9", &"a".repeat(500)] {
            for (method, action) in [
                ("GET", ""),
                ("PATCH", ""),
                ("POST", "/rotate-secret"),
                ("POST", "/disable"),
                ("POST", "/enable"),
                ("POST", "/revoke"),
                ("POST", "/revoke-tokens"),
            ] {
                let body = (method != "GET").then(|| json!({}));
                let answer = server.api(method, &format!("/clients/{id}{action}"), &token, body.as_ref());
                assert_problem(&answer, 404, "not_found");
            }
        }
    }
}
