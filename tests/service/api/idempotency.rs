//! `Idempotency-Key`: a repeated request is done once, and gets the same response.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::keys::places_of;
use super::{assert_invalid, assert_problem, column, created, minimal, owner, text, with_secret};
use crate::support::{Response, Server, both};

fn post(server: &Server, token: &str, path: &str, key: &str, body: &Value) -> Response {
    let request = server.http.post(format!("{}/api/v1{path}", server.url)).bearer_auth(token);
    server.send(request.header("idempotency-key", key).json(body))
}

fn named(server: &Server, token: &str, name: &str) -> usize {
    column(&server.api("GET", &format!("/clients?name={name}"), token, None), "id").len()
}

both! {
    fn a_repeated_creation_gets_the_same_response_and_makes_one_client(database) {
        let mut server = Server::start(database);
        let token = owner(&server);
        let first = post(&server, &token, "/clients", "key-1", &minimal("once"));
        assert_eq!(first.status, 201, "{}", first.text);
        let again = post(&server, &token, "/clients", "key-1", &minimal("once"));
        assert_eq!((again.status, &again.text), (201, &first.text), "secret and all");
        assert_eq!(again.header("cache-control"), "no-store");
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        assert_eq!(named(&server, &token, "once"), 1);
        assert_eq!(server.token(&with_secret(&again.body)).status, 200);
        // What is kept is sealed.
        assert_eq!(server.database.numbers("SELECT COUNT(*) AS n FROM idempotency_keys"), [1]);
        assert!(places_of(&server, "key-1") > 0, "this looks in the right place");
        assert_eq!(places_of(&server, &with_secret(&first.body).secret), 0);
        server.restart();
        let after = post(&server, &token, "/clients", "key-1", &minimal("once"));
        // The object is told as it is now, and its secret has been used meanwhile.
        for member in ["id", "client_secret", "scopes", "created_at"] {
            assert_eq!((after.status, &after.body[member]), (201, &first.body[member]), "{member} after a restart");
        }
        let other_key = post(&server, &token, "/clients", "key-2", &minimal("once"));
        assert_eq!(other_key.status, 201);
        assert_eq!(named(&server, &token, "once"), 2);
        for _ in 0..2 {
            created(&server, &token, &minimal("twice"));
        }
        assert_eq!(named(&server, &token, "twice"), 2, "without a key each request counts");
    }

    fn a_repeated_rotation_gets_the_same_response_and_makes_one_secret(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let (_, client) = created(&server, &token, &minimal("rotated"));
        let path = format!("/clients/{}/rotate-secret", client.id);
        let body = json!({"grace": "1h"});
        let first = post(&server, &token, &path, "rotate", &body);
        assert_eq!(first.status, 200, "{}", first.text);
        let again = post(&server, &token, &path, "rotate", &body);
        assert_eq!((again.status, &again.text), (200, &first.text));
        let shown = server.api("GET", &format!("/clients/{}", client.id), &token, None);
        assert_eq!(shown.body["secrets"].as_array().unwrap().len(), 2);
        assert_eq!(server.token(&client).status, 200, "the old secret has its grace still");
        assert_eq!(server.token(&with_secret(&first.body)).status, 200);
    }

    fn a_key_is_not_taken_for_another_request(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let first = post(&server, &token, "/clients", "key", &minimal("one"));
        let rotate = format!("/clients/{}/rotate-secret", text(&first.body["id"]));
        let spaced = "{ \"name\": \"one\", \"scopes\": [\"orders:read\"] }";
        let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(&token);
        let reformatted = server
            .send(request.header("idempotency-key", "key").header("content-type", "application/json").body(spaced));
        for response in [
            post(&server, &token, "/clients", "key", &minimal("two")),
            post(&server, &token, &rotate, "key", &json!({})),
            reformatted,
        ] {
            assert_problem(&response, 422, "idempotency_key_reused");
            assert!(!response.text.contains("sws_"), "{}", response.text);
        }
        assert_eq!(named(&server, &token, "two"), 0);
        assert_eq!(server.token(&with_secret(&first.body)).status, 200, "nothing was rotated");
    }

    fn a_kept_secret_is_gone_after_an_hour_and_the_response_after_a_day(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let first = post(&server, &token, "/clients", "key", &minimal("aged"));
        let age = |millis: i64| {
            server.database.execute(&format!("UPDATE idempotency_keys SET created_at = created_at - {millis}"));
        };
        age(3_600_000 - 60_000);
        let within = post(&server, &token, "/clients", "key", &minimal("aged"));
        assert_eq!((within.status, &within.text), (201, &first.text), "a minute before the hour is over");
        age(61_000);
        let after = post(&server, &token, "/clients", "key", &minimal("aged"));
        assert_eq!(after.status, 201, "{}", after.text);
        let mut expected = first.body.clone();
        expected.as_object_mut().unwrap().remove("client_secret");
        assert_eq!(after.body, expected, "the object without the secret");
        assert_problem(&post(&server, &token, "/clients", "key", &minimal("x")), 422, "idempotency_key_reused");
        assert_eq!(named(&server, &token, "aged"), 1);
        age(86_400_000);
        let next_day = post(&server, &token, "/clients", "key", &minimal("aged"));
        assert_eq!(next_day.status, 201, "{}", next_day.text);
        assert_ne!(next_day.body["id"], first.body["id"], "a new request");
        assert_eq!(named(&server, &token, "aged"), 2);
    }

    fn each_caller_has_its_own_keys(database) {
        let server = Server::start(database);
        let (one, two) = (owner(&server), server.management_token(&server.client("sealwright.admin admin")));
        let first = post(&server, &one, "/clients", "key", &minimal("separate"));
        let second = post(&server, &two, "/clients", "key", &minimal("separate"));
        assert_eq!((first.status, second.status), (201, 201));
        assert_ne!(first.body["client_secret"], second.body["client_secret"]);
        assert_ne!(first.body["id"], second.body["id"]);
        let other_body = post(&server, &two, "/clients", "key2", &minimal("other"));
        assert_eq!(other_body.status, 201);
        // Who lost the permission gets no replay either.
        let nobody = server.management_token(&server.client("sealwright.clients:read"));
        assert_problem(&post(&server, &nobody, "/clients", "key", &minimal("separate")), 403, "permission_denied");
    }

    fn the_same_request_at_the_same_time_makes_one_client(database) {
        let server = Server::start(database);
        let token = owner(&server);
        let responses = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let response = post(&server, &token, "/clients", "key", &minimal("racing"));
                    responses.lock().unwrap().push(response);
                });
            }
        });
        let responses = responses.into_inner().unwrap();
        let good: Vec<&Response> = responses.iter().filter(|response| response.status == 201).collect();
        assert!(!good.is_empty());
        assert!(good.iter().all(|response| response.text == good[0].text), "one answer");
        for response in responses.iter().filter(|response| response.status != 201) {
            assert_problem(response, 409, "idempotency_key_in_use");
        }
        assert_eq!(named(&server, &token, "racing"), 1);
        assert_eq!(server.token(&with_secret(&good[0].body)).status, 200);
        let events = server.events(&["--credential", &text(&good[0].body["id"]), "--action", "client.create"]);
        let done = events.iter().filter(|event| event["reason"] == "ok").count();
        assert_eq!((done, events.len()), (1, good.len()), "done once, answered as often as it was: {events:?}");
    }

    fn what_was_deleted_is_gone_also_when_its_name_was_given_again(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (collection, body) in [
            ("/roles", json!({"name": "support", "scopes": ["orders:read"]})),
            ("/scopes", json!({"name": "orders:read", "description": "Read orders."})),
        ] {
            let first = post(&server, &token, collection, collection, &body);
            assert_eq!(post(&server, &token, collection, collection, &body).text, first.text);
            let path = format!("{collection}/{}", text(&body["name"]));
            assert_eq!(server.api("DELETE", &path, &token, None).status, 204);
            assert_problem(&post(&server, &token, collection, collection, &body), 410, "gone");
            server.advance(1);
            assert_eq!(server.api("POST", collection, &token, Some(&body)).status, 201);
            assert_problem(&post(&server, &token, collection, collection, &body), 410, "gone");
        }
    }

    fn a_refused_request_leaves_its_key_free(database) {
        let server = Server::start(database);
        let token = owner(&server);
        assert_invalid(&post(&server, &token, "/clients", "key", &json!({"name": "x"})), &["scopes"]);
        assert_invalid(&post(&server, &token, "/clients", "key", &json!({"naem": "x"})), &["naem", "name", "scopes"]);
        assert_eq!(post(&server, &token, "/clients", "key", &minimal("good")).status, 201);
        let gone = post(&server, &token, "/clients/cli_1/rotate-secret", "other", &json!({}));
        assert_problem(&gone, 404, "not_found");
        assert_eq!(post(&server, &token, "/clients", "other", &minimal("good")).status, 201);
    }

    fn a_key_that_cannot_be_one_is_refused(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for keys in
            [vec![""], vec![&*"k".repeat(256)], vec!["a b"], vec!["a\tb"], vec!["ä"], vec!["a", "a"], vec!["a", "b"]]
        {
            let mut request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(&token);
            for key in &keys {
                request = request.header("idempotency-key", key.as_bytes());
            }
            assert_invalid(&server.send(request.json(&minimal("bad"))), &["Idempotency-Key"]);
        }
        assert_eq!(named(&server, &token, "bad"), 0);
        let longest = "k".repeat(255);
        for _ in 0..2 {
            assert_eq!(post(&server, &token, "/clients", &longest, &minimal("longest")).status, 201);
        }
        assert_eq!(named(&server, &token, "longest"), 1);
    }

    fn every_other_post_that_creates_or_rotates_is_repeated_too(database) {
        let server = Server::start(database);
        let token = owner(&server);
        for (path, body, other) in [
            ("/scopes", json!({"name": "orders:read", "description": "Read."}), json!({"name": "x"})),
            ("/signing-keys/rotate", json!({"lead": "1h"}), json!({"lead": "2h"})),
        ] {
            let first = post(&server, &token, path, path, &body);
            assert_eq!(first.status, 201, "{}", first.text);
            let again = post(&server, &token, path, path, &body);
            assert_eq!((again.status, &again.text), (201, &first.text), "{path}");
            assert_problem(&post(&server, &token, path, path, &other), 422, "idempotency_key_reused");
        }
        assert_eq!(column(&server.api("GET", "/scopes", &token, None), "name").len(), 1);
        assert_eq!(column(&server.api("GET", "/signing-keys?status=pending", &token, None), "kid").len(), 1);
    }
}
