//! What a credential reaches because of its owner, its customers and its environment.

use super::*;

both! {
    fn what_all_environments_share_is_managed_with_credentials_of_production(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        entered_customer(&server, &token, "acme");
        made_role(&server, &token, "support", &["read"]);
        for environment in ["staging", "development"] {
            let other = server.owner_of(environment);
            for (method, path, body) in [
                ("POST", "/customers".to_owned(), json!({"external_id": "x", "name": "x"})),
                ("PATCH", "/customers/acme".to_owned(), json!({"name": "x"})),
                ("DELETE", "/customers/acme".to_owned(), json!({})),
                ("POST", "/users".to_owned(), json!({"email": "x@example.com", "role": "auditor"})),
                ("PATCH", format!("/users/{ann}"), json!({"role": "auditor"})),
                ("POST", format!("/users/{ann}/disable"), json!({})),
                ("POST", format!("/users/{ann}/enable"), json!({})),
                ("POST", "/roles".to_owned(), json!({"name": "x", "scopes": ["read"]})),
                ("PATCH", "/roles/support".to_owned(), json!({"scopes": []})),
                ("DELETE", "/roles/support".to_owned(), json!({})),
            ] {
                let response = server.api(method, &path, &other, (method != "DELETE").then_some(&body));
                assert_problem(&response, 403, "production_only");
            }
            // Its own credentials may belong to them all the same.
            let body = json!({"name": "tied", "scopes": ["read"], "customers": ["acme"], "owner": "ann@example.com"});
            let (made, _) = created_key(&server, &other, &body);
            assert_eq!((&made["owner"], &made["environment"]), (&json!(ann), &json!(environment)));
        }
        assert_eq!(server.api("GET", "/customers/acme", &token, None).body["name"], "acme");
        assert_eq!(server.api("GET", &format!("/users/{ann}"), &token, None).body["role"], "developer");
    }

    fn a_developer_reaches_only_own_credentials(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let bob = made_user(&server, &token, "bob@example.com", "developer");
        let scopes = ["sealwright.credentials:own", "read", "write", "orders:*"];
        let own = calling_key(&server, &token, &scopes, &json!({"owner": ann}));
        let call =
            |method: &str, path: &str, body: Option<Value>| by_key(&server, method, path, &own.key, body.as_ref());
        let of = |owner: Value| json!({"name": "k", "owner": owner, "scopes": ["orders:read"]});
        let (bobs_key, _) = created_key(&server, &token, &of(json!(bob)));
        let (nobodys_key, nobodys) = created_key(&server, &token, &of(Value::Null));
        let (bobs_client, _) = created(&server, &token, &of(json!(bob)));
        let (anns_client, _) = created(&server, &token, &of(json!(ann)));

        // What it makes belongs to its owner; no other can be named.
        let made = call("POST", "/keys", Some(minimal_key("mine")));
        assert_eq!((made.status, &made.body["owner"]), (201, &json!(ann)), "{}", made.text);
        let mine = text(&made.body["id"]);
        assert_eq!(call("POST", "/keys", Some(of(json!("ann@example.com")))).status, 201);
        assert_invalid(&call("POST", "/keys", Some(of(json!(bob)))), &["owner"]);
        let client = call("POST", "/clients", Some(minimal("mine")));
        assert_eq!((client.status, &client.body["owner"]), (201, &json!(ann)), "{}", client.text);

        let others = [("keys", &bobs_key["id"]), ("keys", &nobodys_key["id"]), ("clients", &bobs_client["id"])];
        for (kind, id) in others {
            let rotate = if kind == "keys" { "rotate" } else { "rotate-secret" };
            let path = format!("/{kind}/{}", text(id));
            for (method, action, body) in [
                ("GET", String::new(), None),
                ("PATCH", String::new(), Some(json!({"name": "x"}))),
                ("POST", format!("/{rotate}"), Some(json!({}))),
                ("POST", "/disable".to_owned(), None),
                ("POST", "/enable".to_owned(), None),
                ("POST", "/revoke".to_owned(), None),
                ("POST", "/transfer".to_owned(), Some(json!({"owner": ann}))),
            ] {
                assert_problem(&call(method, &format!("{path}{action}"), body), 404, "not_found");
            }
        }
        assert_eq!(code(&server, &token, &nobodys, &json!({})), "VALID");
        let lists = |query: &str| {
            let rows = |kind: &str| column(&call("GET", &format!("/{kind}{query}"), None), "owner");
            (rows("keys"), rows("clients"))
        };
        assert_eq!(lists(""), (vec![ann.clone(); 3], vec![ann.clone(); 2]));
        assert_eq!(lists(&format!("?owner={ann}")), (vec![ann.clone(); 3], vec![ann.clone(); 2]));
        assert_eq!(lists(&format!("?owner={bob}")), (vec![], vec![]));
        for action in ["rotate", "disable", "enable", "revoke"] {
            let body = (action == "rotate").then(|| json!({}));
            assert_eq!(call("POST", &format!("/keys/{mine}/{action}"), body).status, 200, "{action}");
        }
        assert_eq!(call("GET", &format!("/clients/{}", text(&anns_client["id"])), None).status, 200);
        // To give away, and to manage others' things, takes more.
        let given =
            call("POST", &format!("/clients/{}/transfer", text(&anns_client["id"])), Some(json!({"owner": bob})));
        assert_problem(&given, 403, "scope_exceeds_caller");
        let released =
            call("POST", &format!("/clients/{}/transfer", text(&anns_client["id"])), Some(json!({"owner": null})));
        assert_problem(&released, 403, "scope_exceeds_caller");
        for (method, path) in [("GET", "/users"), ("GET", "/roles"), ("GET", "/customers"), ("GET", "/audit-events")] {
            assert_problem(&call(method, path, None), 403, "permission_denied");
        }
        let question = json!({"key": own.key, "environment": "production"});
        assert_problem(&call("POST", "/keys/verify", Some(question)), 403, "permission_denied");
        // The permission is its owner's: a key of the organisation's with it reaches nothing.
        let stray = calling_key(&server, &token, &["sealwright.credentials:own"], &json!({}));
        assert_problem(&by_key(&server, "GET", "/keys", &stray.key, None), 403, "permission_denied");
        // And it goes with the role.
        ok(server.api("PATCH", &format!("/users/{ann}"), &token, Some(&json!({"role": "auditor"}))));
        assert_problem(&call("GET", "/keys", None), 403, "permission_denied");
    }

    fn a_credential_tied_to_customers_sees_only_their_objects(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let acme = entered_customer(&server, &token, "acme");
        let zeta = entered_customer(&server, &token, "zeta");
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let of = |customers: Value| json!({"name": "k", "customers": customers, "scopes": ["orders:read"]});
        let scopes = [
            "sealwright.keys:*",
            "sealwright.clients:*",
            "sealwright.customers:*",
            "sealwright.users:*",
            "sealwright.roles:*",
            "sealwright.scopes:*",
            "orders:*",
        ];
        let tied = calling_key(&server, &token, &scopes, &json!({"customers": ["acme"]}));
        let call =
            |method: &str, path: &str, body: Option<Value>| by_key(&server, method, path, &tied.key, body.as_ref());
        let (acmes, acmes_key) = created_key(&server, &token, &of(json!(["acme"])));
        let (zetas, zetas_key) = created_key(&server, &token, &of(json!(["zeta"])));
        let (both, _) = created_key(&server, &token, &of(json!(["acme", "zeta"])));
        let (free, free_key) = created_key(&server, &token, &of(json!([])));
        let (acmes_client, _) = created(&server, &token, &of(json!(["acme"])));
        let (zetas_client, _) = created(&server, &token, &of(json!(["zeta"])));
        let id = |made: &Value| text(&made["id"]);

        assert_eq!(column(&call("GET", "/keys", None), "id"), [id(&acmes), tied.id.clone()]);
        assert_eq!(column(&call("GET", "/keys?customer=zeta", None), "id"), Vec::<String>::new());
        assert_eq!(column(&call("GET", "/clients", None), "id"), [id(&acmes_client)]);
        assert_eq!(column(&call("GET", "/customers", None), "id"), std::slice::from_ref(&acme));
        for (path, status) in [
            (format!("/keys/{}", id(&acmes)), 200),
            (format!("/keys/{}", id(&zetas)), 404),
            (format!("/keys/{}", id(&both)), 404),
            (format!("/keys/{}", id(&free)), 404),
            (format!("/clients/{}", id(&acmes_client)), 200),
            (format!("/clients/{}", id(&zetas_client)), 404),
            ("/customers/acme".to_owned(), 200),
            (format!("/customers/{acme}"), 200),
            ("/customers/zeta".to_owned(), 404),
            (format!("/customers/{zeta}"), 404),
            (format!("/users/{ann}"), 404),
            ("/roles/developer".to_owned(), 404),
        ] {
            assert_eq!(call("GET", &path, None).status, status, "GET {path}");
            let changed = call("PATCH", &path, Some(json!({})));
            assert_eq!(changed.status, status, "PATCH {path}: {}", changed.text);
        }
        for made in [&zetas, &both, &free] {
            for action in ["rotate", "disable", "enable", "revoke"] {
                assert_problem(
                    &call("POST", &format!("/keys/{}/{action}", id(made)), Some(json!({}))),
                    404,
                    "not_found",
                );
            }
        }
        assert_problem(&call("DELETE", "/customers/zeta", None), 404, "not_found");
        for (path, rows) in [("/users", 0), ("/roles", 0)] {
            assert_eq!(call("GET", path, None).body["data"].as_array().unwrap().len(), rows, "{path}");
        }
        for (path, body) in [
            ("/users", json!({"email": "x@example.com", "role": "developer"})),
            ("/roles", json!({"name": "x", "scopes": []})),
            ("/customers", json!({"external_id": "x", "name": "x"})),
        ] {
            let response = call("POST", path, Some(body));
            assert!(matches!(response.status, 403 | 404), "{path}: {}", response.text);
        }
        // What it makes is its customers', and stays so.
        let made = call("POST", "/keys", Some(minimal_key("theirs")));
        let own = json!([{"id": acme, "external_id": "acme", "name": "acme"}]);
        assert_eq!((made.status, &made.body["customers"]), (201, &own), "{}", made.text);
        for customers in [json!(["zeta"]), json!(["acme", "zeta"]), json!([])] {
            assert_invalid(&call("POST", "/keys", Some(of(customers.clone()))), &["customers"]);
            let path = format!("/keys/{}", id(&acmes));
            assert_invalid(&call("PATCH", &path, Some(json!({"customers": customers}))), &["customers"]);
        }
        // Others' keys are no keys for it.
        for (key, expected) in [(&acmes_key, "VALID"), (&zetas_key, "NOT_FOUND"), (&free_key, "NOT_FOUND")] {
            let response = call("POST", "/keys/verify", Some(json!({"key": key, "environment": "production"})));
            assert_eq!(response.body["code"], expected, "{}", response.text);
            if expected == "NOT_FOUND" {
                assert_eq!(response.body.as_object().unwrap().len(), 2, "nothing is told of it: {}", response.text);
            }
        }
    }
}
