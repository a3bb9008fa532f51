//! SPEC §3: `typ` is `at+jwt` (RFC 9068 §2.1), or `JWT` where an environment or a client says so. Sealwright's own
//! verifier accepts both.

use std::time::Duration;

use super::{access_token, client, grant, parts, start};
use crate::support::{Server, TestClient, both, eventually};

/// The type of a token that the client gets, and that is active.
fn typ(server: &Server, prefix: &str, client: &TestClient) -> String {
    let response = grant(server, prefix, client, &[]);
    let token = access_token(&response);
    let introspected = server.post_form(&format!("{prefix}/api/oauth/introspect"), client, &[("token", token)]);
    assert_eq!(introspected.body["active"], true, "{}", introspected.text);
    parts(token).0["typ"].as_str().unwrap().to_owned()
}

both! {
    fn the_type_of_a_token_is_its_clients_or_else_its_environments(database) {
        let settings = [("TOKEN_TYP", "JWT"), ("ENVIRONMENTS__STAGING__TOKEN_TYP", "at+jwt")];
        let server = start(database, &settings);
        for (environment, prefix, by_default) in
            [("production", "", "JWT"), ("staging", "/staging", "at+jwt"), ("development", "/development", "JWT")]
        {
            let of = |options: &[&str]| {
                client(&server, "orders:read", &[&["--environment", environment], options].concat())
            };
            assert_eq!(typ(&server, prefix, &of(&[])), by_default, "{environment}");
            for own in ["JWT", "at+jwt"] {
                for algorithm in ["ES256", "RS256", "EdDSA"] {
                    let options = ["--token-typ", own, "--signing-algorithm", algorithm];
                    assert_eq!(typ(&server, prefix, &of(&options)), own, "{environment}, {algorithm}");
                }
            }
        }
        let changed = client(&server, "orders:read", &["--token-typ", "at+jwt"]);
        for (given, then) in [("JWT", "JWT"), ("at+jwt", "at+jwt"), ("default", "JWT")] {
            let update = server.cli(&["client", "update", &changed.id, "--token-typ", given]);
            assert_eq!(update["token_typ"].as_str(), Some(given).filter(|given| *given != "default"));
            eventually("it follows", Duration::from_secs(10), || typ(&server, "", &changed) == then);
        }
    }

    fn the_management_api_and_forward_auth_accept_both_types(database) {
        let server = start(database, &[]);
        let audience = format!("{}/api/v1", server.url);
        for own in ["JWT", "at+jwt"] {
            let options = ["--audience", &audience, "--token-typ", own];
            let token = server.management_token(&client(&server, "sealwright.clients:read", &options));
            assert_eq!(server.api("GET", "/clients", &token, None).status, 200, "{own}");
            let response = server.token(&client(&server, "orders:read", &["--token-typ", own]));
            let request = server.http.get(format!("{}/api/v1/forward-auth?scope=orders:read", server.url));
            assert_eq!(server.send(request.bearer_auth(access_token(&response))).status, 200, "{own}");
        }
    }
}
