//! Authorization server metadata (RFC 8414).

use serde_json::{Value, json};

use super::{ENVIRONMENTS, access_token, client, grant, members, parts, start};
use crate::support::both;

/// Where the document of the issuer at `prefix` is: the well-known part before the issuer's path (RFC 8414 §3.1)
/// and after it (`OpenID` Connect Discovery §4).
fn places(prefix: &str) -> Vec<String> {
    let mut places: Vec<String> = ["oauth-authorization-server", "openid-configuration"]
        .iter()
        .flat_map(|name| [format!("/.well-known/{name}{prefix}"), format!("{prefix}/.well-known/{name}")])
        .collect();
    places.dedup();
    places
}

both! {
    /// RFC 8414 §2, §3.1, §3.3: the same document in both spellings, naming exactly what answers.
    fn every_issuer_has_the_same_document_in_both_spellings_and_names_only_what_exists(database) {
        let server = start(database, &[]);
        for (environment, prefix) in ENVIRONMENTS {
            let issuer = format!("{}{prefix}", server.url);
            let methods = json!(["client_secret_basic", "client_secret_post"]);
            let expected = json!({
                "issuer": issuer,
                "token_endpoint": format!("{issuer}/api/oauth/token"),
                "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
                "introspection_endpoint": format!("{issuer}/api/oauth/introspect"),
                "revocation_endpoint": format!("{issuer}/api/oauth/revoke"),
                "response_types_supported": [],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": methods,
                "introspection_endpoint_auth_methods_supported": methods,
                "revocation_endpoint_auth_methods_supported": methods,
            });
            for place in places(prefix) {
                let response = server.get(&place);
                assert_eq!((response.status, &response.body), (200, &expected), "{place}");
                assert_eq!(response.header("content-type"), "application/json", "{place}");
                assert!(response.header("cache-control").starts_with("public"), "{place}");
            }

            // What it names answers, below the very same address; each endpoint takes each method that it names.
            let client = client(&server, "orders:read", &["--environment", environment]);
            let keys = server.send(server.http.get(expected["jwks_uri"].as_str().unwrap()));
            assert_eq!(members(&keys.body), ["keys"]);
            for name in ["token_endpoint", "introspection_endpoint", "revocation_endpoint"] {
                let endpoint = expected[name].as_str().unwrap();
                let asked = [("grant_type", "client_credentials"), ("token", "x")];
                let by_form = [("client_id", &*client.id), ("client_secret", &*client.secret)];
                let by_basic = server.http.post(endpoint).basic_auth(&client.id, Some(&client.secret)).form(&asked);
                let by_post = server.http.post(endpoint).form(&[&asked[..], &by_form].concat());
                assert_eq!(server.send(by_basic).status, 200, "{endpoint}");
                assert_eq!(server.send(by_post).status, 200, "{endpoint}");
            }

            // RFC 8414 §3.3, RFC 9068 §4: `iss` is the issuer byte for byte.
            let (_, claims) = parts(access_token(&grant(&server, prefix, &client, &[])));
            assert_eq!(claims["iss"], expected["issuer"]);
        }
    }

    /// RFC 8414 §3.1: a slash at the end of the configured address is no part of the issuer.
    fn the_issuer_has_no_slash_at_its_end_even_where_the_setting_has_one(database) {
        let server = start(database, &[("PUBLIC_URL", "https://auth.example/")]);
        let client = client(&server, "orders:read", &["--environment", "staging"]);
        let document = server.get("/.well-known/oauth-authorization-server/staging");
        let (_, claims) = parts(access_token(&grant(&server, "/staging", &client, &[])));
        assert_eq!(document.body["issuer"], "https://auth.example/staging");
        assert_eq!(claims["iss"], "https://auth.example/staging");
        assert_eq!(claims["aud"], "https://auth.example/staging/resources");
    }

    /// RFC 8414 §3.2: there is no document for an issuer that does not exist.
    fn other_issuers_have_no_document(database) {
        let server = start(database, &[]);
        for path in [
            "/.well-known/oauth-authorization-server/production",
            "/.well-known/oauth-authorization-server/test",
            "/.well-known/oauth-authorization-server/staging/",
            "/test/.well-known/oauth-authorization-server",
            "/production/.well-known/jwks.json",
        ] {
            let response = server.get(path);
            assert_eq!(response.status, 404, "{path}");
            assert_eq!(response.header("content-type"), "application/problem+json", "{path}");
            assert_ne!(response.body, Value::Null, "{path}");
        }
    }
}
