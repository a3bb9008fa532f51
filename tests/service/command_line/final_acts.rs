//! Acts that cannot be undone: what each says before, and who answers.

use serde_json::{Value, json};

use super::{end_with, end_with_input, on_a_terminal};
use crate::api::text;
use crate::support::{Server, TestClient, both};

/// The signing key of staging that signs with ES256.
fn staging_key(server: &Server) -> String {
    let keys = server.cli(&["signing-key", "list", "--environment", "staging"]);
    let keys = keys["data"].as_array().unwrap();
    text(&keys.iter().find(|key| key["algorithm"] == "ES256" && key["status"] == "active").unwrap()["kid"])
}

both! {
    /// Each says how often what it ends was used in the last day. Without a terminal it needs `--yes`, and says so with
    /// exit status 2; on one, it asks.
    fn each_says_what_it_ends_and_asks(database: without_credentials) {
        let server = Server::start(database);
        let client = server.client("orders:read");
        let staging = server.client_with("orders:read", &["--environment", "staging"]);
        let key = server.key("orders:read");
        (0..3).for_each(|_| assert_eq!(server.token(&client).status, 200));
        let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
        assert_eq!(server.token(&wrong).status, 401, "what was refused is no use");
        server.cli(&["client", "update", &client.id, "--description", "A change is no use."]);
        let form = [("grant_type", "client_credentials")];
        (0..2).for_each(|_| assert_eq!(server.post_form("/staging/api/oauth/token", &staging, &form).status, 200));
        let pass = || server.http.get(format!("{}/api/v1/forward-auth", server.url)).header("x-api-key", &key.key);
        (0..2).for_each(|_| assert_eq!(server.send(pass()).status, 200));
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme"]);
        server.cli(&["role", "create", "support", "--scope", "orders:read"]);
        server.cli(&["scope", "create", "orders:read"]);
        let kid = staging_key(&server);
        let acts = [
            (vec!["client", "revoke", &client.id], format!("client {} (test) in the last day: 3.", client.id)),
            (vec!["key", "revoke", &key.id], format!("key {} (test) in the last day: 2.", key.id)),
            (vec!["signing-key", "destroy", &kid], "Tokens that staging issued in the last day: 2.".to_owned()),
            (vec!["customer", "delete", "acme"], "The customer acme (Acme) is deleted".to_owned()),
            (vec!["role", "delete", "support"], "The role support allows at most: orders:read.".to_owned()),
            (vec!["scope", "delete", "orders:read"], "the scope orders:read keep it.".to_owned()),
        ];
        for (act, said) in &acts {
            let ended = end_with(2, &mut server.command(act));
            assert!(ended.err.contains(said) && ended.err.contains("add --yes"), "{act:?}: {ended:?}");
            assert_eq!(ended.out, "");
            let ended = end_with(2, server.command(act).arg("--json"));
            let error: Value = serde_json::from_str(&ended.err).unwrap();
            assert_eq!(error["error"]["code"], "confirmation_required");
            assert!(text(&error["error"]["message"]).contains(said), "{error}");
            for reply in ["n\n", "\n", "\u{4}"] {
                let ended = end_with_input(2, &mut on_a_terminal(&server.command(act)), reply);
                let is_asked = ended.out.contains(said) && ended.out.contains("[y/N]");
                assert!(is_asked && ended.out.contains("nothing was done"), "{act:?}: {ended:?}");
            }
        }
        assert_eq!((server.token(&client).status, server.send(pass()).status), (200, 200), "nothing was done");
        for (act, _) in &acts {
            end_with_input(0, &mut on_a_terminal(&server.command(act)), "y\n");
        }
        assert_eq!((server.token(&client).status, server.send(pass()).status), (401, 401));
        assert_ne!(staging_key(&server), kid);
        assert_eq!(server.cli(&["customer", "list"])["data"], json!([]));
        assert_eq!(server.cli(&["scope", "list"])["data"], json!([]));
    }

    /// There is nothing to ask about what does not exist.
    fn what_does_not_exist_is_told_before_anything_is_asked(database: without_credentials) {
        let server = Server::start(database);
        for (act, said) in [
            (["client", "revoke", "cli_1"], "no such client"),
            (["key", "revoke", "key_1"], "no such key"),
            (["signing-key", "destroy", "kid"], "no such signing key"),
            (["customer", "delete", "acme"], "no such customer"),
            (["role", "delete", "support"], "no such role"),
            (["scope", "delete", "orders:read"], "no such scope"),
        ] {
            for options in [&[][..], &["--yes"]] {
                let ended = end_with(1, server.command(&act).args(options).arg("--json"));
                let error: Value = serde_json::from_str(&ended.err).unwrap();
                assert_eq!(error["error"]["code"], "not_found", "{act:?}");
                assert!(text(&error["error"]["message"]).contains(said), "{error}");
            }
        }
    }
}
