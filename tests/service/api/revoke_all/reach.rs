//! Who may revoke what, and what is said of it.

use super::*;

both! {
    fn something_must_be_named_and_be_there_for_the_caller(database) {
        let server = Server::start(database);
        let token = server.owner();
        entered_customer(&server, &token, "acme");
        let key = key_of(&server, &json!({"customers": ["acme"]}));
        for body in [json!({}), json!({"dry_run": true}), json!({"environment": null, "owner": null})] {
            assert_invalid(&post(&server, &token, &body), &["environment"]);
        }
        for (body, fields) in [
            (json!({"environment": "prod"}), &["environment"][..]),
            (json!({"owner": "nobody@example.com"}), &["owner"]),
            (json!({"customer": "nobody"}), &["customer"]),
            (json!({"environment": "staging", "owner": "n@example.com", "customer": "n"}),
                &["customer", "owner"]),
            (json!({"customer": "acme", "dry_run": "yes"}), &["dry_run"]),
            (json!({"customer": "acme", "kind": "keys"}), &["kind"]),
        ] {
            assert_invalid(&post(&server, &token, &body), fields);
        }
        for body in [json!({"environment": "staging"}), json!({"environment": "staging", "dry_run": true})] {
            assert_problem(&post(&server, &token, &body), 403, "beyond_reach");
        }
        assert!(passes(&server, "production", &key.key));
        let counted = post(&server, &token, &json!({"customer": "acme", "dry_run": true}));
        assert_eq!((counted.status, &counted.body), (200, &json!({"id": null, "clients": 0, "keys": 1})));
        assert!(passes(&server, "production", &key.key), "it was only counted");
        let event = &server.events(&["--action", "credential.revoke_all"])[0];
        assert_eq!((&event["outcome"], &event["reason"]), (&json!("success"), &json!("dry_run")));
        let done = post(&server, &token, &json!({"customer": "acme", "environment": "production"}));
        assert_eq!((done.status, &done.body["clients"], &done.body["keys"]), (200, &json!(0), &json!(1)));
        assert!(text(&done.body["id"]).starts_with("rev_"), "{}", done.text);
        assert!(!passes(&server, "production", &key.key));
        let event = &server.events(&["--action", "credential.revoke_all"])[0];
        assert_eq!((&event["reason"], &event["status"]), (&json!("ok"), &json!(200)));
        assert_eq!(event["environment"], "production");
        assert_eq!(event["request_id"], json!(done.header("x-request-id")));
        server.work(Work::ExpandEpochs);
        let told = &revocations(&server, &key.id)[0];
        assert_eq!((&told["actor"], &told["request_id"]), (&event["actor"], &event["request_id"]));
        assert_eq!(told["credential"], event["credential"]);
        let again = post(&server, &token, &json!({"customer": "acme"}));
        assert_eq!((&again.body["clients"], &again.body["keys"]), (&json!(0), &json!(0)), "{}", again.text);
    }

    fn a_caller_of_an_environment_ends_only_its_own(database) {
        let server = Server::start(database);
        let staging = server.owner_of("staging");
        let body = json!({"name": "k", "scopes": ["orders:read"]});
        let (_, own) = created_key(&server, &staging, &body);
        let other = key_of(&server, &json!({}));
        assert_problem(&post(&server, &staging, &json!({"environment": "production"})), 403, "beyond_reach");
        let done = post(&server, &staging, &json!({"environment": "staging"}));
        // The caller's own client ends with the others.
        assert_eq!((&done.body["clients"], &done.body["keys"]), (&json!(1), &json!(1)), "{}", done.text);
        assert!(!passes(&server, "staging", &own) && passes(&server, "production", &other.key));
        assert_problem(&post(&server, &staging, &json!({"environment": "staging"})), 401, "invalid_token");
        server.work(Work::ExpandEpochs);
        assert!(!passes(&server, "staging", &own) && passes(&server, "production", &other.key));
        let sql = "SELECT COUNT(*) AS n FROM credentials WHERE state = 'revoked'";
        assert_eq!(server.database.numbers(sql), [2]);
    }

    fn a_caller_that_is_tied_to_customers_ends_only_what_it_sees(database) {
        let server = Server::start(database);
        let token = server.owner();
        made_user(&server, &token, "ann@example.com", "developer");
        for name in ["acme", "zeta", "third"] {
            entered_customer(&server, &token, name);
        }
        let of = |customers: Value| key_of(&server, &json!({"customers": customers}));
        let keys = [
            of(json!(["acme"])),
            of(json!(["third"])),
            of(json!(["acme", "third"])),
            of(json!(["zeta"])),
            of(json!(["acme", "zeta"])),
            of(json!([])),
        ];
        let are = || keys.iter().map(|key| passes(&server, "production", &key.key)).collect::<Vec<_>>();
        let caller = |customers: Value| {
            let scopes = json!({"type": "internal", "scopes": ["sealwright.admin"], "customers": customers});
            key_of(&server, &scopes).key
        };
        let tied = caller(json!(["acme", "third"]));
        let by_key = |key: &str, body: Value| server.api_with_key("POST", "/revoke-all", key, Some(&body));
        for (body, fields) in [
            (json!({"customer": "zeta"}), &["customer"][..]),
            (json!({"owner": "ann@example.com"}), &["owner"]),
        ] {
            assert_invalid(&by_key(&tied, body), fields);
        }
        assert_problem(&by_key(&tied, json!({"environment": "staging"})), 403, "beyond_reach");
        let done = by_key(&tied, json!({"customer": "acme"}));
        // The caller itself is one of them.
        assert_eq!((done.status, &done.body["keys"]), (200, &json!(3)), "{}", done.text);
        assert_eq!(are(), [false, true, false, true, true, true]);
        assert_problem(&by_key(&tied, json!({"customer": "acme"})), 401, "invalid_token");
        // What was out of sight when the epoch was made does not come under it when it is tied anew.
        let path = format!("/keys/{}", keys[4].id);
        assert_eq!(server.api("PATCH", &path, &token, Some(&json!({"customers": ["acme"]}))).status, 200);
        assert_eq!(are(), [false, true, false, true, true, true]);
        server.work(Work::ExpandEpochs);
        assert_eq!(are(), [false, true, false, true, true, true]);
        let done = by_key(&caller(json!(["third", "zeta"])), json!({"environment": "production"}));
        assert_eq!((done.status, &done.body["keys"]), (200, &json!(3)), "{}", done.text);
        assert_eq!(are(), [false, false, false, false, true, true]);
        server.work(Work::ExpandEpochs);
        assert_eq!(are(), [false, false, false, false, true, true]);
        let count = server.database.numbers("SELECT COUNT(*) AS n FROM credentials WHERE state = 'revoked'");
        assert_eq!(count, [6]);
    }

    fn a_repeated_request_makes_one_epoch_and_shows_no_secret_of_what_has_ended(database) {
        let server = Server::start(database);
        let token = server.owner();
        entered_customer(&server, &token, "acme");
        let send = |path: &str, key: &str, body: &Value| {
            let request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(&token);
            server.send(request.header("idempotency-key", key).json(body))
        };
        let body = json!({"name": "k", "scopes": ["orders:read"], "customers": ["acme"]});
        let made = send("/keys", "made", &body);
        let id = text(&made.body["id"]);
        let rotated = send(&format!("/keys/{id}/rotate"), "rotated", &json!({}));
        assert_eq!((made.status, rotated.status), (201, 200));
        let first = send("/revoke-all", "brake", &json!({"customer": "acme"}));
        assert_eq!((first.status, &first.body["keys"]), (200, &json!(1)), "{}", first.text);
        let again = send("/revoke-all", "brake", &json!({"customer": "acme"}));
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(server.database.numbers("SELECT COUNT(*) AS n FROM epochs"), [1]);
        assert_problem(&send("/revoke-all", "brake", &json!({"customer": "zeta"})), 422, "idempotency_key_reused");
        for _ in 0..2 {
            for (path, key, body) in
                [("/keys".to_owned(), "made", body.clone()), (format!("/keys/{id}/rotate"), "rotated", json!({}))]
            {
                let replayed = send(&path, key, &body);
                assert_eq!(replayed.body["status"], "revoked", "{}", replayed.text);
                assert!(replayed.body.get("key").is_none(), "{}", replayed.text);
            }
            server.work(Work::ExpandEpochs);
        }
    }
}
