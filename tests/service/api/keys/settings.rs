//! What can be set, and when it is in force.

use super::*;

both! {
    fn every_setting_is_changed_by_itself_and_null_sets_it_back(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (acme, zeta) = (entered_customer(&server, &token, "acme"), entered_customer(&server, &token, "zeta"));
        let tie = |id: &str, name: &str| json!({"id": id, "external_id": name, "name": name});
        let later = rfc3339(server.now() + 3_600_000);
        let (mut expected, key) = created_key(&server, &token, &minimal_key("plain"));
        expected.as_object_mut().unwrap().remove("key");
        let path = format!("/keys/{}", text(&expected["id"]));
        for (field, set, shown, cleared) in [
            ("description", json!("What it is for."), json!("What it is for."), json!("")),
            ("allowed_ips", json!(["::ffff:10.0.0.1", "10.0.0.0/8"]), json!(["10.0.0.1", "10.0.0.0/8"]), json!([])),
            ("rate_per_minute", json!(1_000_000), json!(1_000_000), Value::Null),
            ("burst_per_second", json!(1), json!(1), Value::Null),
            ("expires_at", json!(later), json!(later), Value::Null),
            ("customers", json!(["zeta", &acme, "acme"]), json!([tie(&acme, "acme"), tie(&zeta, "zeta")]), json!([])),
            ("metadata", json!({"plan": "gold", "x": null}), json!({"plan": "gold"}), json!({})),
        ] {
            for (given, then) in [(set, shown), (Value::Null, cleared)] {
                let response = server.api("PATCH", &path, &token, Some(&json!({field: given})));
                assert_eq!(response.status, 200, "{field}: {}", response.text);
                expected[field] = then;
                assert!(millis(&response.body["updated_at"]) >= millis(&expected["updated_at"]));
                expected["updated_at"] = response.body["updated_at"].clone();
                assert_eq!(response.body, expected, "{field} and nothing else");
                assert_eq!(server.api("GET", &path, &token, None).body, expected, "{field} is stored");
            }
        }
        for (field, given) in [("name", json!("other")), ("scopes", json!(["invoices:read"]))] {
            let response = server.api("PATCH", &path, &token, Some(&json!({field: given})));
            assert_eq!((response.status, &response.body[field]), (200, &given), "{}", response.text);
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: null}))), &[field]);
        }
        assert_eq!(server.api("PATCH", &path, &token, Some(&json!({}))).status, 200);
        assert_eq!(plain_code(&server, &token, &key), "VALID", "the string is the same");
        for field in ["environment", "type", "owner", "id", "key", "status", "prefix", "values", "rotated_at"] {
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: "x"}))), &[field]);
        }
        let (tied, _) = created_key(&server, &token, &json!({"name": "t", "type": "client", "customers": ["acme"]}));
        let path = format!("/keys/{}", text(&tied["id"]));
        for none in [json!([]), Value::Null] {
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({"customers": none}))), &["customers"]);
        }
    }

    fn a_changed_setting_is_in_force_when_its_answer_is_given(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        let (made, key) = created_key(&server, &token, &minimal_key("plain"));
        let path = format!("/keys/{}", text(&made["id"]));
        let asked = json!({"scopes": ["orders:read"], "customer": "zeta", "ip": "192.0.2.1"});
        for (change, expected) in [
            (json!({}), "VALID"),
            (json!({"scopes": ["invoices:read"]}), "INSUFFICIENT_SCOPE"),
            (json!({"scopes": ["read"]}), "VALID"),
            (json!({"allowed_ips": ["192.0.2.2"]}), "IP_NOT_ALLOWED"),
            (json!({"allowed_ips": null}), "VALID"),
            (json!({"customers": ["acme"]}), "WRONG_CUSTOMER"),
            (json!({"customers": []}), "VALID"),
            (json!({"rate_per_minute": 1}), "VALID"),
            (json!({"name": "limited"}), "RATE_LIMITED"),
            (json!({"rate_per_minute": null}), "VALID"),
        ] {
            let response = server.api("PATCH", &path, &token, Some(&change));
            assert_eq!(response.status, 200, "{change}: {}", response.text);
            assert_eq!(code(&server, &token, &key, &asked), expected, "after {change}");
        }
    }

    fn a_key_expires_to_the_second(database) {
        let server = Server::start(database);
        let token = owner(&server);
        // A whole second, at least one from now.
        let end = (server.now() / 1_000 + 2) * 1_000;
        let body = json!({"name": "ending", "scopes": ["orders:read"], "expires_at": rfc3339(end)});
        let (made, key) = created_key(&server, &token, &body);
        let path = format!("/keys/{}", text(&made["id"]));
        let first = verdict(&server, &token, &key, &json!({}));
        assert_eq!((&first["code"], &first["expires_at"]), (&json!("VALID"), &made["expires_at"]));
        server.wait_until(end - 500);
        let still = plain_code(&server, &token, &key);
        if server.now() < end {
            assert_eq!(still, "VALID", "until the very end");
        }
        server.wait_until(end);
        assert_eq!(plain_code(&server, &token, &key), "EXPIRED");
        assert_eq!(server.api("GET", &path, &token, None).body["status"], "expired");
        server.api("POST", &format!("{path}/disable"), &token, None);
        assert_eq!(plain_code(&server, &token, &key), "EXPIRED", "the first that applies");
        assert_eq!(server.api("POST", &format!("{path}/enable"), &token, None).body["status"], "expired");
        let renewed = server.api("PATCH", &path, &token, Some(&json!({"expires_at": null})));
        assert_eq!(renewed.body["status"], "active", "{}", renewed.text);
        assert_eq!(plain_code(&server, &token, &key), "VALID");
        server.api("POST", &format!("{path}/revoke"), &token, None);
        assert_eq!(plain_code(&server, &token, &key), "REVOKED");
    }

    fn an_allowlist_takes_addresses_and_blocks_of_both_families(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let allowed = json!(["203.0.113.7", "10.1.2.3/16", "2001:db8::/32", "2001:db9::1", "::ffff:198.51.100.0/120"]);
        let body = json!({"name": "fenced", "scopes": ["orders:read"], "allowed_ips": allowed});
        let (made, key) = created_key(&server, &token, &body);
        let shown = json!(["203.0.113.7", "10.1.0.0/16", "2001:db8::/32", "2001:db9::1", "198.51.100.0/24"]);
        assert_eq!(made["allowed_ips"], shown);
        for (ip, expected) in [
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("::ffff:203.0.113.7", true),
            ("::ffff:203.0.113.8", false),
            ("::ffff:cb00:7107", true),
            ("10.1.255.255", true),
            ("::ffff:10.1.0.1", true),
            ("10.2.0.1", false),
            ("2001:db8:ffff::1", true),
            ("2001:DB8::A", true),
            ("2001:db9::1", true),
            ("2001:db9::2", false),
            ("198.51.100.200", true),
            ("::ffff:198.51.100.200", true),
            ("198.51.101.1", false),
            ("::1", false),
            ("127.0.0.1", false),
        ] {
            let expected = if expected { "VALID" } else { "IP_NOT_ALLOWED" };
            assert_eq!(code(&server, &token, &key, &json!({"ip": ip})), expected, "{ip}");
        }
        assert_eq!(plain_code(&server, &token, &key), "IP_NOT_ALLOWED", "nobody said from where");
        let (_, anywhere) = created_key(&server, &token, &minimal_key("open"));
        assert_eq!(plain_code(&server, &token, &anywhere), "VALID");
        // Where a key calls itself, it is its own address that counts.
        for (allowed, status) in [("192.0.2.1", 401), ("127.0.0.0/8", 200)] {
            let body =
                json!({"name": "i", "type": "internal", "scopes": ["sealwright.keys:read"], "allowed_ips": [allowed]});
            let (_, key) = created_key(&server, &token, &body);
            let request = server.http.get(format!("{}/api/v1/keys", server.url)).header("x-api-key", key);
            assert_eq!(server.send(request).status, status, "{allowed}");
        }
    }
}
