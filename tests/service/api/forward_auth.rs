//! `GET /api/v1/forward-auth`.

use serde_json::{Value, json};

use super::{assert_invalid, assert_problem, events_of, owner, text};
use crate::support::{Response, Server, TestClient, both};

const IDENTITY: [&str; 6] =
    ["x-auth-subject", "x-auth-credential", "x-auth-type", "x-auth-scopes", "x-auth-customer", "x-auth-environment"];

/// Asks with these header fields.
pub fn ask(server: &Server, query: &str, fields: &[(&str, &str)]) -> Response {
    let mut request = server.http.get(format!("{}/api/v1/forward-auth{query}", server.url));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    server.send(request)
}

fn identity(response: &Response) -> Vec<&str> {
    assert_eq!(response.status, 200, "{}", response.text);
    IDENTITY
        .iter()
        .map(|name| {
            assert!(response.headers.contains_key(*name), "{name} is missing");
            response.header(name)
        })
        .collect()
}

fn token_of(server: &Server, client: &TestClient, form: &[(&str, &str)]) -> String {
    let form = [&[("grant_type", "client_credentials")], form].concat();
    let response = server.post_form("/api/oauth/token", client, &form);
    text(&response.body["access_token"])
}

both! {
    fn all_six_identity_fields_are_always_there(database) {
        let server = Server::start(database);
        server.manage("POST", "/customers", Some(&json!({"external_id": "acme", "name": "Acme"})));
        server.manage("POST", "/roles", Some(&json!({"name": "buyer", "scopes": ["orders:read"]})));
        let user = server.manage("POST", "/users", Some(&json!({"email": "a@b.c", "role": "buyer"})));
        let user = text(&user["id"]);
        let plain = server.key("orders:read");
        let bound = server.key_with("read", &["--owner", "a@b.c", "--customer", "acme"]);
        let client = server.client_with("orders:read orders:write", &["--customer", "acme"]);
        let token = token_of(&server, &client, &[("scope", "orders:write")]);
        let bearer = format!("Bearer {token}");
        let as_bearer = format!("bearer {}", plain.key);
        assert_eq!(
            identity(&ask(&server, "", &[("x-api-key", &plain.key)])),
            [&plain.id, &plain.id, "api_key", "orders:read", "", "production"]
        );
        assert_eq!(identity(&ask(&server, "", &[("authorization", &as_bearer)]))[1], plain.id);
        assert_eq!(
            identity(&ask(&server, "?scope=orders:read&customer=acme", &[("x-api-key", &bound.key)])),
            [&user, &bound.id, "api_key", "orders:read", "acme", "production"]
        );
        let response = ask(&server, "?scope=orders:write", &[("authorization", &bearer)]);
        assert_eq!(identity(&response), [&client.id, &client.id, "token", "orders:write", "acme", "production"]);
        assert_eq!((response.header("cache-control"), response.text.as_str()), ("no-store", ""));
        let staging = server.key_with("orders:read", &["--environment", "staging"]);
        let response = ask(&server, "?environment=staging&scope=orders:read", &[("x-api-key", &staging.key)]);
        assert_eq!(identity(&response)[5], "staging");
    }

    fn each_refusal_has_its_status_its_challenge_and_its_event(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        for name in ["acme", "other"] {
            server.manage("POST", "/customers", Some(&json!({"external_id": name, "name": name})));
        }
        let key = server.key("orders:read");
        let (revoked, disabled, replaced) =
            (server.key("orders:read"), server.key("orders:read"), server.key("orders:read"));
        for (key, verb) in [(&revoked, "revoke"), (&disabled, "disable"), (&replaced, "rotate")] {
            assert_eq!(server.api("POST", &format!("/keys/{}/{verb}", key.id), &owner, None).status, 200);
        }
        let expired = server.key_with("orders:read", &["--expires-in", "1s"]);
        let staging = server.key_with("orders:read", &["--environment", "staging"]);
        let elsewhere = server.key_with("orders:read", &["--allow-ip", "192.0.2.0/24"]);
        let others = server.key_with("orders:read", &["--customer", "other"]);
        let limited = server.key_with("orders:read", &["--rate-per-minute", "1"]);
        assert_eq!(ask(&server, "", &[("x-api-key", &limited.key)]).status, 200);
        server.advance(1_050);

        let client = server
            .client_with("orders:read sealwright.keys:verify", &["--audience", "https://a.example", "--audience", "b"]);
        let (good, for_b) = (token_of(&server, &client, &[]), token_of(&server, &client, &[("audience", "b")]));
        let management = server.management_token(&client);
        let staging_client = server.client_with("orders:read", &["--environment", "staging"]);
        let form = [("grant_type", "client_credentials")];
        let staging_token =
            text(&server.post_form("/staging/api/oauth/token", &staging_client, &form).body["access_token"]);
        let ended = token_of(&server, &client, &[]);
        assert_eq!(server.post_form("/api/oauth/revoke", &client, &[("token", &ended)]).status, 200);
        let stopped = server.client("orders:read");
        let of_stopped = token_of(&server, &stopped, &[]);
        assert_eq!(ask(&server, "", &[("authorization", &format!("Bearer {of_stopped}"))]).status, 200);
        assert_eq!(server.api("POST", &format!("/clients/{}/disable", stopped.id), &owner, None).status, 200);
        let (head, signature) = good.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        let tied = server.client_with("orders:read", &["--customer", "other"]);
        let of_tied = token_of(&server, &tied, &[]);

        let api_key = |key: &str| vec![("x-api-key", key.to_owned())];
        let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
        let invalid = "Bearer realm=\"sealwright\", error=\"invalid_token\"";
        let malformed = "Bearer realm=\"sealwright\", error=\"invalid_request\"";
        let lacks = "Bearer realm=\"sealwright\", error=\"insufficient_scope\", scope=\"orders:write\"";
        let both_fields = [api_key(&key.key), bearer(&good)].concat();
        for (query, fields, status, challenge, reason) in [
            ("", vec![], 401, "Bearer realm=\"sealwright\"", "no_credentials"),
            ("", api_key("x"), 401, invalid, "malformed_credential"),
            ("", api_key(""), 401, invalid, "malformed_credential"),
            ("", api_key(&good), 401, invalid, "malformed_credential"),
            ("", api_key(&key.key.replace("_live_", "_dev_")), 401, invalid, "unknown_key"),
            ("", api_key(&revoked.key), 401, invalid, "key_revoked"),
            ("", api_key(&disabled.key), 401, invalid, "key_disabled"),
            ("", api_key(&replaced.key), 401, invalid, "key_replaced"),
            ("", api_key(&expired.key), 401, invalid, "key_expired"),
            ("", api_key(&staging.key), 401, invalid, "wrong_environment"),
            ("?environment=staging", api_key(&key.key), 401, invalid, "wrong_environment"),
            ("", both_fields, 401, malformed, "two_credentials"),
            ("", [api_key(&key.key), api_key(&key.key)].concat(), 401, malformed, "two_credentials"),
            ("", [bearer(&good), bearer(&good)].concat(), 401, malformed, "two_credentials"),
            ("", vec![("authorization", "Basic YTpi".to_owned())], 401, malformed, "malformed_authorization"),
            ("", vec![("authorization", "Bearer".to_owned())], 401, malformed, "malformed_authorization"),
            ("", bearer("a b"), 401, malformed, "malformed_authorization"),
            ("", bearer("x"), 401, invalid, "malformed_credential"),
            ("", bearer("a.b.c"), 401, invalid, "malformed_token"),
            ("", bearer(&forged), 401, invalid, "bad_signature"),
            ("", bearer(&staging_token), 401, invalid, "wrong_environment"),
            ("", bearer(&ended), 401, invalid, "token_revoked"),
            ("", bearer(&of_stopped), 401, invalid, "client_not_active"),
            ("", api_key(&elsewhere.key), 403, "", "address_not_allowed"),
            ("?customer=acme", api_key(&others.key), 403, "", "wrong_customer"),
            ("?customer=acme", bearer(&of_tied), 403, "", "wrong_customer"),
            ("", bearer(&management), 403, "", "wrong_audience"),
            ("?audience=https://a.example", bearer(&for_b), 403, "", "wrong_audience"),
            ("?scope=orders:write", api_key(&key.key), 403, lacks, "insufficient_scope"),
            ("?scope=orders:write", bearer(&good), 403, lacks, "insufficient_scope"),
            ("", api_key(&limited.key), 429, "", "rate_limited"),
        ] {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let response = ask(&server, query, &fields);
            assert_eq!(response.status, status, "{query} {fields:?}: {}", response.text);
            assert_eq!(response.header("www-authenticate"), challenge, "{reason}");
            assert_eq!(response.header("content-type"), "application/problem+json");
            assert!(IDENTITY.iter().all(|name| !response.headers.contains_key(*name)), "{reason}");
            let events = server.events(&["--request-id", response.header("x-request-id")]);
            assert_eq!(events.len(), 1, "{reason}: {events:?}");
            assert_eq!((&events[0]["action"], &events[0]["reason"]), (&json!("forward_auth"), &json!(reason)));
            assert_eq!(events[0]["outcome"], "refused");
            if status == 429 {
                assert!((1..=60).contains(&response.header("retry-after").parse().unwrap()), "{:?}", response.headers);
                assert!(response.header("ratelimit").starts_with("\"minute\";r=0;t="), "{:?}", response.headers);
                assert_eq!(response.header("ratelimit-policy"), "\"minute\";q=1;w=60");
                assert_eq!(response.body["violated-policies"], json!(["minute"]));
            }
        }
        for (query, field) in [
            ("?scope=", "scope"),
            ("?environment=", "environment"),
            ("?environment=prod", "environment"),
            ("?scope=a&scope=b", "scope"),
            ("?scope=a%20%20b", "scope"),
            ("?scopes=a", "scopes"),
            ("?audience=", "audience"),
        ] {
            let response = ask(&server, query, &[("x-api-key", &key.key)]);
            assert_invalid(&response, &[field]);
            assert_eq!(server.events(&["--request-id", response.header("x-request-id")]).len(), 1, "{query}");
        }
        assert_eq!(ask(&server, "?audience=b", &[("authorization", &format!("Bearer {for_b}"))]).status, 200);
        assert_eq!(
            ask(
                &server,
                &format!("?audience={}/api/v1", server.url),
                &[("authorization", &format!("Bearer {management}"))]
            )
            .status,
            200
        );
    }

    fn what_a_proxy_says_is_believed_of_trusted_ones_only(database) {
        let trusting = [("TRUSTED_PROXIES", r#"["127.0.0.1/32", "10.0.0.0/8"]"#)];
        let server = Server::start_with(database, &trusting);
        let key = server.key_with("orders:read", &["--allow-ip", "203.0.113.7"]);
        let sent = |fields: &[(&str, &str)]| ask(&server, "", &[&[("x-api-key", key.key.as_str())], fields].concat());
        for (fields, status) in [
            (vec![("x-forwarded-for", "203.0.113.7")], 200),
            // Only the field that the setting names counts.
            (vec![("x-real-ip", "203.0.113.7")], 403),
            (vec![("x-forwarded-for", "203.0.113.7, 10.0.0.5")], 200),
            (vec![("x-forwarded-for", "203.0.113.7, 198.51.100.1")], 403),
            (vec![("x-forwarded-for", "198.51.100.1"), ("x-real-ip", "203.0.113.7")], 403),
            (vec![("x_forwarded_for", "203.0.113.7")], 403),
            (vec![], 403),
            // How the caller came to the gateway is the gateway's business.
            (vec![("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "http")], 200),
        ] {
            assert_eq!(sent(&fields).status, status, "{fields:?}");
        }
        let described = sent(&[
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-method", "DELETE"),
            ("x-forwarded-uri", "/orders/7?secret=1"),
            ("x-request-id", "gw-1"),
        ]);
        let event = &server.events(&["--request-id", described.header("x-request-id")])[0];
        for (member, value) in [
            ("method", "DELETE"),
            ("path", "/orders/7"),
            ("address", "203.0.113.7"),
            ("gateway_request_id", "gw-1"),
            ("actor", &key.id),
            ("credential", &key.id),
            ("outcome", "success"),
        ] {
            assert_eq!(event[member], value, "{event}");
        }
        // What is there twice, or cannot be read, is not taken over, and the other name does not take its place.
        for unreadable in [&["/a", "/b"][..], &["/\u{e4}"]] {
            let uris = unreadable.iter().map(|uri| ("x-forwarded-uri", *uri));
            let others = [("x-forwarded-for", "203.0.113.7"), ("x-original-uri", "/c")];
            let fields: Vec<_> = others.into_iter().chain(uris).collect();
            let event = &server.events(&["--request-id", sent(&fields).header("x-request-id")])[0];
            assert_eq!(event["path"], "/api/v1/forward-auth", "{unreadable:?}");
        }
        let as_nginx_says =
            sent(&[("x-forwarded-for", "203.0.113.7"), ("x-original-method", "PUT"), ("x-original-uri", "/a")]);
        let event = &server.events(&["--request-id", as_nginx_says.header("x-request-id")])[0];
        assert_eq!((&event["method"], &event["path"]), (&json!("PUT"), &json!("/a")));
    }

    fn what_an_untrusted_peer_says_of_itself_is_not_believed(database) {
        let server = Server::start(database);
        let key = server.key_with("orders:read", &["--allow-ip", "203.0.113.7"]);
        let fields = [
            ("x-api-key", key.key.as_str()),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-real-ip", "203.0.113.7"),
            ("x-forwarded-method", "DELETE"),
            ("x-forwarded-uri", "/orders"),
            ("x-request-id", "gw-1"),
        ];
        let response = ask(&server, "", &fields);
        assert_problem(&response, 403, "forbidden");
        let event = &server.events(&["--request-id", response.header("x-request-id")])[0];
        for (member, value) in [
            ("method", json!("GET")),
            ("path", json!("/api/v1/forward-auth")),
            ("address", json!("127.0.0.1")),
            ("gateway_request_id", Value::Null),
        ] {
            assert_eq!(event[member], value, "{event}");
        }
    }

    fn tokens_and_clients_that_are_ended_pass_no_more(database) {
        let server = Server::start(database);
        let owner = owner(&server);
        server.manage("POST", "/roles", Some(&json!({"name": "buyer", "scopes": ["orders:*"]})));
        let user = server.api("POST", "/users", &owner, Some(&json!({"email": "a@b.c", "role": "buyer"}))).body;
        let client = server.client_with("orders:read orders:write", &["--owner", "a@b.c"]);
        let pass = |token: &str, query: &str| ask(&server, query, &[("authorization", &format!("Bearer {token}"))]);
        let token = token_of(&server, &client, &[]);
        assert_eq!(identity(&pass(&token, "?scope=orders:write"))[0], text(&user["id"]));
        let role = json!({"scopes": ["orders:read"]});
        assert_eq!(server.api("PATCH", "/roles/buyer", &owner, Some(&role)).status, 200);
        assert_eq!(identity(&pass(&token, "?scope=orders:read"))[3], "orders:read");
        assert_problem(&pass(&token, "?scope=orders:write"), 403, "insufficient_scope");
        assert_eq!(server.api("POST", &format!("/users/{}/disable", text(&user["id"])), &owner, None).status, 200);
        assert_problem(&pass(&token, ""), 401, "invalid_token");
        assert_eq!(server.api("POST", &format!("/users/{}/enable", text(&user["id"])), &owner, None).status, 200);
        assert_eq!(pass(&token, "").status, 200);
        assert_eq!(server.api("POST", &format!("/clients/{}/revoke-tokens", client.id), &owner, None).status, 200);
        assert_problem(&pass(&token, ""), 401, "invalid_token");
        let event = &events_of(&server, &owner, &pass(&token, ""))[0];
        assert_eq!(event["reason"], "token_revoked");
    }
}
