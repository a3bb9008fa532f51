//! Every route for every kind of caller.

use super::*;

/// Every management permission by name, and every `…:*`.
fn permissions() -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for name in crate::support::in_process::permissions() {
        all.insert(name.to_owned());
        if let Some((resource, _)) = name.split_once(':') {
            all.insert(format!("{resource}:*"));
        }
    }
    all.into_iter().collect()
}

fn covers(granted: &str, required: &str) -> bool {
    granted == "sealwright.admin"
        || granted == required
        || granted.strip_suffix('*').is_some_and(|resource| required.starts_with(resource))
}

/// The fields that carry a caller's credential.
type Fields = Vec<(&'static str, String)>;

/// An `internal` key without limits.
fn internal_key(server: &Server, owner: &str, scopes: &[&str]) -> String {
    let body = json!({"name": "manager", "type": "internal", "scopes": scopes});
    let made = server.api("POST", "/keys", owner, Some(&body));
    assert_eq!(made.status, 201, "{}", made.text);
    text(&made.body["key"])
}

both! {
    fn each_route_lets_in_who_has_its_permission_and_nobody_else(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        let mut callers: Vec<(String, Fields)> = Vec::new();
        for permission in permissions() {
            let (_, token) = manager(&server, &owner, &[&permission]);
            callers.push((permission.clone(), vec![("authorization", format!("Bearer {token}"))]));
            let key = internal_key(&server, &owner, &[&permission]);
            // A key is taken in its own field, and as a bearer token (RFC 6750 §2.1).
            callers.push((permission.clone(), vec![("authorization", format!("Bearer {key}"))]));
            callers.push((permission, vec![("x-api-key", key)]));
        }
        // Business scopes, however wide, beside one permission that no route asks for.
        let business = ["admin", "read", "write", "delete", "clients:*", "clients:write", "sealwright:*", "sealwright"];
        let mut scopes = business.to_vec();
        scopes.push("sealwright.metrics:read");
        let token = manager(&server, &owner, &scopes).1;
        callers.push(("business scopes".to_owned(), vec![("authorization", format!("Bearer {token}"))]));
        callers.push(("business scopes".to_owned(), vec![("x-api-key", internal_key(&server, &owner, &scopes))]));
        for (granted, fields) in &callers {
            for row in rows() {
                let response = row.call_with(&server, fields.iter().map(|(name, value)| (*name, value.as_str())));
                let place = format!("{granted} at {} {}: {}", row.method, row.route, response.text);
                if covers(granted, row.permission) {
                    assert_eq!(response.status, row.let_in, "{place}");
                } else {
                    assert_eq!(response.status, 403, "{place}");
                    assert_problem(&response, 403, "permission_denied");
                    assert_eq!(
                        response.header("www-authenticate"),
                        format!(
                            "Bearer realm=\"sealwright\", error=\"insufficient_scope\", scope=\"{}\"",
                            row.permission
                        )
                    );
                    assert!(text(&response.body["detail"]).contains(row.permission), "{place}");
                }
            }
        }
    }

    fn each_route_turns_away_what_is_no_token_for_it(database) {
        let server = Server::start(database);
        let everything = server.client("sealwright.admin admin");
        let good = server.management_token(&everything);
        let resource = format!("{}/resources", server.url);
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let wrong_audience = text(&server.post_form("/api/oauth/token", &everything, &form).body["access_token"]);
        let ended_client = server.client("sealwright.admin");
        let ended = server.management_token(&ended_client);
        server.api("POST", &format!("/clients/{}/disable", ended_client.id), &good, None);
        let key = internal_key(&server, &good, &["sealwright.admin"]);
        let ended_key = server.key_with("sealwright.admin", &["--type", "internal"]);
        server.api("POST", &format!("/keys/{}/revoke", ended_key.id), &good, None);
        let revoked = ended_key.key;
        let (head, signature) = good.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        let unsigned = format!("{head}.");
        let basic = reqwest::header::HeaderValue::from_static("Basic Y2xpOnNlY3JldA==");
        for row in rows() {
            let none = row.call(&server, &[]);
            assert_problem(&none, 401, "no_credentials");
            assert_eq!(none.header("www-authenticate"), "Bearer realm=\"sealwright\"", "RFC 6750 §3.1");
            for token in [wrong_audience.as_str(), &ended, &forged, &unsigned, "x", "a.b.c", &everything.secret] {
                let response = row.call(&server, &[&format!("Bearer {token}")]);
                assert_eq!(response.status, 401, "{} {}: {token}: {}", row.method, row.route, response.text);
                assert_problem(&response, 401, "invalid_token");
                assert_eq!(response.header("www-authenticate"), "Bearer realm=\"sealwright\", error=\"invalid_token\"");
                assert!(!response.text.contains(token) || token.len() < 10, "a token is not said again");
            }
            let bearer = format!("Bearer {good}");
            let two = row.call_with(&server, [("x-api-key", &*key), ("authorization", &format!("Bearer {good}"))]);
            assert_problem(&two, 400, "malformed_credentials");
            let twice = row.call_with(&server, [("x-api-key", &*key), ("x-api-key", &*key)]);
            assert_problem(&twice, 400, "malformed_credentials");
            for wrong in [&*revoked, &key[1..], &key[..key.len() - 1], &*format!("{key} "), &*good, "x"] {
                let response = row.call_with(&server, [("x-api-key", wrong)]);
                // White space around a field's value is not a part of it (RFC 9110 §5.5).
                let expected = if wrong.trim() == key { row.let_in } else { 401 };
                assert_eq!(response.status, expected, "{} {}: {}", row.method, row.route, response.text);
            }
            for fields in [vec![basic.to_str().unwrap()], vec!["Bearer"], vec!["Bearer a b"], vec![&bearer, &bearer]] {
                let response = row.call(&server, &fields);
                assert_problem(&response, 400, "malformed_credentials");
            }
            assert_eq!(row.call(&server, &[&format!("bEARER {good}")]).status, row.let_in, "the scheme's case is free");
        }
    }

    fn a_method_that_a_route_does_not_have_is_refused_with_those_it_has(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for row in rows() {
            let allowed: Vec<&str> =
                rows().filter(|other| other.route == row.route).map(|other| other.method).collect();
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                if allowed.contains(&method) {
                    continue;
                }
                let response = server.api(method, &row.path(), &token, None);
                assert_problem(&response, 405, "method_not_allowed");
                for name in &allowed {
                    assert!(response.header("allow").contains(name), "{} {}", row.route, response.header("allow"));
                }
            }
        }
        for path in
            ["", "/", "/client", "/clients/", "/clients/x/y", "/clients//disable", "/../metrics", "/signing-keys/x"]
        {
            assert_problem(&server.api("GET", path, &token, None), 404, "not_found");
        }
    }

    fn scopes_of_a_level_never_reach_management(database) {
        let server = Server::start(database);
        // A client with business scopes only has no audience of the management API at all.
        let client = server.client("admin read write delete sealwright:*");
        let resource = format!("{}/api/v1", server.url);
        let form = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        let refused = server.post_form("/api/oauth/token", &client, &form);
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_target")));
        let asked = [("grant_type", "client_credentials"), ("scope", "sealwright.clients:read")];
        let refused = server.post_form("/api/oauth/token", &client, &asked);
        assert_eq!((refused.status, refused.body["error"].as_str()), (400, Some("invalid_scope")));
        // Even with the audience named by hand, no business scope opens a route.
        let path = format!("/clients/{}", client.id);
        let shown = server.manage("PATCH", &path, Some(&json!({"audiences": [resource]})));
        assert_eq!(texts(&shown["audiences"]), [resource]);
        let token = server.management_token(&client);
        for row in rows() {
            assert_problem(&row.call(&server, &[&format!("Bearer {token}")]), 403, "permission_denied");
        }
    }
}

/// The OpenAPI document has every route (a test of its own sees to that), with the permission that its handler's
/// signature names.
#[test]
fn every_route_of_the_management_api_has_its_row_here() {
    let document = Server::start(Database::new(Kind::Sqlite)).get("/api/openapi.json").body;
    let documented: BTreeSet<(String, String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        // Forward-auth asks for no permission: who presents a credential learns what it is good for.
        .filter(|(path, _)| path.starts_with("/api/v1/") && *path != "/api/v1/forward-auth")
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |operation| (path, operation)))
        .map(|(path, (method, operation))| {
            (method.to_uppercase(), path.clone(), text(&operation["security"][0]["bearer"][0]))
        })
        .collect();
    let known: BTreeSet<(String, String, String)> =
        rows().map(|row| (row.method.to_owned(), row.route.to_owned(), row.permission.to_owned())).collect();
    assert_eq!(documented, known);
    assert!(known.len() >= 18);
}
