//! `sealwright backup`, `restore`, `migrate` and `master-key`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::client::within_a_second;
use super::{end, end_with};
use crate::api::{created, is_active, minimal, owner, text, with_secret};
use crate::support::{Database, Kind, Server, both, pause};

fn key_file(server: &Server) -> std::path::PathBuf {
    server.database.data_dir().join("master.key")
}

/// The master keys in a file, the first first.
fn keys(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// An empty database of a kind, for a program with this master key. `from` keeps the public URL.
fn other_place(kind: Kind, from: &Server, master_key: &str) -> (Database, Vec<(&'static str, String)>) {
    let database = Database::empty(kind);
    let listen = from.url.strip_prefix("http://").unwrap().to_owned();
    (database, vec![("MASTER_KEY", master_key.to_owned()), ("LISTEN", listen)])
}

fn program(database: &Database, settings: &[(&'static str, String)], arguments: &[&str]) -> std::process::Command {
    let mut command = crate::support::binary();
    command.envs(settings.iter().map(|(name, value)| (format!("SEALWRIGHT_{name}"), value)));
    command.env("SEALWRIGHT_DATA_DIR", database.data_dir());
    if let Some(url) = database.url() {
        command.env("SEALWRIGHT_DATABASE_URL", url);
    }
    command.args(arguments);
    command
}

/// A copy of one installation, made while it serves, is restored in an empty database of `kind`, and goes on there.
fn goes_on_in(database: Database, kind: Kind) {
    let mut server = Server::spawn(database);
    let token = owner(&server);
    let (made, client) = created(
        &server,
        &token,
        &json!({
            "name": "Übertrag", "description": "d", "scopes": ["orders:read", "x:write"], "default_scopes": ["x:write"],
            "audiences": ["https://a.example"], "allowed_ips": ["127.0.0.1"], "burst_per_second": null,
        }),
    );
    let (_, revoked) = created(&server, &token, &minimal("revoked"));
    server.api("POST", &format!("/clients/{}/revoke", revoked.id), &token, None);
    let rotated =
        server.api("POST", &format!("/clients/{}/rotate-secret", client.id), &token, Some(&json!({"grace": "1h"})));
    let rotated = with_secret(&rotated.body);
    server.cli(&["scope", "create", "orders:read", "--description", "Read orders."]);
    server.cli(&["signing-key", "rotate", "--lead", "1h"]);
    let gone = server.cli(&["signing-key", "rotate", "--algorithm", "EdDSA", "--lead", "1h"]);
    server.cli(&["signing-key", "destroy", gone["kid"].as_str().unwrap(), "--yes"]);
    let alive = text(&server.token(&client).body["access_token"]);
    let ended = text(&server.token(&client).body["access_token"]);
    assert_eq!(server.post_form("/api/oauth/revoke", &client, &[("token", &ended)]).status, 200);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.jsonl");
    let path = file.to_str().unwrap();
    let said = end_with(0, &mut server.command(&["backup", "--output", path, "--json"]));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert!(report["rows"].as_u64().unwrap() > 20, "{report}");
    assert!(said.err.contains("master key is NOT in this backup"), "{said:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = std::fs::read_to_string(&file).unwrap();
    let master_key = keys(&key_file(&server)).remove(0);
    for secret in [&master_key, &client.secret, &rotated.secret, &alive] {
        assert!(!copy.contains(secret.as_str()), "no secret stands in a copy");
    }
    let again = end_with(1, &mut server.command(&["backup", "--output", path]));
    assert!(again.err.contains(path), "nothing is overwritten: {again:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), copy);
    let into_used = end_with(1, &mut server.command(&["restore", "--input", path]));
    assert!(into_used.err.contains("not empty"), "{into_used:?}");

    let rows = |server: &Server| -> Vec<i64> {
        ["credentials", "credential_secrets", "scopes", "signing_keys", "revoked_tokens"]
            .iter()
            .flat_map(|table| server.database.numbers(&format!("SELECT COUNT(*) AS n FROM {table}")))
            .collect()
    };
    let before = rows(&server);
    let set = server.get("/.well-known/jwks.json").body;
    let events = server.events(&["--credential", &client.id]);
    server.kill();
    let (empty, settings) = other_place(kind, &server, &master_key);
    let said = end_with(0, &mut program(&empty, &settings, &["restore", "--input", path, "--json"]));
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["rows"], report["rows"]);
    assert!(!empty.data_dir().join("master.key").exists(), "no new master key");
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let restored = Server::spawn_with(empty, &borrowed);
    assert_eq!(rows(&restored), before);
    assert_eq!(restored.get("/.well-known/jwks.json").body, set, "the same keys");
    assert_eq!((restored.token(&client).status, restored.token(&rotated).status), (200, 200));
    assert_eq!(restored.token(&revoked).status, 401);
    assert!(is_active(&restored, &client, &alive), "tokens live on");
    assert!(!is_active(&restored, &client, &ended), "and revoked ones do not come back");
    let shown = restored.cli(&["client", "show", &client.id]);
    for field in [
        "name",
        "scopes",
        "default_scopes",
        "audiences",
        "allowed_ips",
        "burst_per_second",
        "rate_per_minute",
        "created_at",
    ] {
        assert_eq!(shown[field], made[field], "{field}");
    }
    let after = restored.events(&["--credential", &client.id]);
    assert_eq!(after[after.len() - events.len()..], events, "the audit log is whole");
    let other = restored.client("orders:read");
    assert_eq!(restored.token(&other).status, 200, "and it goes on");
    // A change there is followed there.
    restored.cli(&["client", "revoke", &other.id]);
    within_a_second(&401, || restored.token(&other).status);
}

#[test]
fn a_copy_of_sqlite_goes_on_in_postgresql() {
    goes_on_in(Database::without_credentials(Kind::Sqlite), Kind::Postgres);
}

#[test]
fn a_copy_of_postgresql_goes_on_in_sqlite() {
    goes_on_in(Database::without_credentials(Kind::Postgres), Kind::Sqlite);
}

both! {
    fn a_copy_that_cannot_be_read_restores_nothing(database: without_credentials) {
        let folder = tempfile::tempdir().unwrap();
        let kind = database.kind;
        let server = Server::spawn(database);
        server.client("orders:read");
        let file = folder.path().join("copy");
        server.cli(&["backup", "--output", file.to_str().unwrap()]);
        let whole = std::fs::read_to_string(&file).unwrap();
        let master_key = keys(&key_file(&server)).remove(0);
        let (empty, settings) = other_place(kind, &server, &master_key);
        let restore = |text: &str| {
            let damaged = folder.path().join("damaged");
            std::fs::write(&damaged, text).unwrap();
            end(&mut program(&empty, &settings, &["restore", "--input", damaged.to_str().unwrap()]))
        };
        let cut = &whole[..whole.len() - 20];
        let lines: Vec<&str> = whole.lines().collect();
        let without_its_end = lines[..lines.len() - 1].join("\n");
        let lacking_a_row = [&lines[..5], &lines[6..]].concat().join("\n");
        let only_its_head = format!("{}\n", lines[0]);
        let strange = whole.replace("\"table\":\"credentials\"", "\"table\":\"customers\"");
        let newer = whole.replacen("sealwright backup 2", "sealwright backup 3", 1);
        for text in ["", "{}", "junk", cut, &strange, &newer, &without_its_end, &lacking_a_row, &only_its_head] {
            let ended = restore(text);
            assert_eq!(ended.status, 1, "{ended:?}");
            assert!(ended.err.contains("damaged") || ended.err.contains("backup"), "{ended:?}");
            assert!(
                !ended.err.contains("not empty"),
                "a failed attempt leaves the database free for the next: {ended:?}"
            );
        }
        let missing = end(&mut program(&empty, &settings, &["restore", "--input", "/no/such/file"]));
        assert!(missing.status == 1 && missing.err.contains("/no/such/file"), "{missing:?}");
        assert_eq!(restore(&whole).status, 0, "and then the whole one goes in");
        let unwritable = end_with(1, &mut server.command(&["backup", "--output", "/no/such/folder/copy"]));
        assert!(unwritable.err.contains("/no/such/folder/copy"), "{unwritable:?}");
    }

    fn a_restored_copy_needs_its_own_master_key(database: without_credentials) {
        let folder = tempfile::tempdir().unwrap();
        let kind = database.kind;
        let mut server = Server::spawn(database);
        let file = folder.path().join("copy");
        server.cli(&["backup", "--output", file.to_str().unwrap()]);
        server.kill();
        let (empty, mut settings) = other_place(kind, &server, &"11".repeat(32));
        let said = end_with(0, &mut program(&empty, &settings, &["restore", "--input", file.to_str().unwrap()]));
        assert!(said.err.contains("master key"), "{said:?}");
        let ended = end_with(1, &mut program(&empty, &settings, &["client", "list"]));
        assert!(ended.err.contains("wrong master key"), "{ended:?}");
        settings.retain(|(name, _)| *name != "MASTER_KEY");
        let ended = end_with(1, &mut program(&empty, &settings, &["serve"]));
        assert!(ended.err.contains("no master key"), "{ended:?}");
        assert!(!empty.data_dir().join("master.key").exists(), "none is made for what is sealed already");
        settings.push(("MASTER_KEY", keys(&key_file(&server)).remove(0)));
        end_with(0, &mut program(&empty, &settings, &["doctor"]));
    }

    fn the_schema_is_made_once(database: empty) {
        let settings = vec![];
        let migrate = || end_with(0, &mut program(&database, &settings, &["migrate", "--json"])).out;
        let first: Value = serde_json::from_str(&migrate()).unwrap();
        assert!(!first["applied"].as_array().unwrap().is_empty(), "{first}");
        let second: Value = serde_json::from_str(&migrate()).unwrap();
        assert_eq!(second["applied"], json!([]));
        assert!(!database.data_dir().join("master.key").exists(), "migrating needs no key");
        let server = Server::spawn(database);
        assert_eq!(server.token(&server.client("a")).status, 200);
    }

    fn replacing_the_master_key_stops_nothing(database: without_credentials) {
        let mut server = Server::spawn(database);
        let path = key_file(&server);
        let client = server.client("orders:read");
        let token = owner(&server);
        let post = |server: &Server, key: &str| {
            let request = server.http.post(format!("{}/api/v1/clients", server.url)).bearer_auth(&token);
            server.send(request.header("idempotency-key", key).json(&minimal("kept")))
        };
        let kept = post(&server, "key");
        let old = keys(&path);
        assert_eq!(old.len(), 1);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "as it was made");

        let stop = std::sync::atomic::AtomicBool::new(false);
        let rotated = std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let mut count = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let response = server.token(&client);
                    assert_eq!(response.status, 200, "{}", response.text);
                    count += 1;
                }
                count
            });
            let rotated = server.cli(&["master-key", "rotate"]);
            pause("requests go on beside it, after the keys were replaced", std::time::Duration::from_secs(1));
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(asking.join().unwrap() > 10);
            rotated
        });
        assert!(
            rotated["resealed"].as_u64().unwrap() >= 11,
            "nine signing keys, the tag key, a kept answer: {rotated}"
        );
        let new = keys(&path);
        assert_eq!((new.len(), &new[1]), (2, &old[0]), "the new one stands first, the old one stays");
        assert_ne!(new[0], old[0]);
        assert!(!rotated.to_string().contains(&new[0]), "the key itself is not said");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        // New secrets, new keys and replays work on, with the running server and after a restart.
        assert_eq!(post(&server, "key").text, kept.text);
        let rotation = server.api("POST", "/signing-keys/rotate", &token, Some(&json!({"lead": "0s"})));
        assert_eq!(rotation.status, 201, "{}", rotation.text);
        assert_eq!(server.token(&client).status, 200);
        // With the old key alone nothing is to be opened any more; with the new one alone everything is.
        std::fs::write(&path, format!("{}\n", old[0])).unwrap();
        let ended = end_with(1, &mut server.command(&["doctor", "--json"]));
        assert!(ended.out.contains("wrong master key"), "{ended:?}");
        std::fs::write(&path, format!("{}\n", new[0])).unwrap();
        end_with(0, &mut server.command(&["doctor"]));
        server.restart();
        assert_eq!(server.token(&client).status, 200);
        assert_eq!(post(&server, "key").text, kept.text);
        let fresh = server.client("orders:read");
        assert_eq!(server.token(&fresh).status, 200);
    }

    fn master_keys_in_a_variable_are_replaced_by_naming_the_new_one_first(database: empty) {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let settings = |keys: &str| vec![("MASTER_KEY", keys.to_owned())];
        let run = |keys: &str, arguments: &[&str]| end(&mut program(&database, &settings(keys), arguments));
        assert_eq!(run(&old, &["client", "create", "--name", "x", "--scope", "a"]).status, 0);
        assert!(!database.data_dir().join("master.key").exists());
        let both = format!("{new},{old}");
        let first = run(&both, &["master-key", "rotate", "--json"]);
        assert_eq!(first.status, 0, "{first:?}");
        assert_eq!(serde_json::from_str::<Value>(&first.out).unwrap()["resealed"], 10);
        let second = run(&both, &["master-key", "rotate", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&second.out).unwrap()["resealed"], 0, "done already");
        assert_eq!(run(&new, &["doctor"]).status, 0);
        assert_eq!(run(&old, &["doctor"]).status, 1);
        for odd in ["x", "11", &"zz".repeat(32), &format!("{new},x"), " ", ","] {
            let ended = run(odd, &["client", "list"]);
            assert_eq!(ended.status, 1, "{odd}: {ended:?}");
            assert!(ended.err.contains("SEALWRIGHT_MASTER_KEY"), "{ended:?}");
            assert!(!ended.err.contains(&new) && !ended.err.contains("zzzz"), "{ended:?}");
        }
    }
}
