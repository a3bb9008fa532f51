//! The public keys (RFC 7517), as resource servers fetch and keep them.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{ENVIRONMENTS, access_token, base64url, client, grant, members, parts, published_keys, start, verified};
use crate::support::{Server, both};

/// The members of a public key of each algorithm: RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2, with RFC 7517 §4.
const SHAPES: [(&str, &[&str]); 3] = [
    ("ES256", &["alg", "crv", "kid", "kty", "use", "x", "y"]),
    ("EdDSA", &["alg", "crv", "kid", "kty", "use", "x"]),
    ("RS256", &["alg", "e", "kid", "kty", "n", "use"]),
];

/// RFC 7638 §3: SHA-256 over the required members in order, without white space.
fn thumbprint(key: &Value) -> String {
    let required: &[&str] = match key["kty"].as_str().unwrap() {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => &["e", "kty", "n"],
    };
    let members: Vec<String> = required.iter().map(|name| format!("\"{name}\":{}", key[*name])).collect();
    let json = format!("{{{}}}", members.join(","));
    base64url(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, json.as_bytes()))
}

both! {
    /// RFC 7517 §4, §5, RFC 7518 §6, RFC 8725 §3.1: one key of each algorithm in each
    /// environment, named by its thumbprint, all different, without a private member.
    fn each_environment_publishes_its_own_public_keys_of_every_algorithm_and_nothing_private(database) {
        let server = Server::start(database);
        let mut seen = HashSet::new();
        for (environment, prefix) in ENVIRONMENTS {
            let keys = published_keys(&server, prefix);
            let mut algorithms: Vec<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
            algorithms.sort_unstable();
            assert_eq!(algorithms, SHAPES.map(|(algorithm, _)| algorithm), "{environment}");
            for key in &keys {
                let (_, shape) = SHAPES.into_iter().find(|(name, _)| key["alg"] == *name).unwrap();
                assert_eq!(members(key), shape, "{environment}");
                assert_eq!(key["use"], "sig");
                assert_eq!(key["kid"], thumbprint(key), "{key}");
                assert!(seen.insert(key["kid"].as_str().unwrap().to_owned()), "{key} stands twice");
                if key["kty"] == "RSA" {
                    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
                    assert!(modulus.len() >= 256 && modulus[0] >= 0x80, "at least 2048 bits");
                    assert_eq!(key["e"], "AQAB");
                }
            }
        }
    }

    /// RFC 9111 §5.2, RFC 9110 §8.8.3 and §13.1.2, RFC 5861.
    fn the_answer_can_be_cached_and_asked_for_again_by_its_etag(database) {
        let server = start(database, &[]);
        let first = server.get("/.well-known/jwks.json");
        assert_eq!(first.status, 200);
        assert_eq!(first.header("content-type"), "application/jwk-set+json");
        let cache_control = "public, max-age=300, stale-while-revalidate=60, stale-if-error=3600";
        assert_eq!(first.header("cache-control"), cache_control);
        assert!(!first.headers.contains_key("set-cookie"));
        let etag = first.header("etag");
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10, "{etag}");

        let ask = |tags: &str| {
            let request = server.http.get(format!("{}/.well-known/jwks.json", server.url));
            server.send(request.header("if-none-match", tags))
        };
        for tags in [etag.to_owned(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let known = ask(&tags);
            assert_eq!((known.status, &*known.text), (304, ""), "{tags}");
            assert_eq!((known.header("etag"), known.header("cache-control")), (etag, cache_control), "{tags}");
        }
        for tags in ["\"other\"", "", "garbage", &etag[..etag.len() - 1]] {
            assert_eq!(ask(tags).text, first.text, "{tags}");
        }

        let head = server.send(server.http.head(format!("{}/.well-known/jwks.json", server.url)));
        assert_eq!((head.status, &*head.text, head.header("etag")), (200, "", etag));
        let staging = server.get("/staging/.well-known/jwks.json");
        assert_ne!(staging.header("etag"), etag);
    }

    /// RFC 9111 §5.2.2.1: no verifier may keep a response for longer than a new key is published before it signs.
    fn the_answer_is_never_kept_longer_than_the_lead_of_a_new_key(database) {
        let server = start(database, &[("SIGNING_KEY_LEAD", "2m")]);
        let response = server.get("/.well-known/jwks.json");
        let seconds = |name: &str| -> u32 {
            let mut directives = response.header("cache-control").split(", ").filter_map(|text| text.split_once('='));
            directives.find(|(key, _)| *key == name).unwrap().1.parse().unwrap()
        };
        assert!(seconds("max-age") > 60, "as long as it may be");
        for beyond in ["stale-while-revalidate", "stale-if-error"] {
            assert!(seconds("max-age") + seconds(beyond) <= 120, "{beyond}");
        }
    }

    /// RFC 9068 §4: a token verifies against its own issuer's keys, and against no other's.
    fn a_token_of_one_environment_does_not_verify_against_the_keys_of_another(database) {
        let server = start(database, &[]);
        for (environment, prefix) in ENVIRONMENTS {
            let client = client(&server, "orders:read", &["--environment", environment]);
            let response = grant(&server, prefix, &client, &[]);
            let token = access_token(&response);
            for (other, other_prefix) in ENVIRONMENTS {
                let found = verified(token, &published_keys(&server, other_prefix));
                assert_eq!(found.is_some(), environment == other, "a token of {environment} with the keys of {other}");
            }
            // Nor does it with the foreign keys under its own kid.
            let (header, _) = parts(token);
            for (_, other_prefix) in ENVIRONMENTS.iter().filter(|(other, _)| *other != environment) {
                let mut keys = published_keys(&server, other_prefix);
                for key in &mut keys {
                    key["kid"] = header["kid"].clone();
                }
                keys.retain(|key| key["alg"] == header["alg"]);
                assert_eq!(verified(token, &keys), None);
            }
        }
    }

    /// Verifiers depend on the keys; they are answered while the database is not.
    fn the_keys_are_answered_while_the_database_is_not(database) {
        let server = start(database, &[]);
        let before = server.get("/.well-known/jwks.json").text;
        server.database.execute("ALTER TABLE signing_keys RENAME TO signing_keys_away");
        let during = server.get("/.well-known/jwks.json");
        assert_eq!((during.status, during.text), (200, before));
    }
}
