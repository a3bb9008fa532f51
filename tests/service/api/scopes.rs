//! The registry of what scopes mean, by `/api/v1/scopes`.

use serde_json::{Value, json};

use super::{assert_problem, column, millis, owner, text};
use crate::support::{Server, both};

both! {
    fn an_entry_is_made_shown_changed_and_taken_out(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let made = server.api("POST", "/scopes", &token, Some(&json!({"name": "orders:read", "description": "Read."})));
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(
            (made.body["name"].as_str(), made.body["description"].as_str()),
            (Some("orders:read"), Some("Read."))
        );
        assert_eq!(made.body["created_at"], made.body["updated_at"]);
        let path = "/scopes/orders:read";
        assert_eq!(server.api("GET", path, &token, None).body, made.body);
        assert_eq!(server.api("GET", "/scopes/orders%3Aread", &token, None).body, made.body);
        let again = server.api("POST", "/scopes", &token, Some(&json!({"name": "orders:read"})));
        assert_problem(&again, 409, "scope_exists");
        for (given, shown) in [(json!("Read orders."), "Read orders."), (Value::Null, ""), (json!("x"), "x")] {
            let response = server.api("PATCH", path, &token, Some(&json!({"description": given})));
            assert_eq!((response.status, response.body["description"].as_str()), (200, Some(shown)));
            assert!(millis(&response.body["updated_at"]) >= millis(&made.body["updated_at"]));
            assert_eq!(response.body["created_at"], made.body["created_at"]);
        }
        assert_eq!(server.api("PATCH", path, &token, Some(&json!({}))).body["description"], "x");
        let deleted = server.api("DELETE", path, &token, None);
        assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
        for (method, body) in [("GET", None), ("PATCH", Some(json!({}))), ("DELETE", None)] {
            assert_problem(&server.api(method, path, &token, body.as_ref()), 404, "not_found");
        }
        assert_eq!(server.api("POST", "/scopes", &token, Some(&json!({"name": "orders:read"}))).status, 201);
    }

    fn the_registry_describes_and_gates_nothing(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let client = server.client("unheard:of");
        assert_eq!(server.token(&client).body["scope"], "unheard:of");
        assert_eq!(server.api("POST", "/scopes", &token, Some(&json!({"name": "unheard:of"}))).status, 201);
        assert_eq!(server.api("DELETE", "/scopes/unheard:of", &token, None).status, 204);
        assert_eq!(server.token(&client).body["scope"], "unheard:of");
    }

    fn the_registry_is_listed_from_the_newest_page_by_page(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let names: Vec<String> = (0..5).rev().map(|n| format!("x{n}:read")).collect();
        for name in names.iter().rev() {
            assert_eq!(server.api("POST", "/scopes", &token, Some(&json!({"name": name}))).status, 201);
        }
        for limit in [1, 2, 5, 1000] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = server.api("GET", &format!("/scopes?limit={limit}{cursor}"), &token, None);
                seen.extend(column(&page, "name"));
                match &page.body["next_cursor"] {
                    Value::Null => break,
                    next => cursor = format!("&cursor={}", text(next)),
                }
            }
            assert_eq!(seen, names, "in pages of {limit}");
        }
        let listed = server.cli(&["scope", "list"]);
        let by_command: Vec<String> = listed["data"].as_array().unwrap().iter().map(|row| text(&row["name"])).collect();
        assert_eq!(by_command, names, "the command line lists the same");
    }
}
