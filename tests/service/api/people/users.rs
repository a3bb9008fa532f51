//! Users.

use super::*;

both! {
    fn a_user_is_made_shown_and_changed_and_the_password_is_shown_to_nobody(database) {
        let server = Server::spawn(database);
        let token = owner(&server);
        let password = "correct horse battery";
        let body = json!({"email": "Ann@Example.com", "role": "developer", "name": "Ann Ä.", "password": password});
        let made = server.api("POST", "/users", &token, Some(&body));
        assert_eq!(made.status, 201, "{}", made.text);
        let user = &made.body;
        assert_eq!(user.as_object().unwrap().len(), 8, "{user}");
        for (member, value) in [
            ("email", json!("ann@example.com")),
            ("role", json!("developer")),
            ("name", json!("Ann Ä.")),
            ("status", json!("active")),
            ("has_password", json!(true)),
        ] {
            assert_eq!(user[member], value, "{member}");
        }
        let id = text(&user["id"]);
        assert!(id.starts_with("usr_"));
        let path = format!("/users/{id}");
        let shown = server.api("GET", &path, &token, None);
        let list = server.api("GET", "/users", &token, None);
        assert_eq!((&shown.body, &list.body["data"][0]), (user, user));
        let plain = made_user(&server, &token, "bob@example.com", "auditor");
        assert_eq!(server.api("GET", &format!("/users/{plain}"), &token, None).body["has_password"], false);
        let mut responses = vec![made.clone(), shown, list];
        for (change, member, value) in [
            (json!({"email": "ANNE@example.com"}), "email", json!("anne@example.com")),
            (json!({"name": "Anne"}), "name", json!("Anne")),
            (json!({"name": null}), "name", json!("")),
            (json!({"role": "admin"}), "role", json!("admin")),
            (json!({"password": null}), "has_password", json!(false)),
            (json!({"password": "another password"}), "has_password", json!(true)),
            (json!({}), "status", json!("active")),
        ] {
            let response = server.api("PATCH", &path, &token, Some(&change));
            assert_eq!((response.status, &response.body[member]), (200, &value), "{change}: {}", response.text);
            assert_eq!(server.api("GET", &path, &token, None).body, response.body, "{change} is stored");
            assert_eq!(events_of(&server, &token, &response)[0]["action"], "user.update");
            responses.push(response);
        }
        for (action, status) in [("disable", "inactive"), ("disable", "inactive"), ("enable", "active")] {
            let response = server.api("POST", &format!("{path}/{action}"), &token, None);
            assert_eq!((response.status, response.body["status"].as_str()), (200, Some(status)), "{}", response.text);
        }
        let events = serde_json::to_string(&server.events(&[])).unwrap();
        for said in responses.iter().map(|response| response.text.clone()).chain([events, server.log()]) {
            assert!(!["correct horse", "another pass", "argon2"].iter().any(|secret| said.contains(secret)), "{said}");
        }
        let hashed = "SELECT COUNT(*) AS n FROM users \
                      WHERE password_hash LIKE '$argon2id$%' AND password_hash NOT LIKE '%horse%'";
        assert_eq!(server.database.numbers(hashed), [1]);

        assert_eq!(
            column(&server.api("GET", "/users", &token, None), "id"),
            [plain.clone(), id.clone()],
            "newest first"
        );
        assert_eq!(paged(&server, &token, "/users", 1, "id"), [plain.clone(), id.clone()]);
        for (query, expected) in [
            ("email=anne@example.com", vec![&id]),
            ("email=ANNE@example.com", vec![&id]),
            ("email=ann@example.com", vec![]),
            ("role=auditor", vec![&plain]),
            ("role=admin&email=anne@example.com", vec![&id]),
            ("role=nobody", vec![]),
        ] {
            let found = column(&server.api("GET", &format!("/users?{query}"), &token, None), "id");
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
        }
        for gone in ["usr_0199c0de0000700080000000000000ff", "usr_1", "anne", "%00"] {
            for (method, action) in [("GET", ""), ("PATCH", ""), ("POST", "/disable"), ("POST", "/enable")] {
                let body = (method == "PATCH").then(|| json!({}));
                let response = server.api(method, &format!("/users/{gone}{action}"), &token, body.as_ref());
                assert_problem(&response, 404, "not_found");
            }
        }
    }

    fn no_two_users_have_one_address(database) {
        let server = Server::start(database);
        let token = owner(&server);
        made_user(&server, &token, "ann@example.com", "developer");
        let bob = made_user(&server, &token, "bob@example.com", "developer");
        for email in ["ann@example.com", "ANN@Example.com"] {
            let body = json!({"email": email, "role": "auditor"});
            assert_problem(&server.api("POST", "/users", &token, Some(&body)), 409, "email_taken");
            let response = server.api("PATCH", &format!("/users/{bob}"), &token, Some(&json!({"email": email})));
            assert_problem(&response, 409, "email_taken");
        }
        let own = server.api("PATCH", &format!("/users/{bob}"), &token, Some(&json!({"email": "BOB@example.com"})));
        assert_eq!(own.status, 200, "{}", own.text);
        assert_eq!(column(&server.api("GET", "/users", &token, None), "id").len(), 2);
    }

    fn a_deactivated_users_credentials_stop_until_the_user_is_active_or_they_are_transferred(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let ann = made_user(&server, &token, "ann@example.com", "developer");
        let bob = made_user(&server, &token, "bob@example.com", "developer");
        let owned = json!({"name": "owned", "owner": "ann@example.com", "scopes": ["orders:read"]});
        let (made_key, key) = created_key(&server, &token, &owned);
        let (made_client, client) = created(&server, &token, &owned);
        let caller = calling_key(&server, &token, &["sealwright.customers:read"], &json!({"owner": ann}));
        let observer = server.client("sealwright.tokens:introspect");
        let issued = text(&token_of(&server, &client, "").body["access_token"]);
        let works = || {
            let asked = token_of(&server, &client, "");
            if asked.status != 200 {
                assert_eq!((asked.status, &asked.body["error"]), (401, &json!("invalid_client")), "{}", asked.text);
            }
            let active = introspected(&server, &observer, &issued)["active"] == true;
            let code = code(&server, &token, &key, &json!({}));
            assert!(code == "VALID" || code == "DISABLED", "{code}");
            assert_eq!((asked.status == 200, active), (code == "VALID", code == "VALID"));
            code == "VALID"
        };
        let calls = || by_key(&server, "GET", "/customers", &caller.key, None).status;
        assert!(works() && calls() == 200);
        ok(server.api("POST", &format!("/users/{ann}/disable"), &token, None));
        assert!(!works());
        assert_eq!(calls(), 401);
        let path = format!("/keys/{}", text(&made_key["id"]));
        let shown = server.api("GET", &path, &token, None).body;
        assert_eq!((&shown["status"], &shown["inactive_reason"]), (&json!("inactive"), &json!("owner_inactive")));
        ok(server.api("POST", &format!("/users/{ann}/enable"), &token, None));
        assert!(works() && calls() == 200);
        ok(server.api("POST", &format!("/users/{ann}/disable"), &token, None));
        assert!(!works());
        for (kind, id) in [("keys", &made_key["id"]), ("clients", &made_client["id"])] {
            let path = format!("/{kind}/{}/transfer", text(id));
            assert_eq!(ok(server.api("POST", &path, &token, Some(&json!({"owner": bob}))))["owner"], json!(bob));
        }
        assert!(works());
        assert_eq!(calls(), 401, "what was not transferred stays stopped");
    }

    fn every_change_of_people_has_its_event(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let mut ids: Vec<String> = vec![];
        for (method, path, body, action, status) in [
            ("POST", "/customers", json!({"external_id": "acme", "name": "Acme"}), "customer.create", 201),
            ("PATCH", "/customers/acme", json!({"name": "x"}), "customer.update", 200),
            ("POST", "/customers/acme/suspend", json!({}), "customer.suspend", 200),
            ("POST", "/customers/acme/resume", json!({}), "customer.resume", 200),
            ("POST", "/customers/nobody/resume", json!({}), "customer.resume", 404),
            ("POST", "/customers", json!({"external_id": "acme", "name": "Acme"}), "customer.create", 409),
            ("DELETE", "/customers/acme", json!({}), "customer.delete", 204),
            ("DELETE", "/customers/acme", json!({}), "customer.delete", 404),
            ("POST", "/roles", json!({"name": "support", "scopes": ["read"]}), "role.create", 201),
            ("PATCH", "/roles/support", json!({"scopes": []}), "role.update", 200),
            ("DELETE", "/roles/support", json!({}), "role.delete", 204),
            ("DELETE", "/roles/owner", json!({}), "role.delete", 409),
            ("POST", "/users", json!({"email": "a@b", "role": "auditor"}), "user.create", 201),
            ("POST", "/users", json!({"email": "a@b", "role": "auditor"}), "user.create", 409),
            ("POST", "/users", json!({"email": "c@d", "role": "auditor", "password": "short"}), "user.create", 422),
            ("PATCH", "/users/{id}", json!({"name": "x"}), "user.update", 200),
            ("POST", "/users/{id}/disable", json!({}), "user.disable", 200),
            ("POST", "/users/{id}/enable", json!({}), "user.enable", 200),
        ] {
            let path = path.replace("{id}", ids.last().map_or("", String::as_str));
            let response = server.api(method, &path, &token, (method != "DELETE").then_some(&body));
            assert_eq!(response.status, status, "{method} {path}: {}", response.text);
            if response.status == 201 {
                ids.extend(response.body["id"].as_str().map(str::to_owned));
            }
            let events = events_of(&server, &token, &response);
            assert_eq!(events.len(), 1, "{method} {path}: {events:?}");
            let outcome = if status < 300 { "success" } else { "refused" };
            let event = &events[0];
            // A call whose input cannot be read reaches no use case.
            let is_unread = status == 422 && event["action"] == "api.call";
            assert!(is_unread || event["action"] == action, "{event}");
            assert_eq!(event["outcome"], outcome, "{event}");
            assert_eq!(event["status"], status, "{event}");
        }
    }

    fn a_repeated_creation_of_people_is_done_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let post = |path: &str, key: &str, body: &Value| {
            let request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(&token);
            server.send(request.header("idempotency-key", key).json(body))
        };
        for (path, body, another) in [
            ("/customers", json!({"external_id": "acme", "name": "Acme"}), json!({"external_id": "x", "name": "x"})),
            (
                "/users",
                json!({"email": "ann@example.com", "role": "developer", "password": "long enough"}),
                json!({"email": "x@example.com", "role": "developer"}),
            ),
            ("/roles", json!({"name": "support", "scopes": ["read"]}), json!({"name": "x", "scopes": ["read"]})),
        ] {
            let first = post(path, path, &body);
            assert_eq!(first.status, 201, "{}", first.text);
            let again = post(path, path, &body);
            assert_eq!((again.status, &again.body), (201, &first.body), "{path}");
            assert_problem(&post(path, path, &another), 422, "idempotency_key_reused");
            let other = post(path, &format!("{path}-2"), &body);
            assert_eq!(other.status, 409, "without the key it is a second one: {}", other.text);
        }
        assert_eq!(server.database.numbers("SELECT COUNT(*) AS n FROM idempotency_keys"), [3]);
    }
}
