//! `POST /api/oauth/token`: what a client gets (RFC 6749 §4.4, RFC 8707, RFC 9068). What it is refused: `bad_input`.

use std::collections::HashSet;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::{ENVIRONMENTS, access_token, client, grant, members, parts, published_keys, start, token, verified};
use crate::support::{Response, Server, both};

fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn claims_of(response: &Response) -> Value {
    parts(access_token(response)).1
}

both! {
    /// RFC 6749 §5.1, RFC 9068 §2, RFC 8725: in every environment, with every
    /// algorithm, the token is an RFC 9068 JWT that any library verifies against the issuer's keys.
    fn a_token_is_an_rfc_9068_jwt_of_its_issuer(database) {
        let server = Server::start(database);
        let mut expected_events = vec![];
        for (environment, prefix) in ENVIRONMENTS {
            let keys = published_keys(&server, prefix);
            for (algorithm, options) in [
                ("ES256", &[][..]),
                ("ES256", &["--signing-algorithm", "ES256"]),
                ("RS256", &["--signing-algorithm", "RS256"]),
                ("EdDSA", &["--signing-algorithm", "EdDSA"]),
            ] {
                let client = client(&server, "orders:read", &[&["--environment", environment], options].concat());
                let before = seconds_now();
                let response = grant(&server, prefix, &client, &[]);
                assert_eq!(members(&response.body), ["access_token", "expires_in", "scope", "token_type"]);
                assert_eq!(response.body["token_type"], "Bearer");
                assert_eq!(response.body["expires_in"], json!(3600), "a number");
                assert_eq!(response.body["scope"], "orders:read");
                assert_eq!(response.header("content-type"), "application/json");
                assert_eq!(response.header("cache-control"), "no-store");
                assert_eq!(response.header("pragma"), "no-cache");
                assert!(!response.headers.contains_key("access-control-allow-origin"));

                let (header, _) = parts(access_token(&response));
                assert_eq!(members(&header), ["alg", "kid", "typ"]);
                assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!(algorithm)));

                let claims = verified(access_token(&response), &keys).expect("the signature verifies");
                let issuer = format!("{}{prefix}", server.url);
                let issued_at = claims["iat"].as_i64().unwrap();
                assert!((before..=seconds_now()).contains(&issued_at));
                let jti = claims["jti"].as_str().unwrap();
                let expected = json!({
                    "iss": issuer,
                    "aud": format!("{issuer}/resources"),
                    "sub": client.id,
                    "client_id": client.id,
                    "exp": issued_at + 3600,
                    "iat": issued_at,
                    "jti": jti,
                    "scope": "orders:read",
                    "environment": environment,
                });
                assert_eq!(claims, expected, "these claims and no other");

                let request_id = response.header("x-request-id").to_owned();
                expected_events.push((
                    request_id,
                    [
                        ("action", json!("token.issue")),
                        ("outcome", json!("success")),
                        ("reason", json!("ok")),
                        ("method", json!("POST")),
                        ("address", json!("127.0.0.1")),
                        ("environment", json!(environment)),
                        ("actor", json!(client.id)),
                        ("credential", json!(client.id)),
                        ("jti", json!(jti)),
                    ],
                ));
            }
        }
        let owners = ENVIRONMENTS.map(|(environment, _)| json!(server.database.owner(environment).unwrap().id));
        let mut events = server.events(&["--action", "token.issue"]);
        events.retain(|event| !owners.contains(&event["credential"]));
        assert_eq!(events.len(), expected_events.len());
        for (request_id, expected) in expected_events {
            let event = events.iter().find(|event| event["request_id"] == request_id).unwrap();
            for (name, value) in expected {
                assert_eq!(event[name], value, "{name} of {event}");
            }
        }
    }

    /// RFC 6749 §3.3: asked for or by default, within what the client has; always echoed.
    fn the_scope_is_what_was_asked_for_or_the_clients_default(database) {
        type Row = (&'static str, &'static [&'static str], &'static [(Option<&'static str>, &'static str)]);
        let server = start(database, &[]);
        let table: [Row; 3] = [
            (
                "orders:read orders:write",
                &[],
                &[
                    (None, "orders:read orders:write"),
                    (Some("orders:read"), "orders:read"),
                    (Some("orders:write orders:read"), "orders:read orders:write"),
                    (Some("orders:read orders:read"), "orders:read"),
                ],
            ),
            (
                "read admin:*",
                &["--default-scope", "orders:read", "--default-scope", "admin:users"],
                &[
                    (None, "admin:users orders:read"),
                    (Some("invoices:read"), "invoices:read"),
                    (Some("read"), "read"),
                    (Some("admin:*"), "admin:*"),
                ],
            ),
            ("!#$%&'()*+,-./:;<=>?@[]^_`{|}~", &[], &[(None, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~")]),
        ];
        for (scopes, options, rows) in table {
            let client = client(&server, scopes, options);
            for (asked, expected) in rows {
                let form: Vec<(&str, &str)> = asked.iter().map(|scope| ("scope", *scope)).collect();
                let response = grant(&server, "", &client, &form);
                assert_eq!(response.body["scope"], *expected, "{asked:?} of {scopes}");
                assert_eq!(claims_of(&response)["scope"], *expected, "{asked:?} of {scopes}");
            }
        }
    }

    /// RFC 8707 §2, RFC 9068 §3: the first of the client's audiences, or those that were asked
    /// for.
    fn the_audience_is_what_was_asked_for_or_the_clients_first(database) {
        let server = start(database, &[("ENVIRONMENTS__STAGING__DEFAULT_AUDIENCE", "urn:staging-api")]);
        let (orders, billing) = ("https://orders.example/v1", "https://billing.example/?tenant=1");
        let named = ["--audience", orders, "--audience", billing, "--audience", "legacy"];
        let management = format!("{}/api/v1", server.url);
        let default = format!("{}/resources", server.url);
        let client = |scopes: &str, options: &[&str]| client(&server, scopes, options);
        let (several, plain) = (client("orders:read", &named), client("orders:read", &[]));
        let manager = client("sealwright.clients:read", &[]);
        let staging = client("orders:read", &["--environment", "staging"]);
        let table: [(_, _, &[(&str, &str)], _); 11] = [
            ("", &several, &[], json!(orders)),
            ("", &several, &[("resource", billing)], json!(billing)),
            ("", &several, &[("resource", billing), ("resource", orders)], json!([billing, orders])),
            ("", &several, &[("resource", orders), ("resource", orders)], json!(orders)),
            ("", &several, &[("audience", "legacy")], json!("legacy")),
            ("", &several, &[("resource", orders), ("audience", "legacy")], json!([orders, "legacy"])),
            ("", &several, &[("resource", "")], json!(orders)),
            ("", &plain, &[], json!(default)),
            ("", &plain, &[("resource", &default)], json!(default)),
            ("", &manager, &[], json!(management)),
            ("/staging", &staging, &[], json!("urn:staging-api")),
        ];
        for (prefix, client, form, expected) in table {
            assert_eq!(claims_of(&grant(&server, prefix, client, form))["aud"], expected, "{form:?}");
        }
    }

    /// The largest token that a client can get is one that every verifier here reads.
    fn the_largest_token_is_one_that_can_be_verified(database) {
        let server = Server::start(database);
        let scopes: Vec<String> = (0..28).map(|n| format!("{}{n:02}:read", "a".repeat(101))).collect();
        let audiences: Vec<String> = (0..3).map(|n| format!("https://{}{n}.example/", "a".repeat(493))).collect();
        let mut options = vec!["--signing-algorithm", "RS256"];
        options.extend(audiences.iter().flat_map(|audience| ["--audience", audience]));
        let client = client(&server, &scopes.join(" "), &options);
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(audiences.iter().map(|audience| ("resource", &**audience)));
        let response = server.post_form("/api/oauth/token", &client, &form);
        let token = response.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", response.text));
        assert!((6_500..8_192).contains(&token.len()), "{}", token.len());
        let introspected = server.post_form("/api/oauth/introspect", &client, &[("token", token)]);
        assert_eq!(introspected.body["active"], true, "{}", introspected.text);

        let everything = self::client(&server, "admin", &[]);
        let wish = (0..31).map(|n| format!("{}{n:02}:read", "a".repeat(101))).collect::<Vec<_>>().join(" ");
        let beyond = server.post_form(
            "/api/oauth/token",
            &everything,
            &[("grant_type", "client_credentials"), ("scope", &wish)],
        );
        assert_eq!((beyond.status, beyond.body["error"].as_str()), (400, Some("invalid_scope")), "{}", beyond.text);
    }

    /// Whatever is wrong with a request, its event names the client that made it.
    fn a_malformed_wish_of_a_known_client_is_stored_under_its_name(database) {
        let server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        for form in [&[("grant_type", "client_credentials"), ("scope", "a  b")][..], &[("grant_type", "password")], &[]]
        {
            let response = server.post_form("/api/oauth/token", &client, form);
            assert_eq!(response.status, 400, "{}", response.text);
            let events = server.events(&["--request-id", response.header("x-request-id")]);
            assert_eq!(events[0]["credential"], client.id, "{form:?}");
        }
        for path in ["/api/oauth/introspect", "/api/oauth/revoke"] {
            let response = server.post_form(path, &client, &[]);
            let events = server.events(&["--request-id", response.header("x-request-id")]);
            assert_eq!((response.status, events[0]["credential"].as_str()), (400, Some(&*client.id)), "{path}");
        }
    }

    /// RFC 6749 §5.1: the client's own lifetime, and never past its end.
    fn a_token_lives_as_long_as_its_client_says_and_never_outlives_it(database) {
        let server = start(database, &[]);
        let brief = grant(&server, "", &client(&server, "read", &["--token-lifetime", "5m"]), &[]);
        assert_eq!(brief.body["expires_in"], 300);
        let claims = claims_of(&brief);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);

        let last_seconds = client(&server, "read", &["--expires-in", "2s"]);
        loop {
            let response = server.token(&last_seconds);
            if response.status == 401 {
                break;
            }
            assert!(
                response.body["expires_in"].as_i64() >= Some(1),
                "no token that is dead already: {}",
                response.text
            );
            server.advance(25);
        }
        let ending = client(&server, "read", &["--expires-in", "10m"]);
        let end = server.now() / 1_000 + 600;
        let response = grant(&server, "", &ending, &[]);
        let claims = claims_of(&response);
        let (exp, iat) = (claims["exp"].as_i64().unwrap(), claims["iat"].as_i64().unwrap());
        assert!((end - 3..=end).contains(&exp), "{exp} is not the client's end, {end}");
        assert_eq!(response.body["expires_in"], exp - iat);
    }

    /// RFC 7519 §4.1.7: tokens of one moment differ.
    fn every_token_has_an_id_of_its_own(database) {
        let server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        let id = || parts(&token(&server, &client)).1["jti"].to_string();
        let ids: HashSet<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..10).map(|_| id()).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 40);
    }
}
