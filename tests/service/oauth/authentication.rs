//! How a client proves who it is at the token endpoint, and what becomes of one that does not.

use serde_json::{Value, json};

use super::{FORM, basic, client, is_active, start, token};
use crate::support::{TestClient, both};

both! {
    /// RFC 6749 §2.3.1, §3.2, Appendix B, RFC 7617: both methods, however a client's
    /// library encodes and decorates them.
    fn every_way_to_send_the_same_request_gets_a_token(database) {
        let server = start(database, &[]);
        let client = client(&server, "orders:read", &[]);
        let (id, secret) = (client.id.as_str(), client.secret.as_str());
        let escaped = |text: &str| text.replace('_', "%5F");
        let every_byte = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let plain = basic(id, secret);
        let ask = "grant_type=client_credentials";
        let by_form = format!("{ask}&client_id={id}&client_secret={secret}");
        let encoded = format!("{ask}&client_id={}&client_secret={}", every_byte(id), escaped(secret));
        let table: Vec<(&str, Option<String>, &str, String)> = vec![
            ("Basic, unencoded, as curl -u", Some(plain.clone()), FORM, ask.into()),
            ("Basic, with _ encoded", Some(basic(&escaped(id), &escaped(secret))), FORM, ask.into()),
            ("Basic, every byte encoded", Some(basic(&every_byte(id), &every_byte(secret))), FORM, ask.into()),
            ("Basic, scheme in small letters", Some(plain.replace("Basic", "basic")), FORM, ask.into()),
            ("Basic, scheme in capitals", Some(plain.replace("Basic", "BASIC")), FORM, ask.into()),
            ("Basic, and the same client_id", Some(plain.clone()), FORM, format!("{ask}&client_id={id}")),
            ("Basic, and an empty client_secret", Some(plain.clone()), FORM, format!("{ask}&client_secret=")),
            ("form", None, FORM, by_form.clone()),
            ("form, encoded", None, FORM, encoded),
            ("form, names encoded", None, FORM, by_form.replace("&client_", "&client%5f")),
            ("charset", Some(plain.clone()), "application/x-www-form-urlencoded; charset=UTF-8", ask.into()),
            ("quoted charset", Some(plain.clone()), "application/x-www-form-urlencoded;charset=\"utf-8\"", ask.into()),
            ("type in capitals", Some(plain.clone()), "APPLICATION/X-WWW-FORM-URLENCODED", ask.into()),
            ("empty scope", Some(plain.clone()), FORM, format!("{ask}&scope=")),
            ("scope without sign", Some(plain.clone()), FORM, format!("{ask}&scope")),
            ("empty resource", Some(plain.clone()), FORM, format!("{ask}&resource=&audience=")),
            ("unknown parameters, repeated", Some(plain.clone()), FORM, format!("{ask}&foo=1&foo=2&bar=%20")),
            ("stray separators", Some(plain.clone()), FORM, format!("&&{ask}&&")),
            ("an unknown query", Some(plain), FORM, ask.into()),
        ];
        for (name, authorization, content_type, body) in table {
            let query = if name == "an unknown query" { "?trace=1" } else { "" };
            let request = server.http.post(format!("{}/api/oauth/token{query}", server.url));
            let request = request.header("content-type", content_type).body(body);
            let response = server.send(match authorization {
                Some(value) => request.header("authorization", value),
                None => request,
            });
            assert_eq!(response.status, 200, "{name}: {}", response.text);
            assert_eq!(response.body["scope"], "orders:read", "{name}");
        }
    }

    /// While one secret is being replaced, both are accepted; once it is replaced, it is not.
    fn two_secrets_are_accepted_while_one_is_being_replaced(database) {
        let server = start(database, &[]);
        let old = client(&server, "orders:read", &[]);
        let rotate = |grace: Option<&Value>| {
            let made = server.manage("POST", &format!("/clients/{}/rotate-secret", old.id), grace);
            TestClient { id: old.id.clone(), secret: made["client_secret"].as_str().unwrap().to_owned() }
        };
        let new = rotate(Some(&json!({"grace": "1h"})));
        assert_eq!((server.token(&old).status, server.token(&new).status), (200, 200));
        let newest = rotate(None);
        let statuses = [&old, &new, &newest].map(|client| server.token(client).status);
        assert_eq!(statuses, [401, 401, 200]);
    }

    /// A client with a list of addresses is accepted from them.
    fn a_client_may_be_tied_to_addresses(database) {
        let server = start(database, &[]);
        let here = client(&server, "orders:read", &["--allow-ip", "127.0.0.0/8"]);
        assert!(is_active(&server, &here, &token(&server, &here)));
    }

    /// RFC 6749 §2.3.1, RFC 7662 §4: failures are limited at every endpoint that takes
    /// a secret; the right secret passes all the while, so that nobody can lock a client out.
    fn failed_authentications_are_limited_and_lock_nobody_out(database) {
        let server = start(database, &[("GUESS_LIMIT_PER_MINUTE", "5")]);
        let client = client(&server, "orders:read", &[]);
        let guess = TestClient { secret: "guess".into(), ..client.clone() };
        for _ in 0..5 {
            assert_eq!(server.token(&guess).status, 401);
        }
        let ask = [("grant_type", "client_credentials"), ("token", "x")];
        let unknown = TestClient { id: "cli_unknown".into(), ..client.clone() };
        for (path, guess) in [
            ("/api/oauth/token", &guess),
            ("/api/oauth/introspect", &guess),
            ("/api/oauth/revoke", &guess),
            ("/api/oauth/token", &unknown),
            ("/staging/api/oauth/token", &client),
        ] {
            let limited = server.post_form(path, guess, &ask);
            assert_eq!(limited.status, 429, "{path}");
            assert_eq!(limited.body["error"], "temporarily_unavailable", "{path}");
            let wait: u32 = limited.header("retry-after").parse().unwrap();
            assert!((1..=12).contains(&wait), "one of five a minute comes back in twelve seconds, not {wait}");
            assert_eq!((limited.header("cache-control"), limited.header("pragma")), ("no-store", "no-cache"));
            assert_eq!(server.token(&client).status, 200, "the right secret is never refused for failures");
        }
        let reasons = server.events(&["--outcome", "refused"]);
        let limited: Vec<&Value> = reasons.iter().filter(|event| event["status"] == 429).collect();
        assert_eq!(limited.len(), 5);
        assert!(limited.iter().any(|event| event["reason"] == "wrong_secret"), "the event has the true reason");
    }
}
