//! Authorization server metadata (RFC 8414).

use std::time::Duration;

use serde_json::{Value, json};

use super::{ENVIRONMENTS, access_token, client, grant, members, parts, published_keys, start};
use crate::support::{both, eventually};

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
                "response_types_supported": ["none"],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": methods,
                "introspection_endpoint_auth_methods_supported": methods,
                "revocation_endpoint_auth_methods_supported": methods,
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256", "RS256", "EdDSA"],
            });
            for place in places(prefix) {
                let response = server.get(&place);
                assert_eq!((response.status, &response.body), (200, &expected), "{place}");
                assert_eq!(response.header("content-type"), "application/json", "{place}");
                assert!(response.header("cache-control").starts_with("public"), "{place}");
                assert_eq!(response.header("access-control-allow-origin"), "*", "{place}");
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

    /// RFC 8414 §3.1: the well-known part is between the host and the path of the issuer. A proxy that removes the path
    /// from what it passes on leaves it there; the other spelling has lost it.
    fn an_address_with_a_path_has_its_metadata_before_the_path(database) {
        let server = start(database, &[("PUBLIC_URL", "https://example.com/auth/v1")]);
        for (_, prefix) in ENVIRONMENTS {
            for name in ["oauth-authorization-server", "openid-configuration"] {
                for place in
                    [format!("/.well-known/{name}/auth/v1{prefix}"), format!("{prefix}/.well-known/{name}")]
                {
                    let response = server.get(&place);
                    assert_eq!(response.status, 200, "{place}");
                    assert_eq!(response.body["issuer"], format!("https://example.com/auth/v1{prefix}"), "{place}");
                    assert_eq!(response.header("access-control-allow-origin"), "*", "{place}");
                    let keys = format!("https://example.com/auth/v1{prefix}/.well-known/jwks.json");
                    assert_eq!(response.body["jwks_uri"], keys, "{place}");
                }
            }
        }
        for path in ["/auth", "/auth/v1/test", "/auth/v1/staging/", "/auth/v1/"] {
            let response = server.get(&format!("/.well-known/oauth-authorization-server{path}"));
            assert_eq!(response.status, 404, "{path}");
        }
    }

    /// A path that is called like an environment belongs to the issuer that has it.
    fn a_path_that_is_called_like_an_environment_is_production_s(database) {
        let server = start(database, &[("PUBLIC_URL", "https://example.com/staging")]);
        for (path, issuer) in [("/staging", "/staging"), ("/staging/staging", "/staging/staging")] {
            let response = server.get(&format!("/.well-known/oauth-authorization-server{path}"));
            assert_eq!(response.body["issuer"], format!("https://example.com{issuer}"), "{path}");
        }
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

    /// What clients that were not written here demand of the document that OpenID Connect Discovery names: Spring
    /// (`ClientRegistrations`) and Nimbus (`OIDCProviderMetadata.parse`) `subject_types_supported`, Nimbus also
    /// `id_token_signing_alg_values_supported`, of which go-oidc's verifier takes the algorithms that it accepts.
    fn clients_for_openid_connect_find_what_they_demand(database) {
        let server = start(database, &[("SIGNING_ALGORITHMS", "[\"ES256\", \"EdDSA\"]")]);
        for (_, prefix) in ENVIRONMENTS {
            let document = server.get(&format!("{prefix}/.well-known/openid-configuration")).body;
            let strings = |name: &str| -> Vec<&str> {
                let list = document[name].as_array().unwrap_or_else(|| panic!("no {name}"));
                list.iter().map(|value| value.as_str().unwrap()).collect()
            };
            assert_eq!(strings("subject_types_supported"), ["public"]);
            assert_eq!(strings("id_token_signing_alg_values_supported"), ["ES256", "EdDSA"]);
            assert_eq!(strings("response_types_supported"), ["none"]);
            // Each algorithm that is named has a key.
            let keys = published_keys(&server, prefix);
            for algorithm in strings("id_token_signing_alg_values_supported") {
                assert!(keys.iter().any(|key| key["alg"] == algorithm), "{algorithm}");
            }
            // RFC 8414 §3.2: no member is an empty list.
            for (name, value) in document.as_object().unwrap() {
                assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{name}");
            }
        }
    }

    /// RFC 8414 §2: the scopes that the registry describes, by name and in order; no descriptions.
    fn registered_scopes_are_published_in_every_process(database) {
        let server = start(database, &[]);
        let token = server.owner();
        let scopes = || server.get("/.well-known/oauth-authorization-server").body["scopes_supported"].clone();
        assert_eq!(scopes(), Value::Null, "absent, not empty");
        for name in ["orders:write", "invoices:read"] {
            let body = json!({"name": name, "description": "Not for everybody."});
            assert_eq!(server.api("POST", "/scopes", &token, Some(&body)).status, 201);
        }
        server.client("unheard:of");
        assert_eq!(scopes(), json!(["invoices:read", "orders:write"]), "at once");
        for (_, prefix) in ENVIRONMENTS {
            let document = server.get(&format!("{prefix}/.well-known/openid-configuration"));
            assert_eq!(document.body["scopes_supported"], json!(["invoices:read", "orders:write"]));
            assert!(!document.text.contains("Not for"), "{}", document.text);
        }
        assert_eq!(server.api("DELETE", "/scopes/orders:write", &token, None).status, 204);
        assert_eq!(scopes(), json!(["invoices:read"]), "at once");
        // The command line is another process.
        server.cli(&["scope", "create", "parcels:read"]);
        let expected = json!(["invoices:read", "parcels:read"]);
        eventually("it follows the command line", Duration::from_secs(10), || scopes() == expected);
        // Metadata is served also while the database is not.
        server.database.execute("ALTER TABLE scopes RENAME TO scopes_away");
        assert_eq!(scopes(), expected);
    }

    /// Public documents may be read by any page's scripts. Nothing else may.
    fn only_keys_and_metadata_allow_any_origin(database) {
        let server = start(database, &[]);
        let ask = |method: &str, path: &str| {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let request = server.http.request(method, format!("{}{path}", server.url));
            server.send(request.header("Origin", "https://elsewhere.example"))
        };
        let public = |path: &str| {
            path.ends_with("/.well-known/jwks.json")
                || path.contains("/.well-known/oauth-authorization-server")
                || path.contains("/.well-known/openid-configuration")
        };
        let document = server.get("/api/openapi.json").body;
        let mut seen = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            let path = path.replace("{environment}", "staging").replace("{id}", "x").replace("{name}", "x");
            let methods = ["get", "post", "patch", "delete"].into_iter().filter(|name| !operations[name].is_null());
            for method in methods.map(str::to_uppercase) {
                let response = ask(&method, &path);
                let allowed = response.header("access-control-allow-origin");
                assert_eq!(allowed, if public(&path) { "*" } else { "" }, "{method} {path}");
                assert!(!response.headers.contains_key("access-control-allow-credentials"), "{method} {path}");
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen}");
        for path in ["/api/openapi.json", "/docs", "/nothing", "/.well-known/nothing"] {
            assert_eq!(ask("GET", path).header("access-control-allow-origin"), "", "{path}");
        }
        // Where nothing changed, too, and without a body.
        assert_eq!(ask("HEAD", "/.well-known/jwks.json").header("access-control-allow-origin"), "*");
        let etag = server.get("/.well-known/jwks.json").header("etag").to_owned();
        let request = server.http.get(format!("{}/.well-known/jwks.json", server.url)).header("If-None-Match", etag);
        let same = server.send(request);
        assert_eq!((same.status, same.header("access-control-allow-origin")), (304, "*"));
    }
}
