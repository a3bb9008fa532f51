//! What has the form of one of Sealwright's own secrets is refused in every text field: 422, naming the field, not the
//! value.

use serde_json::{Value, json};

use super::operations::{self, Operation};
use super::{Planted, api_key, client_secret, query};
use crate::command_line::{end_with, end_with_input};
use crate::support::{Response, Server, both};

/// What APIs and gateways say of their requests is recorded without secrets instead: a verification must not fail
/// because a caller has put a secret into a path.
const RECORDED: [(&str, &[&str]); 1] = [("/api/v1/keys/verify", &["method", "path", "user_agent", "request_id"])];

fn is_recorded(operation: &Operation, name: &str) -> bool {
    RECORDED.iter().any(|(path, members)| *path == operation.path && members.contains(&name))
}

/// Asserts that the field is named, and the value is not.
#[track_caller]
fn assert_refused(place: &str, response: &Response, field: &str, planted: &Planted) {
    assert_eq!(response.status, 422, "{place}: {}", response.text);
    let fields: Vec<&str> = response.body["errors"]
        .as_array()
        .map_or(vec![], |errors| errors.iter().map(|error| error["field"].as_str().unwrap()).collect());
    assert!(fields.contains(&field), "{place}: {}", response.text);
    planted.assert_absent(place, response.text.as_bytes());
}

both! {
    fn no_text_field_of_the_api_takes_a_secret(database) {
        let server = Server::start(database);
        let (token, mut planted) = (server.owner(), Planted::default());
        let changes = "SELECT change_sequence AS n FROM installation";
        let before = server.database.numbers(changes);
        let mut refused = 0;
        for operation in operations::all(&server).iter().filter(|operation| operation.path.starts_with("/api/v1/")) {
            let path = operation.path_with("cli_00000000000000000000000000000000");
            let place = format!("{} {}", operation.method, operation.path);
            for member in operation.body.iter().filter(|member| !member.is_secret) {
                for _ in 0..3 {
                    let body = operation.body_with(&member.name, member.planted(&planted.next()));
                    let path = path.trim_start_matches("/api/v1");
                    let response = server.api(&operation.method, path, &token, Some(&body));
                    if is_recorded(operation, &member.name) {
                        planted.assert_absent(&place, response.text.as_bytes());
                    } else {
                        assert_refused(&format!("{place} {body}"), &response, &member.name, &planted);
                        refused += 1;
                    }
                }
            }
            for name in &operation.query {
                let pairs = query(&[(name, &planted.next())]);
                let request = server.http.get(format!("{}{path}?{pairs}", server.url)).bearer_auth(&token);
                let response = server.send(request);
                // Forward-auth has responses of its own.
                if operation.path.ends_with("/forward-auth") {
                    planted.assert_absent(&place, response.text.as_bytes());
                } else {
                    assert_refused(&format!("{place}?{name}="), &response, name, &planted);
                    refused += 1;
                }
            }
        }
        assert!(refused > 150, "{refused}");
        assert_eq!(server.database.numbers(changes), before, "nothing has changed");
    }

    fn no_text_that_has_a_secret_in_it_is_taken(database) {
        let server = Server::start(database);
        let (token, mut planted) = (server.owner(), Planted::default());
        for secret in [api_key(), api_key().replace("sw_live", "acme_stg"), client_secret()] {
            planted.add(&secret);
            for (path, field, value) in [
                ("/clients", "name", json!(format!("billing ({secret})"))),
                ("/clients", "description", json!(format!("The key is {secret}."))),
                ("/clients", "scopes", json!(["orders:read", format!("orders:{secret}")])),
                ("/clients", "audiences", json!([format!("https://api.example/?key={secret}")])),
                ("/clients", "resource_for", json!([format!("https://{secret}.example")])),
                ("/clients", "owner", json!(format!("{secret}@example.com"))),
                ("/clients", "metadata", json!({"plan": "gold", "key": format!("key={secret}")})),
                ("/customers", "external_id", json!(format!("acme-{secret}"))),
                ("/users", "email", json!(format!("{secret}@example.com"))),
                ("/clients", "metadata", json!({secret.clone(): "x"})),
            ] {
                let valid = match path {
                    "/clients" => json!({"name": "billing", "scopes": ["orders:read"]}),
                    "/customers" => json!({"external_id": "acme", "name": "Acme"}),
                    _ => json!({"email": "ann@example.com", "role": "developer"}),
                };
                let mut body: Value = valid;
                body[field] = value;
                let response = server.api("POST", path, &token, Some(&body));
                assert_refused(&format!("{path} {body}"), &response, field, &planted);
            }
            // The name of a member that does not exist is repeated, but not as it is.
            let response = server.api("POST", "/clients", &token, Some(&json!({"name": "x", secret.clone(): 1})));
            assert_eq!(response.status, 422);
            planted.assert_absent("an unknown member", response.text.as_bytes());
            let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(&token);
            let request = request.header("idempotency-key", &secret);
            let response = server.send(request.json(&json!({"name": "x", "scopes": ["orders:read"]})));
            assert_refused("Idempotency-Key", &response, "Idempotency-Key", &planted);
        }
    }

    /// Else a list of nothing would be all that says that the value of a key is on a command line, in a history.
    fn no_filter_of_a_command_takes_a_secret(database) {
        let server = Server::start(database);
        let (key, mut planted) = (server.key("orders:read").key, Planted::default());
        planted.add(&key);
        for (list, options) in [
            (["client", "list"], &["--name", "--owner", "--customer"][..]),
            (["key", "list"], &["--name", "--owner", "--customer"]),
            (["customer", "list"], &["--external-id"]),
            (["user", "list"], &["--email", "--role"]),
            (["audit", "list"], &["--credential", "--customer", "--actor", "--target", "--gateway-request-id"]),
            (["audit", "export"], &["--credential", "--customer", "--actor", "--target", "--gateway-request-id"]),
        ] {
            for option in options {
                for secret in [key.clone(), planted.next(), planted.next(), planted.next()] {
                    let ended = end_with(2, server.command(&list).args([option, &*secret]));
                    let place = format!("{list:?} {option}");
                    assert!(ended.err.contains(&format!("{option} ")) && ended.out.is_empty(), "{place}: {ended:?}");
                    planted.assert_absent(&place, ended.err.as_bytes());
                }
            }
        }
        // This one searches by the value.
        let found = end_with_input(0, &mut server.command(&["key", "find"]), &format!("{key}\n"));
        planted.assert_absent("key find", found.out.as_bytes());
    }
}
