//! Making a key: what it is, what it gets, what is kept of it.

use super::*;

both! {
    fn a_created_key_is_shown_whole_and_its_value_this_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let acme = entered_customer(&server, &token, "acme");
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let expires_at = rfc3339(server.now() + DAY);
        let given = json!({
            "environment": "production",
            "name": "Nächtlicher Export – nightly",
            "description": "Exports orders.",
            "type": "client",
            "scopes": ["orders:read", "invoices:read", "orders:read"],
            "allowed_ips": ["127.0.0.1", "10.1.2.3/8", "2001:db8::/32"],
            "rate_per_minute": 1_000,
            "burst_per_second": null,
            "expires_at": expires_at,
            "customers": ["acme"],
            "owner": "ANN@example.com",
        });
        let before = server.now();
        let response = server.api("POST", "/keys", &token, Some(&given));
        assert_eq!(response.status, 201, "{}", response.text);
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.header("content-type"), "application/json");
        let mut made = response.body;
        let key = text(&made["key"]);
        assert_formed(&key, "live");
        made.as_object_mut().unwrap().remove("key");
        assert_eq!(members(&made), MEMBERS);
        for (member, value) in [
            ("environment", json!("production")),
            ("name", json!("Nächtlicher Export – nightly")),
            ("description", json!("Exports orders.")),
            ("type", json!("client")),
            ("status", json!("active")),
            ("scopes", json!(["invoices:read", "orders:read"])),
            ("owner", json!(ann)),
            ("customers", json!([{"id": acme, "external_id": "acme", "name": "acme"}])),
            ("allowed_ips", json!(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])),
            ("rate_per_minute", json!(1_000)),
            ("burst_per_second", Value::Null),
            ("expires_at", json!(expires_at)),
            ("rotation_due", json!(false)),
            ("last_used_at", Value::Null),
            ("last_used_address", Value::Null),
            ("prefix", json!(key[.."sw_live_".len() + 4])),
            ("last_four", json!(key[key.len() - 4..])),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        assert!(text(&made["id"]).starts_with("key_"));
        assert!((before - 1..=server.now()).contains(&millis(&made["created_at"])));
        assert_eq!((&made["updated_at"], &made["rotated_at"]), (&made["created_at"], &made["created_at"]));
        let strings = made["values"].as_array().unwrap();
        assert_eq!(
            (strings.len(), members(&strings[0])),
            (1, vec!["created_at", "ends_at", "last_four", "live", "prefix"])
        );
        assert_eq!((&strings[0]["live"], &strings[0]["ends_at"]), (&json!(true), &Value::Null));

        let shown = server.api("GET", &format!("/keys/{}", text(&made["id"])), &token, None);
        assert_eq!((shown.status, &shown.body), (200, &made), "shown later without its string");
        let list = server.api("GET", "/keys", &token, None);
        assert_eq!(list.body["data"], json!([made]));
        for response in [&shown, &list] {
            assert!(
                !response.text.contains(&key) && response.header("cache-control") == "no-store",
                "{}",
                response.text
            );
        }
        let verified = verdict(&server, &token, &key, &json!({"ip": "10.9.9.9", "customer": "acme"}));
        assert_eq!(verified["valid"], true, "{verified}");
        for member in ["id", "name", "type", "owner", "metadata", "scopes", "expires_at"] {
            assert_eq!(verified[member], made[member], "{member}");
        }
        assert_eq!(verified["customers"], json!(["acme"]));
        assert_eq!(members(&verified["rate_limit"]), ["limit", "remaining", "reset_after", "retry_after"]);
    }

    fn a_key_names_its_environment_and_carries_its_checksum(database) {
        let server = Server::start(database);
        let production = owner(&server);
        let mut tokens = vec![("live", "production", production.clone())];
        for (tag, environment) in [("stg", "staging"), ("dev", "development")] {
            let client = server.client_with("sealwright.admin admin", &["--environment", environment]);
            tokens.push((tag, environment, server.management_token_of(environment, &client)));
        }
        let mut all = vec![];
        for (tag, environment, token) in &tokens {
            for _ in 0..5 {
                let (made, key) = created_key(&server, token, &minimal_key("tagged"));
                assert_formed(&key, tag);
                assert_eq!(made["environment"], *environment);
                assert_eq!(code(&server, token, &key, &json!({"environment": environment})), "VALID");
                all.push(key);
            }
        }
        // One wrong character is no key, whichever it is.
        let (key, count) = (all[0].clone(), all.len());
        for at in ["sw_live_".len(), key.len() - 7, key.len() - 1] {
            let other = if key.as_bytes()[at] == b'x' { "y" } else { "x" };
            let wrong = format!("{}{other}{}", &key[..at], &key[at + 1..]);
            assert_eq!(verdict(&server, &production, &wrong, &json!({})), json!({"valid": false, "code": "NOT_FOUND"}));
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    fn what_is_not_named_has_the_default_of_the_type(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        for (body, kind, scopes, per_minute, per_second) in [
            (json!({"scopes": ["orders:read"]}), "partner", vec!["orders:read"], json!(100), json!(10)),
            (json!({"type": "partner", "scopes": ["a:b"]}), "partner", vec!["a:b"], json!(100), json!(10)),
            (json!({"type": "client", "customers": ["acme"]}), "client", vec!["read"], json!(100), json!(10)),
            (json!({"type": "internal", "scopes": ["admin"]}), "internal", vec!["admin"], Value::Null, Value::Null),
        ] {
            let mut body = body;
            body["name"] = json!("plain");
            let response = server.api("POST", "/keys", &token, Some(&body));
            assert_eq!(response.status, 201, "{body}: {}", response.text);
            let made = response.body;
            assert_eq!(
                (text(&made["type"]).as_str(), texts(&made["scopes"])),
                (kind, scopes.iter().map(ToString::to_string).collect())
            );
            assert_eq!((&made["rate_per_minute"], &made["burst_per_second"]), (&per_minute, &per_second), "{kind}");
            for (member, value) in [
                ("environment", json!("production")),
                ("description", json!("")),
                ("allowed_ips", json!([])),
                ("expires_at", Value::Null),
                ("owner", Value::Null),
            ] {
                assert_eq!(made[member], value, "{kind} {member}");
            }
        }
        for kind in ["partner", "internal"] {
            let response = server.api("POST", "/keys", &token, Some(&json!({"name": "x", "type": kind})));
            assert_invalid(&response, &["scopes"]);
        }
        // The default is cut to what the caller has.
        let narrow = server.management_token(&server.client("sealwright.keys:write orders:read"));
        let body = json!({"name": "cut", "type": "client", "customers": ["acme"]});
        assert_eq!(created_key(&server, &narrow, &body).0["scopes"], json!(["orders:read"]));
    }

    fn a_preset_names_scopes_by_one_word(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (preset, scopes) in
            [("read-only", vec!["read"]), ("write", vec!["read", "write"]), ("full", vec!["delete", "read", "write"])]
        {
            let (made, _) = created_key(&server, &token, &json!({"name": "p", "preset": preset}));
            assert_eq!(texts(&made["scopes"]), scopes, "{preset}");
            let (plain, _) = created_key(&server, &token, &minimal_key("p"));
            let path = format!("/keys/{}", text(&plain["id"]));
            let changed = server.api("PATCH", &path, &token, Some(&json!({"preset": preset})));
            assert_eq!(texts(&changed.body["scopes"]), scopes, "{preset}");
        }
        let body = json!({"name": "p", "preset": "scoped", "scopes": ["orders:read", "x:y"]});
        assert_eq!(texts(&created_key(&server, &token, &body).0["scopes"]), ["orders:read", "x:y"]);
        assert_invalid(
            &server.api("POST", "/keys", &token, Some(&json!({"name": "p", "preset": "scoped"}))),
            &["scopes"],
        );
        let both = json!({"name": "p", "preset": "full", "scopes": ["read"]});
        assert_invalid(&server.api("POST", "/keys", &token, Some(&both)), &["preset"]);
    }

    fn only_internal_keys_carry_admin_and_reserved_permissions(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        for (scope, reserved) in [
            ("admin", true),
            ("sealwright.admin", true),
            ("sealwright.keys:read", true),
            ("sealwright.keys:*", true),
            ("sealwright.users:write", true),
            ("sealwright.credentials:own", true),
            ("sealwright.audit:read", true),
            ("sealwright.tokens:introspect", true),
            ("sealwright.keys:verify", false),
            ("sealwright.webhooks:write", false),
            ("sealwright.webhooks:*", false),
            ("sealwright.jobs:read", false),
            ("sealwright.access-log:append", false),
            ("orders:admin", false),
        ] {
            for kind in ["client", "partner", "internal"] {
                let body = json!({"name": "k", "type": kind, "customers": ["acme"], "scopes": ["orders:read", scope]});
                let response = server.api("POST", "/keys", &token, Some(&body));
                if reserved && kind != "internal" {
                    assert_invalid(&response, &["scopes"]);
                } else {
                    assert_eq!(response.status, 201, "{kind} {scope}: {}", response.text);
                }
            }
        }
        let (plain, _) = created_key(&server, &token, &minimal_key("plain"));
        let path = format!("/keys/{}", text(&plain["id"]));
        assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({"scopes": ["admin"]}))), &["scopes"]);
        assert_invalid(
            &server.api("POST", "/keys", &token, Some(&json!({"name": "k", "type": "client"}))),
            &["customers"],
        );
    }

    fn a_key_is_stored_as_its_sha_256_only(database) {
        let server = Server::spawn(database);
        let token = owner(&server);
        let first = repeatable(&server, &token, "/keys", "once", &minimal_key("stored"));
        let (key, path) = (text(&first.body["key"]), format!("/keys/{}", text(&first.body["id"])));
        let next = repeatable(&server, &token, &format!("{path}/rotate"), "rotate", &json!({"grace": "1h"}));
        let next = text(&next.body["key"]);
        for key in [&key, &next] {
            assert_eq!(plain_code(&server, &token, key), "VALID");
            let digest = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes()).as_ref());
            let digest = match server.database.kind {
                Kind::Sqlite => format!("x'{digest}'"),
                Kind::Postgres => format!("decode('{digest}', 'hex')"),
            };
            let sql = format!("SELECT COUNT(*) AS n FROM credential_secrets WHERE digest = {digest}");
            assert_eq!(server.database.numbers(&sql), [1]);
            // Not even where a key is put where it does not belong.
            let path = format!("/orders?api_key={key}");
            for misplaced in
                [json!({"path": path}), json!({"user_agent": key}), json!({"request_id": key}), json!({"method": key})]
            {
                verdict(&server, &token, key, &misplaced);
            }
            assert_problem(&server.api("GET", &format!("/keys/{key}"), &token, None), 404, "not_found");
            assert_problem(&server.api("POST", &format!("/keys/{key}/revoke"), &token, None), 404, "not_found");
            assert_eq!(server.api("GET", &format!("/keys?name={key}"), &token, None).status, 422);
            assert_nowhere_at_rest(&server, key);
            assert!(!server.log().contains(&key[key.len() - 34..]), "{}", server.log());
        }
    }
}
