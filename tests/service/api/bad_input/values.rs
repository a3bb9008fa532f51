//! Values of fields.

use super::*;
use crate::api::bad_values::{self, BadValue, many, of_other_types};

/// Values that no client may have, for creating and for changing one.
fn bad_values() -> Vec<BadValue> {
    let mut bad = bad_values::of_both_kinds();
    bad.extend([
        ("default_scopes", json!([])),
        ("default_scopes", json!(["a b"])),
        ("default_scopes", json!(["other:write"])),
        ("audiences", json!([""])),
        ("audiences", json!(["a b"])),
        ("audiences", json!(["x".repeat(513)])),
        ("audiences", json!(["\u{0}"])),
        ("audiences", many(51, &|n| format!("https://{n}.example"))),
        ("resource_for", json!(["a b"])),
        ("resource_for", many(51, &|n| format!("https://{n}.example"))),
        ("token_lifetime", json!(0)),
        ("token_lifetime", json!(-1)),
        ("token_lifetime", json!(3601)),
        ("token_lifetime", json!(i64::MAX)),
        ("token_lifetime", json!(u64::MAX)),
        ("token_lifetime", json!(60.5)),
        ("token_lifetime", json!(1e300)),
        ("token_lifetime", json!("60")),
        ("token_lifetime", json!(true)),
        ("signing_algorithm", json!("none")),
        ("signing_algorithm", json!("HS256")),
        ("signing_algorithm", json!("es256")),
        ("signing_algorithm", json!("")),
        ("token_typ", json!("jwt")),
        ("token_typ", json!("AT+JWT")),
        ("token_typ", json!("application/at+jwt")),
        ("token_typ", json!("dpop+jwt")),
        ("token_typ", json!("")),
    ]);
    for (field, right) in [
        ("default_scopes", "list"),
        ("audiences", "list"),
        ("resource_for", "list"),
        ("token_lifetime", "number"),
        ("signing_algorithm", "string"),
        ("token_typ", "string"),
    ] {
        bad.extend(of_other_types(field, right));
    }
    bad
}

both! {
    fn a_client_cannot_be_made_or_changed_with_a_bad_value(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("good"));
        let path = format!("/clients/{}", client.id);
        let before = state(&server);
        for (field, value) in bad_values() {
            let mut body = minimal("new");
            body[field] = value.clone();
            assert_invalid(&server.api("POST", "/clients", &token, Some(&body)), &[field]);
            assert_invalid(&server.api("PATCH", &path, &token, Some(&json!({field: value}))), &[field]);
        }
        for environment in [json!("prod"), json!("Production"), json!(""), json!(1), json!([]), json!("pro\u{0}")] {
            let mut body = minimal("new");
            body["environment"] = environment;
            assert_invalid(&server.api("POST", "/clients", &token, Some(&body)), &["environment"]);
        }
        assert_eq!(state(&server), before, "nothing changed");
    }

    fn everything_that_is_wrong_is_named_at_once(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (body, fields) in [
            (json!({}), vec!["name", "scopes"]),
            (json!({"name": "", "scopes": ["a b"], "token_lifetime": 0}), vec!["name", "scopes", "token_lifetime"]),
            (json!({"name": "x", "scopes": ["a"], "scope": "a", "secret": "x"}), vec!["scope", "secret"]),
            (json!({"name": 1, "scopes": 2, "unknown": 3}), vec!["name", "scopes", "unknown"]),
            (json!({"name": "x", "scopes": ["a"], "client_id": "cli_1"}), vec!["client_id"]),
            (json!({"name": "x", "scopes": ["a"], "status": "active"}), vec!["status"]),
            (json!({"name": "x", "scopes": ["a"], "": 1}), vec![""]),
            (json!({"environment": "x"}), vec!["environment", "name", "scopes"]),
        ] {
            assert_invalid(&server.api("POST", "/clients", &token, Some(&body)), &fields);
        }
        let (_, client) = created(&server, &token, &minimal("good"));
        let path = format!("/clients/{}", client.id);
        for field in ["environment", "id", "client_id", "status", "client_secret", "secrets", "created_at", "grace"] {
            let response = server.api("PATCH", &path, &token, Some(&json!({field: "x", "name": "changed"})));
            assert_invalid(&response, &[field]);
        }
        assert_eq!(server.api("GET", &path, &token, None).body["name"], "good");
        let long = "x".repeat(5_000);
        let response = server.api("PATCH", &path, &token, Some(&json!({&long: 1})));
        assert_eq!(response.status, 422);
        assert!(response.text.len() < 1_000, "a long name is not said again whole");
    }

    fn other_objects_refuse_bad_values_too(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("good"));
        assert_eq!(server.api("POST", "/scopes", &token, Some(&json!({"name": "known:read"}))).status, 201);
        let before = state(&server);
        let rotate = format!("/clients/{}/rotate-secret", client.id);
        for (method, path, body, fields) in [
            ("POST", rotate.as_str(), json!({"grace": "1w"}), vec!["grace"]),
            ("POST", &rotate, json!({"grace": "31d"}), vec!["grace"]),
            ("POST", &rotate, json!({"grace": "99999999999999999999s"}), vec!["grace"]),
            ("POST", &rotate, json!({"grce": "1h"}), vec!["grce"]),
            ("POST", "/scopes", json!({}), vec!["name"]),
            ("POST", "/scopes", json!({"name": ""}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "a b"}), vec!["name"]),
            ("POST", "/scopes", json!({"name": null}), vec!["name"]),
            ("POST", "/scopes", json!({"name": ["a"]}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "x".repeat(129)}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "a\u{0}"}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "sealwright.x"}), vec!["name"]),
            ("POST", "/scopes", json!({"name": "a", "description": "x".repeat(1001)}), vec!["description"]),
            ("POST", "/scopes", json!({"name": "a", "description": "\u{0}"}), vec!["description"]),
            ("POST", "/scopes", json!({"name": "a", "descripton": "x"}), vec!["descripton"]),
            ("PATCH", "/scopes/known:read", json!({"description": "a\tb"}), vec!["description"]),
            ("PATCH", "/scopes/known:read", json!({"name": "other:read"}), vec!["name"]),
            ("POST", "/signing-keys/rotate", json!({"environment": "prod"}), vec!["environment"]),
            ("POST", "/signing-keys/rotate", json!({"algorithm": "HS256"}), vec!["algorithm"]),
            ("POST", "/signing-keys/rotate", json!({"algorithm": 1}), vec!["algorithm"]),
            ("POST", "/signing-keys/rotate", json!({"lead": "1 h"}), vec!["lead"]),
            ("POST", "/signing-keys/rotate", json!({"lead": "31d"}), vec!["lead"]),
            ("POST", "/signing-keys/rotate", json!({"lead": 60}), vec!["lead"]),
            ("POST", "/signing-keys/rotate", json!({"kid": "x"}), vec!["kid"]),
        ] {
            let response = server.api(method, path, &token, Some(&body));
            assert_eq!(response.status, 422, "{path} {body}: {}", response.text);
            assert_invalid(&response, &fields);
        }
        assert_eq!(state(&server), before, "nothing changed");
    }
}
