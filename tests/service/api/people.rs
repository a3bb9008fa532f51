//! Customers, users and roles, and what their credentials may do because of them.

use serde_json::{Value, json};

use super::keys::{code, created_key, entered_customer, made_user, minimal_key, verdict};
use super::{
    assert_invalid, assert_problem, column, created, events_of, millis, minimal, now, owner, text,
    texts,
};
use crate::support::{Answer, Server, TestClient, TestKey, both};

/// Calls the management API with a key.
fn by_key(server: &Server, method: &str, path: &str, key: &str, body: Option<&Value>) -> Answer {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = server.http.request(method, format!("{}/api/v1{path}", server.url)).header("x-api-key", key);
    server.send(match body {
        Some(body) => request.json(body),
        None => request,
    })
}

/// Asks production for a token of a scope.
fn token_of(server: &Server, client: &TestClient, scope: &str) -> Answer {
    let mut form = vec![("grant_type", "client_credentials")];
    if !scope.is_empty() {
        form.push(("scope", scope));
    }
    server.post_form("/api/oauth/token", client, &form)
}

fn introspected(server: &Server, observer: &TestClient, token: &str) -> Value {
    let answer = server.post_form("/api/oauth/introspect", observer, &[("token", token)]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

fn made_role(server: &Server, token: &str, name: &str, scopes: &[&str]) {
    let answer = server.api("POST", "/roles", token, Some(&json!({"name": name, "scopes": scopes})));
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// An internal key of an owner's, which calls the management API.
fn calling_key(server: &Server, token: &str, scopes: &[&str], more: &Value) -> TestKey {
    let mut body = json!({"name": "caller", "type": "internal", "scopes": scopes});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (made, key) = created_key(server, token, &body);
    TestKey { id: text(&made["id"]), key }
}

#[track_caller]
fn ok(answer: Answer) -> Value {
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
    answer.body
}

/// Every page of a list, as one member of its rows.
fn paged(server: &Server, token: &str, path: &str, limit: usize, member: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.api("GET", &format!("{path}?limit={limit}{cursor}"), token, None);
        let rows = column(&page, member);
        assert!(rows.len() <= limit && !rows.is_empty(), "{limit}: {}", page.text);
        seen.extend(rows);
        match &page.body["next_cursor"] {
            Value::Null => return seen,
            next => cursor = format!("&cursor={}", text(next)),
        }
    }
}

both! {
    fn a_customer_is_entered_shown_changed_and_removed_by_either_id(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let before = now();
        let entered = server.api("POST", "/customers", &token, Some(&json!({"external_id": "acme:1/e", "name": "Äcme & Co."})));
        assert_eq!(entered.status, 201, "{}", entered.text);
        let (id, external) = (text(&entered.body["id"]), "acme:1%2Fe");
        assert!(id.starts_with("cus_"));
        assert_eq!((&entered.body["external_id"], &entered.body["name"]), (&json!("acme:1/e"), &json!("Äcme & Co.")));
        assert_eq!(entered.body.as_object().unwrap().len(), 5, "{}", entered.text);
        assert!((before - 1..=now()).contains(&millis(&entered.body["created_at"])));
        for named in [&id, external] {
            assert_eq!(server.api("GET", &format!("/customers/{named}"), &token, None).body, entered.body, "{named}");
        }
        let renamed = ok(server.api("PATCH", &format!("/customers/{external}"), &token, Some(&json!({"name": "Acme"}))));
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
                let answer = server.api(method, &format!("/customers/{named}"), &token, body.as_ref());
                assert_problem(&answer, 404, "not_found");
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
        for (customer, expected) in [("acme", "VALID"), (&*acme, "VALID"), ("zeta", "WRONG_CUSTOMER"), ("Acme", "WRONG_CUSTOMER")] {
            assert_eq!(code(&server, &token, &key, &json!({"customer": customer})), expected, "{customer}");
        }
        ok(server.api("PATCH", "/customers/acme", &token, Some(&json!({"external_id": "acme2"}))));
        for (customer, expected) in [("acme", "WRONG_CUSTOMER"), ("acme2", "VALID"), (&*acme, "VALID")] {
            assert_eq!(code(&server, &token, &key, &json!({"customer": customer})), expected, "{customer}");
        }
        ok(server.api("PATCH", &format!("/clients/{}", text(&client["id"])), &token, Some(&json!({"customers": null}))));
        assert_problem(&server.api("DELETE", "/customers/acme2", &token, None), 409, "customer_in_use");
        ok(server.api("PATCH", &format!("/keys/{}", text(&made["id"])), &token, Some(&json!({"customers": ["zeta"]}))));
        assert_eq!(server.api("DELETE", "/customers/acme2", &token, None).status, 204);
        assert_eq!(code(&server, &token, &key, &json!({"customer": "acme2"})), "WRONG_CUSTOMER");
    }

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
        let mut answers = vec![made.clone(), shown, list];
        for (change, member, value) in [
            (json!({"email": "ANNE@example.com"}), "email", json!("anne@example.com")),
            (json!({"name": "Anne"}), "name", json!("Anne")),
            (json!({"name": null}), "name", json!("")),
            (json!({"role": "admin"}), "role", json!("admin")),
            (json!({"password": null}), "has_password", json!(false)),
            (json!({"password": "another password"}), "has_password", json!(true)),
            (json!({}), "status", json!("active")),
        ] {
            let answer = server.api("PATCH", &path, &token, Some(&change));
            assert_eq!((answer.status, &answer.body[member]), (200, &value), "{change}: {}", answer.text);
            assert_eq!(server.api("GET", &path, &token, None).body, answer.body, "{change} is stored");
            assert_eq!(events_of(&server, &token, &answer)[0]["action"], "user.update");
            answers.push(answer);
        }
        for (action, status) in [("disable", "inactive"), ("disable", "inactive"), ("enable", "active")] {
            let answer = server.api("POST", &format!("{path}/{action}"), &token, None);
            assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some(status)), "{}", answer.text);
        }
        let events = serde_json::to_string(&server.events(&[])).unwrap();
        for said in answers.iter().map(|answer| answer.text.clone()).chain([events, server.log()]) {
            assert!(!["correct horse", "another pass", "argon2"].iter().any(|secret| said.contains(secret)), "{said}");
        }
        let hashed = "SELECT COUNT(*) AS n FROM users WHERE password_hash LIKE '$argon2id$%' AND password_hash NOT LIKE '%horse%'";
        assert_eq!(server.database.numbers(hashed), [1]);

        assert_eq!(column(&server.api("GET", "/users", &token, None), "id"), [plain.clone(), id.clone()], "newest first");
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
                let answer = server.api(method, &format!("/users/{gone}{action}"), &token, body.as_ref());
                assert_problem(&answer, 404, "not_found");
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
            let answer = server.api("PATCH", &format!("/users/{bob}"), &token, Some(&json!({"email": email})));
            assert_problem(&answer, 409, "email_taken");
        }
        let own = server.api("PATCH", &format!("/users/{bob}"), &token, Some(&json!({"email": "BOB@example.com"})));
        assert_eq!(own.status, 200, "{}", own.text);
        assert_eq!(column(&server.api("GET", "/users", &token, None), "id").len(), 2);
    }

    fn a_role_is_made_changed_and_removed_and_the_built_in_ones_are_there(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let roles = server.api("GET", "/roles", &token, None);
        assert_eq!(column(&roles, "name"), ["admin", "auditor", "developer", "owner"]);
        assert!(roles.body["data"].as_array().unwrap().iter().all(|role| role["built_in"] == true));
        let body = json!({"name": "support", "description": "Helps.", "scopes": ["orders:write", "orders:read", "sealwright.audit:read"]});
        let made = server.api("POST", "/roles", &token, Some(&body));
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(texts(&made.body["scopes"]), ["orders:read", "orders:write", "sealwright.audit:read"]);
        assert_eq!((&made.body["built_in"], &made.body["description"]), (&json!(false), &json!("Helps.")));
        assert_eq!(server.api("GET", "/roles/support", &token, None).body, made.body);
        assert_eq!(paged(&server, &token, "/roles", 2, "name"), ["admin", "auditor", "developer", "owner", "support"]);
        for name in ["support", "admin", "owner"] {
            let again = json!({"name": name, "scopes": ["read"]});
            assert_problem(&server.api("POST", "/roles", &token, Some(&again)), 409, "role_exists");
        }
        for (change, member, value) in [
            (json!({"description": "x"}), "description", json!("x")),
            (json!({"description": null}), "description", json!("")),
            (json!({"scopes": ["read"]}), "scopes", json!(["read"])),
            (json!({"scopes": []}), "scopes", json!([])),
            (json!({"scopes": ["orders:*"]}), "scopes", json!(["orders:*"])),
            (json!({"scopes": null}), "scopes", json!([])),
        ] {
            let answer = server.api("PATCH", "/roles/support", &token, Some(&change));
            assert_eq!((answer.status, &answer.body[member]), (200, &value), "{change}: {}", answer.text);
            assert_eq!(server.api("GET", "/roles/support", &token, None).body[member], value, "{change} is stored");
        }
        let ann = made_user(&server, &token, "ann@example.com", "support");
        assert_problem(&server.api("DELETE", "/roles/support", &token, None), 409, "role_in_use");
        for name in ["owner", "admin", "developer", "auditor"] {
            assert_problem(&server.api("DELETE", &format!("/roles/{name}"), &token, None), 409, "built_in_role");
        }
        let owners = json!({"description": "x"});
        assert_problem(&server.api("PATCH", "/roles/owner", &token, Some(&owners)), 409, "built_in_role");
        let emptied = json!({"scopes": []});
        assert_problem(&server.api("PATCH", "/roles/owner", &token, Some(&emptied)), 409, "built_in_role");
        ok(server.api("PATCH", &format!("/users/{ann}"), &token, Some(&json!({"role": "auditor"}))));
        assert_eq!(server.api("DELETE", "/roles/support", &token, None).status, 204);
        for name in ["support", "Support", "a%20b"] {
            for (method, body) in [("GET", None), ("PATCH", Some(json!({"description": "x"}))), ("DELETE", None)] {
                assert_problem(&server.api(method, &format!("/roles/{name}"), &token, body.as_ref()), 404, "not_found");
            }
        }
        let unknown = json!({"email": "eve@example.com", "role": "support"});
        assert_invalid(&server.api("POST", "/users", &token, Some(&unknown)), &["role"]);
        made_role(&server, &token, "support", &["read"]);
    }

    fn a_changed_role_cuts_its_users_credentials_at_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        made_role(&server, &token, "support", &["orders:*", "sealwright.clients:read"]);
        let ann = made_user(&server, &token, "ann@example.com", "support");
        let owned = |scopes: Value| json!({"name": "owned", "owner": ann, "scopes": scopes});
        let (_, key) = created_key(&server, &token, &owned(json!(["orders:read", "orders:write"])));
        let (_, client) = created(&server, &token, &owned(json!(["orders:read", "orders:write"])));
        let caller = calling_key(&server, &token, &["sealwright.clients:read"], &json!({"owner": ann}));
        let observer = server.client("sealwright.tokens:introspect");
        let (_, organisations) = created_key(&server, &token, &json!({"name": "o", "scopes": ["orders:write"]}));
        let write = json!({"scopes": ["orders:write"]});
        let issued = text(&token_of(&server, &client, "orders:read orders:write").body["access_token"]);
        // What the role allows; then whether the key may write, its scopes, what a token gets, and what an older one still has.
        for (allowed, write_code, scopes, token_status, still) in [
            (vec!["orders:*", "sealwright.clients:read"], "VALID", vec!["orders:read", "orders:write"], 200, "orders:read orders:write"),
            (vec!["orders:read"], "INSUFFICIENT_SCOPE", vec!["orders:read"], 400, "orders:read"),
            (vec!["read"], "INSUFFICIENT_SCOPE", vec!["orders:read"], 400, "orders:read"),
            (vec!["write", "read"], "VALID", vec!["orders:read", "orders:write"], 200, "orders:read orders:write"),
            (vec!["invoices:*"], "INSUFFICIENT_SCOPE", vec![], 400, ""),
            (vec![], "INSUFFICIENT_SCOPE", vec![], 400, ""),
            (vec!["admin"], "VALID", vec!["orders:read", "orders:write"], 200, "orders:read orders:write"),
        ] {
            ok(server.api("PATCH", "/roles/support", &token, Some(&json!({"scopes": allowed}))));
            assert_eq!(code(&server, &token, &key, &write), write_code, "{allowed:?}");
            assert_eq!(texts(&verdict(&server, &token, &key, &json!({}))["scopes"]), scopes, "{allowed:?}");
            let asked = token_of(&server, &client, "orders:write");
            assert_eq!(asked.status, token_status, "{allowed:?}: {}", asked.text);
            if token_status == 400 {
                assert_eq!(asked.body["error"], "invalid_scope", "{allowed:?}");
            }
            let plain = token_of(&server, &client, "");
            if still.is_empty() {
                assert_eq!((plain.status, &plain.body["error"]), (400, &json!("invalid_scope")), "{allowed:?}");
            } else {
                assert_eq!((plain.status, plain.body["scope"].as_str()), (200, Some(still)), "{allowed:?}");
            }
            let seen = introspected(&server, &observer, &issued);
            assert_eq!(seen["scope"].as_str().unwrap_or_default(), still, "{allowed:?}: {seen}");
            let managing = by_key(&server, "GET", "/clients", &caller.key, None).status;
            assert_eq!(managing, if allowed.contains(&"sealwright.clients:read") { 200 } else { 403 }, "{allowed:?}");
            assert_eq!(code(&server, &token, &organisations, &write), "VALID", "nobody's role cuts the organisation's");
        }
        // The same where the user gets another role.
        for (role, expected) in [("auditor", "INSUFFICIENT_SCOPE"), ("developer", "VALID")] {
            ok(server.api("PATCH", &format!("/users/{ann}"), &token, Some(&json!({"role": role}))));
            assert_eq!(code(&server, &token, &key, &write), expected, "{role}");
            let status = token_of(&server, &client, "orders:write").status;
            assert_eq!(status, if expected == "VALID" { 200 } else { 400 }, "{role}");
        }
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
        assert_eq!(server.api("GET", &path, &token, None).body["status"], "active", "the key's own state is as it was");
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

    fn who_changes_people_must_hold_what_their_roles_allow(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let boss = made_user(&server, &token, "boss@example.com", "owner");
        let eve = made_user(&server, &token, "eve@example.com", "auditor");
        made_role(&server, &token, "low", &["orders:read"]);
        let admin = made_user(&server, &token, "admin@example.com", "admin");
        let admins = calling_key(&server, &token, &["admin", "sealwright.users:*", "sealwright.roles:*"], &json!({"owner": admin}));
        let call = |method: &str, path: &str, body: &Value| by_key(&server, method, path, &admins.key, Some(body));
        for (method, path, body) in [
            ("POST", "/users".to_owned(), json!({"email": "x@example.com", "role": "owner"})),
            ("POST", "/users".to_owned(), json!({"email": "x@example.com", "role": "admin"})),
            ("PATCH", format!("/users/{boss}"), json!({"password": "taken over"})),
            ("PATCH", format!("/users/{boss}"), json!({"email": "mine@example.com"})),
            ("POST", format!("/users/{boss}/disable"), json!({})),
            ("PATCH", format!("/users/{admin}"), json!({"role": "owner"})),
            ("POST", "/roles".to_owned(), json!({"name": "high", "scopes": ["sealwright.admin"]})),
            ("POST", "/roles".to_owned(), json!({"name": "high", "scopes": ["sealwright.clients:write"]})),
            ("PATCH", "/roles/low".to_owned(), json!({"scopes": ["sealwright.signing-keys:write"]})),
            ("PATCH", "/roles/admin".to_owned(), json!({"description": "mine"})),
        ] {
            assert_problem(&call(method, &path, &body), 403, "scope_exceeds_caller");
        }
        assert_eq!(call("PATCH", "/roles/low", &json!({"scopes": ["orders:*", "sealwright.users:read"]})).status, 200);
        let low = call("POST", "/users", &json!({"email": "low@example.com", "role": "low"}));
        assert_eq!(low.status, 201, "{}", low.text);
        let low = text(&low.body["id"]);
        assert_eq!(call("POST", &format!("/users/{low}/disable"), &json!({})).status, 200);
        // An auditor reads what this key cannot.
        assert_problem(&call("POST", &format!("/users/{eve}/disable"), &json!({})), 403, "scope_exceeds_caller");
        let users = server.api("GET", "/users", &token, None).body;
        assert_eq!(users["data"].as_array().unwrap().len(), 4, "{users}");
    }

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
                let answer = server.api(method, &path, &other, (method != "DELETE").then_some(&body));
                assert_problem(&answer, 403, "production_only");
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
        let call = |method: &str, path: &str, body: Option<Value>| by_key(&server, method, path, &own.key, body.as_ref());
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
        let given = call("POST", &format!("/clients/{}/transfer", text(&anns_client["id"])), Some(json!({"owner": bob})));
        assert_problem(&given, 403, "scope_exceeds_caller");
        let released = call("POST", &format!("/clients/{}/transfer", text(&anns_client["id"])), Some(json!({"owner": null})));
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
        let scopes = ["sealwright.keys:*", "sealwright.clients:*", "sealwright.customers:*", "sealwright.users:*",
            "sealwright.roles:*", "sealwright.scopes:*", "orders:*"];
        let tied = calling_key(&server, &token, &scopes, &json!({"customers": ["acme"]}));
        let call = |method: &str, path: &str, body: Option<Value>| by_key(&server, method, path, &tied.key, body.as_ref());
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
                assert_problem(&call("POST", &format!("/keys/{}/{action}", id(made)), Some(json!({}))), 404, "not_found");
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
            let answer = call("POST", path, Some(body));
            assert!(matches!(answer.status, 403 | 404), "{path}: {}", answer.text);
        }
        // What it makes is its customers', and stays so.
        let made = call("POST", "/keys", Some(minimal_key("theirs")));
        assert_eq!((made.status, &made.body["customers"]), (201, &json!([acme])), "{}", made.text);
        for customers in [json!(["zeta"]), json!(["acme", "zeta"]), json!([])] {
            assert_invalid(&call("POST", "/keys", Some(of(customers.clone()))), &["customers"]);
            let path = format!("/keys/{}", id(&acmes));
            assert_invalid(&call("PATCH", &path, Some(json!({"customers": customers}))), &["customers"]);
        }
        // Others' keys are no keys for it.
        for (key, expected) in [(&acmes_key, "VALID"), (&zetas_key, "NOT_FOUND"), (&free_key, "NOT_FOUND")] {
            let answer = call("POST", "/keys/verify", Some(json!({"key": key, "environment": "production"})));
            assert_eq!(answer.body["code"], expected, "{}", answer.text);
            if expected == "NOT_FOUND" {
                assert_eq!(answer.body.as_object().unwrap().len(), 2, "nothing is told of it: {}", answer.text);
            }
        }
    }

    fn every_change_of_people_has_its_event(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let mut ids: Vec<String> = vec![];
        for (method, path, body, action, status) in [
            ("POST", "/customers", json!({"external_id": "acme", "name": "Acme"}), "customer.create", 201),
            ("PATCH", "/customers/acme", json!({"name": "x"}), "customer.update", 200),
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
            let answer = server.api(method, &path, &token, (method != "DELETE").then_some(&body));
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
            if answer.status == 201 {
                ids.extend(answer.body["id"].as_str().map(str::to_owned));
            }
            let events = events_of(&server, &token, &answer);
            assert_eq!(events.len(), 1, "{method} {path}: {events:?}");
            let outcome = if status < 300 { "success" } else { "refused" };
            let event = &events[0];
            assert_eq!((event["action"].as_str(), event["outcome"].as_str()), (Some(action), Some(outcome)), "{event}");
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
        for (path, body) in [
            ("/customers", json!({"external_id": "acme", "name": "Acme"})),
            ("/users", json!({"email": "ann@example.com", "role": "developer", "password": "long enough"})),
            ("/roles", json!({"name": "support", "scopes": ["read"]})),
        ] {
            let first = post(path, path, &body);
            assert_eq!(first.status, 201, "{}", first.text);
            let again = post(path, path, &body);
            assert_eq!((again.status, &again.body), (201, &first.body), "{path}");
            assert_problem(&post(path, path, &json!({})), 422, "idempotency_key_reused");
            let other = post(path, &format!("{path}-2"), &body);
            assert_eq!(other.status, 409, "without the key it is a second one: {}", other.text);
        }
        assert_eq!(server.database.numbers("SELECT COUNT(*) AS n FROM idempotency_keys"), [3]);
    }
}
