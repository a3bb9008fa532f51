//! `POST /api/oauth/revoke` (RFC 7009).

use serde_json::json;

use super::{
    access_token, client, forgeries, grant, introspect, is_active, parts, published_keys, revoke, start, token,
};
use crate::support::{TestClient, both};

both! {
    /// RFC 7009 §2.1, §2.2: the token ends with the response, wherever it is asked about online; the
    /// client's other tokens continue; to do it again changes nothing.
    fn a_client_ends_its_own_token_at_once_and_for_good(database) {
        let mut server = start(database, &[]);
        let owner = client(&server, "orders:read sealwright.clients:read", &[]);
        let (ended, kept) = (server.management_token(&owner), server.management_token(&owner));
        assert_eq!(server.api("GET", "/clients", &ended, None).status, 200);
        let mut responses = vec![];
        for _ in 0..2 {
            let response = revoke(&server, "", &owner, &ended);
            assert_eq!((response.status, &*response.text), (200, ""));
            assert_eq!((response.header("cache-control"), response.header("pragma")), ("no-store", "no-cache"));
            assert!(!is_active(&server, &owner, &ended));
            assert_eq!(server.api("GET", "/clients", &ended, None).status, 401);
            responses.push(response);
        }
        assert!(is_active(&server, &owner, &kept));
        let events = server.events(&["--request-id", responses[0].header("x-request-id")]);
        let expected = [json!("token.revoke"), json!("success"), parts(&ended).1["jti"].clone(), json!(owner.id)];
        assert_eq!(events.len(), 1);
        assert_eq!(["action", "outcome", "jti", "credential"].map(|name| events[0][name].clone()), expected);

        // It is over permanently: a restart brings nothing back.
        server.restart();
        assert!(!is_active(&server, &owner, &ended));
        assert!(is_active(&server, &owner, &kept));
    }

    /// RFC 7009 §2.1: the hint is only a hint; whatever it says, the token is found.
    fn a_hint_never_hides_a_token(database) {
        let server = start(database, &[]);
        let owner = client(&server, "orders:read", &[]);
        for hint in ["access_token", "refresh_token", "nonsense", ""] {
            let token = token(&server, &owner);
            let form = [("token_type_hint", hint), ("token", &*token)];
            assert_eq!(server.post_form("/api/oauth/introspect", &owner, &form).body["active"], true, "{hint}");
            assert_eq!(server.post_form("/api/oauth/revoke", &owner, &form).status, 200, "{hint}");
            assert!(!is_active(&server, &owner, &token), "{hint}");
        }
    }

    /// RFC 7009 §2.1: another's token is answered like an unknown one, stays in force, and is noted.
    fn another_clients_token_is_not_touched(database) {
        let server = start(database, &[]);
        let (owner, other) = (client(&server, "orders:read", &[]), client(&server, "sealwright.admin", &[]));
        let good = token(&server, &owner);
        let staging = client(&server, "orders:read", &["--environment", "staging"]);
        for (prefix, caller, reason) in [("", &other, "another_clients_token"), ("/staging", &staging, "unknown_token")]
        {
            let response = revoke(&server, prefix, caller, &good);
            assert_eq!((response.status, &*response.text), (200, ""));
            assert!(is_active(&server, &owner, &good));
            let event = &server.events(&["--request-id", response.header("x-request-id")])[0];
            assert_eq!((&event["reason"], &event["credential"]), (&json!(reason), &json!(caller.id)));
        }
    }

    /// RFC 7009 §2.2: what is no token in force is already what the client wants it to be.
    fn what_is_no_token_in_force_is_answered_like_success_and_changes_nothing(database) {
        let server = start(database, &[]);
        let owner = client(&server, "orders:read", &[]);
        let good = token(&server, &owner);
        let mut table = forgeries(&good, &published_keys(&server, ""));
        table.push(("a token of an end to come", access_token(&grant(&server, "", &owner, &[]))[1..].to_owned()));
        for (name, token) in table {
            let response = revoke(&server, "", &owner, &token);
            assert_eq!((response.status, &*response.text), (200, ""), "{name}");
        }
        assert!(is_active(&server, &owner, &good), "a forgery of a token does not end the token");
    }

    /// RFC 7009 §2.1: first the client is authenticated; who fails ends nothing.
    fn a_caller_must_be_an_active_client_of_the_environment(database) {
        let server = start(database, &[]);
        let owner = client(&server, "orders:read", &[]);
        let good = token(&server, &owner);
        let wrong = TestClient { secret: "wrong".into(), ..owner.clone() };
        for (prefix, caller) in [("", &wrong), ("/staging", &owner)] {
            for asked in [good.as_str(), "x"] {
                let response = revoke(&server, prefix, caller, asked);
                assert_eq!((response.status, response.body["error"].as_str()), (401, Some("invalid_client")));
                assert!(response.header("www-authenticate").starts_with("Basic "));
            }
        }
        assert!(is_active(&server, &owner, &good));
    }

    /// RFC 7009 §2.2.1, fosite CVE-2020-15223: where it cannot be stored or looked up, the response is
    /// 503, never a success and never `active`.
    fn a_failing_database_is_never_taken_for_an_answer(database) {
        let server = start(database, &[]);
        let owner = client(&server, "orders:read sealwright.clients:read", &[]);
        let good = server.management_token(&owner);
        assert!(is_active(&server, &owner, &good));
        server.database.execute("ALTER TABLE revoked_tokens RENAME TO revoked_tokens_away");
        for response in [revoke(&server, "", &owner, &good), introspect(&server, "", &owner, &good)] {
            assert_eq!((response.status, response.body["error"].as_str()), (503, Some("temporarily_unavailable")));
            assert!(!response.header("retry-after").is_empty());
            assert_eq!(response.header("cache-control"), "no-store");
        }
        let managed = server.api("GET", "/clients", &good, None);
        assert_eq!((managed.status, managed.header("content-type")), (503, "application/problem+json"));
        server.database.execute("ALTER TABLE revoked_tokens_away RENAME TO revoked_tokens");
        assert!(is_active(&server, &owner, &good), "what was not acknowledged has not happened");
        assert_eq!(revoke(&server, "", &owner, &good).status, 200);
        assert!(!is_active(&server, &owner, &good));
    }
}
