//! Rows and events follow an epoch, each once; until then nothing can be done with what has ended.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// An exit status and what was said.
fn command(server: &Server, arguments: &[&str]) -> (i32, String) {
    let output = run(&mut server.command(arguments));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Keys and a client of acme and a key of nobody's, on a database that no server expands epochs on.
fn ended_without_server(server: &mut Server) -> (Vec<TestKey>, crate::support::TestClient, TestKey) {
    let token = server.owner();
    entered_customer(server, &token, "acme");
    let keys: Vec<TestKey> = (0..3).map(|_| key_of(server, &json!({"customers": ["acme"]}))).collect();
    let body = json!({"name": "c", "scopes": ["orders:read"], "customers": ["acme"]});
    let (_, client) = created(server, &token, &body);
    let other = key_of(server, &json!({}));
    server.kill();
    let done = server.cli(&["revoke-all", "--customer", "acme", "--yes"]);
    assert_eq!((&done["clients"], &done["keys"], &done["revoked"]), (&json!(1), &json!(3), &json!(4)));
    assert!(text(&done["id"]).starts_with("rev_"));
    (keys, client, other)
}

both! {
    fn what_has_ended_cannot_be_changed_before_its_row_is_written(database) {
        let mut server = Server::start(database);
        let (keys, client, other) = ended_without_server(&mut server);
        let id = keys[0].id.as_str();
        let ids = [id, keys[1].id.as_str(), keys[2].id.as_str(), client.id.as_str()];
        for arguments in [
            vec!["key", "enable", id],
            vec!["key", "disable", id],
            vec!["key", "update", id, "--name", "x"],
            vec!["key", "update", id, "--customer", "any"],
            vec!["key", "rotate", id],
            vec!["key", "transfer", id, "--to-organisation"],
            vec!["client", "update", &client.id, "--scope", "orders:read"],
            vec!["client", "rotate-secret", &client.id],
        ] {
            let (status, said) = command(&server, &arguments);
            assert!(status == 1 && said.contains("is revoked"), "{arguments:?}: {status} {said}");
        }
        assert_eq!(states(&server, &ids), ["enabled"; 4], "nothing has been expanded yet");
        assert_eq!(server.cli(&["key", "show", id])["status"], "revoked");
        let listed = |status: &str| {
            let rows = server.cli(&["key", "list", "--status", status]);
            rows["data"].as_array().unwrap().len()
        };
        assert_eq!((listed("revoked"), listed("active")), (3, 1));
        let (status, said) = command(&server, &["key", "verify", &keys[1].key, "--json"]);
        assert!(status == 1 && said.contains("REVOKED"), "{said}");
        let counted = server.cli(&["revoke-all", "--customer", "acme", "--dry-run"]);
        assert_eq!((&counted["clients"], &counted["keys"], &counted["id"]), (&json!(0), &json!(0), &Value::Null));
        // What may be done with revoked credentials writes the row first, with its event.
        assert_eq!(command(&server, &["key", "revoke", id, "--yes"]).0, 0);
        assert_eq!(command(&server, &["client", "revoke-tokens", &client.id]).0, 0);
        assert_eq!(states(&server, &ids), ["revoked", "enabled", "enabled", "revoked"]);
        server.restart();
        assert!(!passes(&server, "production", &keys[2].key), "from the first request on");
        server.work(Work::ExpandEpochs);
        assert_eq!(states(&server, &ids), ["revoked"; 4]);
        for id in ids {
            let told = revocations(&server, id);
            let by_epoch = told.iter().filter(|event| event["reason"] == "revoke_all").count();
            assert_eq!(by_epoch, 1, "{told:?}");
        }
        assert_eq!((passes(&server, "production", &other.key), open_epochs(&server.database)), (true, 0));
        assert_eq!(states(&server, &[&other.id]), ["enabled"]);
    }

    fn a_copy_has_epochs_that_are_not_expanded(database) {
        let kind = database.kind;
        let mut server = Server::start(database);
        let (keys, client, other) = ended_without_server(&mut server);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copy.jsonl");
        assert_eq!(command(&server, &["backup", "--output", file.to_str().unwrap()]).0, 0);
        let master_key = std::fs::read_to_string(server.database.data_dir().join("master.key")).unwrap();
        let empty = Database::empty(if kind == Kind::Sqlite { Kind::Postgres } else { Kind::Sqlite });
        std::fs::create_dir(empty.data_dir()).unwrap();
        let mut restore = crate::support::binary();
        restore.env("SEALWRIGHT_MASTER_KEY", master_key.trim()).env("SEALWRIGHT_DATA_DIR", empty.data_dir());
        if let Some(url) = empty.url() {
            restore.env("SEALWRIGHT_DATABASE_URL", url);
        }
        let restored = run(restore.args(["restore", "--input", file.to_str().unwrap()]));
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        let restored = Server::start_with(empty, &[("MASTER_KEY", master_key.trim())]);
        assert!(!passes(&restored, "production", &keys[0].key) && passes(&restored, "production", &other.key));
        restored.work(Work::ExpandEpochs);
        assert_eq!(states(&restored, &[&keys[0].id, &client.id, &other.id]), ["revoked", "revoked", "enabled"]);
        assert_eq!(revocations(&restored, &keys[2].id).len(), 1);
        // Numbers continue, so that what is made here is not ended by what was there.
        let later = restored.key_with("orders:read", &["--customer", "acme"]);
        assert!(passes(&restored, "production", &later.key));
    }

    /// Last uses are stored by rows of the same credentials, by another thread.
    fn keys_in_use_are_ended_without_a_deadlock(database) {
        let server = Server::start(database);
        let token = server.owner();
        entered_customer(&server, &token, "acme");
        let keys: Vec<TestKey> = (0..40).map(|_| key_of(&server, &json!({"customers": ["acme"]}))).collect();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for part in keys.chunks(20) {
                let (server, ended) = (&server, &ended);
                scope.spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        part.iter().for_each(|key| {
                            passes(server, "production", &key.key);
                        });
                    }
                });
            }
            server.work(Work::StoreNotes);
            let done = post(&server, &token, &json!({"customer": "acme"}));
            let refused = keys.iter().filter(|key| !passes(&server, "production", &key.key)).count();
            for _ in 0..3 {
                server.work(Work::StoreNotes);
                server.work(Work::ExpandEpochs);
            }
            ended.store(true, Ordering::Relaxed);
            assert_eq!((done.status, refused), (200, keys.len()), "{}", done.text);
        });
        if server.database.kind == Kind::Postgres {
            let sql = "SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()";
            assert_eq!(server.database.numbers(sql), [0]);
        }
        let sql = "SELECT COUNT(*) AS n FROM credential_secrets WHERE last_used_at IS NOT NULL";
        assert!(server.database.numbers(sql)[0] > 0, "uses were stored");
        for key in &keys {
            assert_eq!(revocations(&server, &key.id).len(), 1);
        }
    }
}
