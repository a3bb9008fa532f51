//! Customers.

use super::*;

both! {
    fn a_customer_is_entered_shown_changed_and_removed_by_either_id(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let before = server.now();
        let entered =
            server.api("POST", "/customers", &token, Some(&json!({"external_id": "acme:1/e", "name": "Äcme & Co."})));
        assert_eq!(entered.status, 201, "{}", entered.text);
        let (id, external) = (text(&entered.body["id"]), "acme:1%2Fe");
        assert!(id.starts_with("cus_"));
        assert_eq!((&entered.body["external_id"], &entered.body["name"]), (&json!("acme:1/e"), &json!("Äcme & Co.")));
        assert_eq!((&entered.body["status"], &entered.body["metadata"]), (&json!("active"), &json!({})));
        assert_eq!(entered.body.as_object().unwrap().len(), 7, "{}", entered.text);
        assert!((before - 1..=server.now()).contains(&millis(&entered.body["created_at"])));
        for named in [&id, external] {
            assert_eq!(server.api("GET", &format!("/customers/{named}"), &token, None).body, entered.body, "{named}");
        }
        let renamed =
            ok(server.api("PATCH", &format!("/customers/{external}"), &token, Some(&json!({"name": "Acme"}))));
        assert_eq!((&renamed["name"], &renamed["external_id"]), (&json!("Acme"), &json!("acme:1/e")));

        let zeta = entered_customer(&server, &token, "zeta");
        let third = entered_customer(&server, &token, "third");
        let all = [third.clone(), zeta.clone(), id.clone()];
        assert_eq!(column(&server.api("GET", "/customers", &token, None), "id"), all, "newest first");
        for limit in [1, 2, 3] {
            assert_eq!(paged(&server, &token, "/customers", limit, "id"), all);
        }
        for (query, expected) in [("acme:1/e", vec![id.clone()]), ("Acme:1/e", vec![]), ("acm", vec![])] {
            let found = server.api("GET", &format!("/customers?external_id={query}"), &token, None);
            assert_eq!(column(&found, "id"), expected, "{query}");
        }
        let gone = server.api("DELETE", "/customers/zeta", &token, None);
        assert_eq!((gone.status, gone.text.as_str()), (204, ""));
        assert_eq!(server.api("DELETE", &format!("/customers/{third}"), &token, None).status, 204);
        for named in ["zeta", &zeta, &third, "third", "nobody", "cus_1", "cus_0199c0de0000700080000000000000ff"] {
            for (method, body) in [("GET", None), ("PATCH", Some(json!({"name": "x"}))), ("DELETE", None)] {
                let response = server.api(method, &format!("/customers/{named}"), &token, body.as_ref());
                assert_problem(&response, 404, "not_found");
            }
        }
        assert_eq!(column(&server.api("GET", "/customers", &token, None), "id"), [id]);
    }

    /// An API that decides by the external id must never take one tenant for another.
    fn an_external_id_is_fixed_and_never_given_again(database) {
        let server = Server::start(database);
        let token = owner(&server);
        entered_customer(&server, &token, "acme");
        let id = entered_customer(&server, &token, "globex");
        let tied = calling_key(&server, &token, &["sealwright.customers:*"], &json!({"customers": ["acme"]}));
        for name in ["globex", "hooli", "acme"] {
            let change = json!({"external_id": name});
            for response in [
                by_key(&server, "PATCH", "/customers/acme", &tied.key, Some(&change)),
                server.api("PATCH", "/customers/acme", &token, Some(&change)),
            ] {
                assert_invalid(&response, &["external_id"]);
            }
        }
        assert_eq!(verdict(&server, &token, &tied.key, &json!({}))["customers"], json!(["acme"]));

        assert_eq!(server.api("DELETE", "/customers/globex", &token, None).status, 204);
        let again = json!({"external_id": "globex", "name": "Another Globex"});
        let refused = server.api("POST", "/customers", &token, Some(&again));
        assert_problem(&refused, 409, "external_id_taken");
        let ended = server.command(&["customer", "create", "--external-id", "globex", "--name", "x"]).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert_problem(&server.api("GET", &format!("/customers/{id}"), &token, None), 404, "not_found");
        entered_customer(&server, &token, "Globex");
    }

    fn no_two_customers_have_one_external_id_and_none_goes_while_it_is_used(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let acme = entered_customer(&server, &token, "acme");
        entered_customer(&server, &token, "zeta");
        let taken = json!({"external_id": "acme", "name": "other"});
        assert_problem(&server.api("POST", "/customers", &token, Some(&taken)), 409, "external_id_taken");
        let (made, key) = created_key(&server, &token, &json!({"name": "k", "type": "client", "customers": ["acme"]}));
        let mut body = minimal("c");
        body["customers"] = json!([acme]);
        let (client, _) = created(&server, &token, &body);
        for named in ["acme", &acme] {
            assert_problem(&server.api("DELETE", &format!("/customers/{named}"), &token, None), 409, "customer_in_use");
        }
        // Both of its ids name it.
        for (customer, expected) in
            [("acme", "VALID"), (&*acme, "VALID"), ("zeta", "WRONG_CUSTOMER"), ("Acme", "WRONG_CUSTOMER")]
        {
            assert_eq!(code(&server, &token, &key, &json!({"customer": customer})), expected, "{customer}");
        }
        ok(server.api(
            "PATCH",
            &format!("/clients/{}", text(&client["id"])),
            &token,
            Some(&json!({"customers": null})),
        ));
        assert_problem(&server.api("DELETE", "/customers/acme", &token, None), 409, "customer_in_use");
        ok(server.api("PATCH", &format!("/keys/{}", text(&made["id"])), &token, Some(&json!({"customers": ["zeta"]}))));
        assert_eq!(server.api("DELETE", "/customers/acme", &token, None).status, 204);
        assert_eq!(code(&server, &token, &key, &json!({"customer": "acme"})), "WRONG_CUSTOMER");
    }

    fn metadata_is_set_and_removed_pair_by_pair(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let full: serde_json::Map<String, Value> = (0..20).map(|n| (format!("k{n:02}"), json!("x"))).collect();
        let bodies = [
            ("/customers", "/customers/acme", json!({"external_id": "acme", "name": "Acme"})),
            ("/keys", "", minimal_key("k")),
            ("/clients", "", minimal("c")),
        ];
        for (path, own, mut body) in bodies {
            body["metadata"] = json!({"plan": "gold", "region": "eu", "note": ""});
            let made = server.api("POST", path, &token, Some(&body));
            assert_eq!((made.status, &made.body["metadata"]), (201, &body["metadata"]), "{}", made.text);
            let own = if own.is_empty() { format!("{path}/{}", text(&made.body["id"])) } else { own.to_owned() };
            let changed = |metadata: Value| {
                ok(server.api("PATCH", &own, &token, Some(&json!({"metadata": metadata}))))["metadata"].clone()
            };
            let expected = json!({"note": "", "plan": "silver", "tier": "1"});
            assert_eq!(changed(json!({"plan": "silver", "region": null, "tier": "1", "none": null})), expected);
            assert_eq!(ok(server.api("PATCH", &own, &token, Some(&json!({}))))["metadata"], expected);
            assert_eq!(server.api("GET", &own, &token, None).body["metadata"], expected);
            assert_eq!(server.api("GET", path, &token, None).body["data"][0]["metadata"], expected);
            let over = json!({"metadata": {"k20": "x"}});
            assert_eq!(changed(Value::Null), json!({}));
            assert_eq!(changed(json!(full)), json!(full));
            assert_invalid(&server.api("PATCH", &own, &token, Some(&over)), &["metadata"]);
            assert_eq!(changed(json!({"k00": null, "k20": "ü".repeat(500)})).as_object().unwrap().len(), 20);
        }
    }

    fn verification_tells_a_key_s_metadata_and_whoever_changes_it_must_hold_the_key_s_scopes(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let body = json!({"name": "k", "scopes": ["orders:write"], "metadata": {"plan": "gold"}});
        let (made, key) = created_key(&server, &token, &body);
        assert_eq!(verdict(&server, &token, &key, &json!({}))["metadata"], json!({"plan": "gold"}));
        let caller = calling_key(&server, &token, &["sealwright.keys:*", "orders:read"], &json!({}));
        let path = format!("/keys/{}", text(&made["id"]));
        for metadata in [json!({"plan": "platinum"}), Value::Null] {
            let response = by_key(&server, "PATCH", &path, &caller.key, Some(&json!({"metadata": metadata})));
            assert_problem(&response, 403, "scope_exceeds_caller");
        }
        ok(server.api("PATCH", &path, &token, Some(&json!({"metadata": {"plan": null}}))));
        assert_eq!(verdict(&server, &token, &key, &json!({}))["metadata"], json!({}));
    }
}
