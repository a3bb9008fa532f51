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
        assert_eq!(entered.body.as_object().unwrap().len(), 5, "{}", entered.text);
        assert!((before - 1..=server.now()).contains(&millis(&entered.body["created_at"])));
        for named in [&id, external] {
            assert_eq!(server.api("GET", &format!("/customers/{named}"), &token, None).body, entered.body, "{named}");
        }
        let renamed =
            ok(server.api("PATCH", &format!("/customers/{external}"), &token, Some(&json!({"name": "Acme"}))));
        assert_eq!((&renamed["name"], &renamed["external_id"]), (&json!("Acme"), &json!("acme:1/e")));
        let moved = ok(server.api("PATCH", &format!("/customers/{id}"), &token, Some(&json!({"external_id": "acme"}))));
        assert_eq!((&moved["name"], &moved["external_id"], &moved["id"]), (&json!("Acme"), &json!("acme"), &json!(id)));
        assert_problem(&server.api("GET", &format!("/customers/{external}"), &token, None), 404, "not_found");

        let zeta = entered_customer(&server, &token, "zeta");
        let third = entered_customer(&server, &token, "third");
        let all = [third.clone(), zeta.clone(), id.clone()];
        assert_eq!(column(&server.api("GET", "/customers", &token, None), "id"), all, "newest first");
        for limit in [1, 2, 3] {
            assert_eq!(paged(&server, &token, "/customers", limit, "id"), all);
        }
        for (query, expected) in [("acme", vec![id.clone()]), ("Acme", vec![]), ("acm", vec![])] {
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
        entered_customer(&server, &token, "zeta");
    }

    fn no_two_customers_have_one_external_id_and_none_goes_while_it_is_used(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let acme = entered_customer(&server, &token, "acme");
        entered_customer(&server, &token, "zeta");
        let taken = json!({"external_id": "acme", "name": "other"});
        assert_problem(&server.api("POST", "/customers", &token, Some(&taken)), 409, "external_id_taken");
        let change = json!({"external_id": "acme"});
        assert_problem(&server.api("PATCH", "/customers/zeta", &token, Some(&change)), 409, "external_id_taken");
        assert_eq!(server.api("PATCH", "/customers/acme", &token, Some(&change)).status, 200, "its own is no conflict");
        let (made, key) = created_key(&server, &token, &json!({"name": "k", "type": "client", "customers": ["acme"]}));
        let mut body = minimal("c");
        body["customers"] = json!([acme]);
        let (client, _) = created(&server, &token, &body);
        for named in ["acme", &acme] {
            assert_problem(&server.api("DELETE", &format!("/customers/{named}"), &token, None), 409, "customer_in_use");
        }
        // Both of its ids name it, also after the one was changed.
        for (customer, expected) in
            [("acme", "VALID"), (&*acme, "VALID"), ("zeta", "WRONG_CUSTOMER"), ("Acme", "WRONG_CUSTOMER")]
        {
            assert_eq!(code(&server, &token, &key, &json!({"customer": customer})), expected, "{customer}");
        }
        ok(server.api("PATCH", "/customers/acme", &token, Some(&json!({"external_id": "acme2"}))));
        for (customer, expected) in [("acme", "WRONG_CUSTOMER"), ("acme2", "VALID"), (&*acme, "VALID")] {
            assert_eq!(code(&server, &token, &key, &json!({"customer": customer})), expected, "{customer}");
        }
        ok(server.api(
            "PATCH",
            &format!("/clients/{}", text(&client["id"])),
            &token,
            Some(&json!({"customers": null})),
        ));
        assert_problem(&server.api("DELETE", "/customers/acme2", &token, None), 409, "customer_in_use");
        ok(server.api("PATCH", &format!("/keys/{}", text(&made["id"])), &token, Some(&json!({"customers": ["zeta"]}))));
        assert_eq!(server.api("DELETE", "/customers/acme2", &token, None).status, 204);
        assert_eq!(code(&server, &token, &key, &json!({"customer": "acme2"})), "WRONG_CUSTOMER");
    }
}
