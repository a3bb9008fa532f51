//! Making and listing clients.

use super::*;

both! {
    fn a_created_client_is_shown_whole_and_its_secret_this_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let expires_at = rfc3339(server.now() + 86_400_000);
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
            "token_typ": "JWT",
            "rate_per_minute": 1_000,
            "burst_per_second": null,
            "expires_at": expires_at,
        });
        let before = server.now();
        let response = server.api("POST", "/clients", &token, Some(&given));
        assert_eq!(response.status, 201, "{}", response.text);
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.header("content-type"), "application/json");
        let mut made = response.body;
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
            "token_typ": "JWT",
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
        assert!((before - 1..=server.now()).contains(&millis(&made["created_at"])));
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
        for response in [&shown, &listed] {
            assert!(!response.text.contains(&client.secret) && !response.text.contains("$argon2"), "{}", response.text);
        }
        let issued = server.token(&client);
        assert_eq!((issued.status, &issued.body["expires_in"]), (200, &json!(900)), "{}", issued.text);
        assert_eq!(issued.body["scope"], "orders:read");
        assert_eq!(
            server.database.numbers("SELECT COUNT(*) AS n FROM credential_secrets WHERE hash NOT LIKE '$argon2id$%'"),
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
            ("token_typ", Value::Null),
            ("rate_per_minute", json!(100)),
            ("burst_per_second", json!(10)),
            ("expires_at", Value::Null),
            ("owner", Value::Null),
            ("customers", json!([])),
            ("metadata", json!({})),
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
            ("name=sam", vec![&ids[1], &ids[2]]),
            ("name=ame", vec![]),
            ("name=two&environment=production", vec![&ids[3]]),
            ("environment=staging", vec![]),
            ("environment=development&name=two", vec![]),
        ] {
            let response = server.api("GET", &format!("/clients?{query}"), &token, None);
            assert_eq!(column(&response, "id").iter().collect::<Vec<_>>(), expected, "{query}");
        }
        // A page does not move when something newer is made meanwhile.
        let first = server.api("GET", "/clients?limit=2", &token, None);
        created(&server, &token, &minimal("newer"));
        let cursor = text(&first.body["next_cursor"]);
        let second = server.api("GET", &format!("/clients?limit=2&cursor={cursor}"), &token, None);
        assert_eq!(column(&second, "id"), ids[2..4]);
    }

    fn an_id_that_names_nothing_is_not_found(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let well_formed = "cli_0199c0de0000700080000000000000ff";
        for id in [well_formed, "cli_1", "x", "sec_0199c0de0000700080000000000000ff", "%F0%9F%92%A9", &"a".repeat(500)]
        {
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
                let response = server.api(method, &format!("/clients/{id}{action}"), &token, body.as_ref());
                assert_problem(&response, 404, "not_found");
            }
        }
    }
}
