//! `sealwright backup` and `restore`.

use std::time::Duration;

use super::*;
use crate::command_line::audit_verify::verify;
use crate::support::eventually;

/// What an installation has that a copy must keep, and what of it has ended.
struct Contents {
    made: Value,
    client: TestClient,
    rotated: TestClient,
    revoked: TestClient,
    alive: String,
    ended: String,
}

impl Contents {
    fn make(server: &Server) -> Self {
        let token = owner(server);
        let body = json!({
            "name": "Übertrag", "description": "d", "scopes": ["orders:read", "x:write"], "default_scopes": ["x:write"],
            "audiences": ["https://a.example"], "allowed_ips": ["127.0.0.1"], "burst_per_second": null,
            "metadata": {"plan": "gold"},
        });
        let (made, client) = created(server, &token, &body);
        let (_, revoked) = created(server, &token, &minimal("revoked"));
        server.api("POST", &format!("/clients/{}/revoke", revoked.id), &token, None);
        let rotate = format!("/clients/{}/rotate-secret", client.id);
        let rotated = with_secret(&server.api("POST", &rotate, &token, Some(&json!({"grace": "1h"}))).body);
        server.cli(&["scope", "create", "orders:read", "--description", "Read orders."]);
        server.cli(&["customer", "create", "--external-id", "acme", "--name", "Acme", "--metadata", "plan=gold"]);
        server.cli(&["customer", "suspend", "acme"]);
        server.cli(&["customer", "create", "--external-id", "gone", "--name", "Gone"]);
        server.cli(&["customer", "delete", "gone", "--yes"]);
        server.cli(&["signing-key", "rotate", "--lead", "1h"]);
        let gone = server.cli(&["signing-key", "rotate", "--algorithm", "EdDSA", "--lead", "1h"]);
        server.cli(&["signing-key", "destroy", gone["kid"].as_str().unwrap(), "--yes"]);
        let alive = text(&server.token(&client).body["access_token"]);
        let ended = text(&server.token(&client).body["access_token"]);
        assert_eq!(server.post_form("/api/oauth/revoke", &client, &[("token", &ended)]).status, 200);
        Self { made, client, rotated, revoked, alive, ended }
    }

    fn assert_is_in(&self, server: &Server) {
        assert_eq!((server.token(&self.client).status, server.token(&self.rotated).status), (200, 200));
        assert_eq!(server.token(&self.revoked).status, 401);
        assert!(is_active(server, &self.client, &self.alive), "tokens live on");
        assert!(!is_active(server, &self.client, &self.ended), "and revoked ones do not come back");
        let shown = server.cli(&["client", "show", &self.client.id]);
        for field in [
            "name",
            "scopes",
            "default_scopes",
            "audiences",
            "allowed_ips",
            "burst_per_second",
            "rate_per_minute",
            "metadata",
            "created_at",
        ] {
            assert_eq!(shown[field], self.made[field], "{field}");
        }
        let acme = server.cli(&["customer", "show", "acme"]);
        assert_eq!((&acme["status"], &acme["metadata"]), (&json!("suspended"), &json!({"plan": "gold"})));
        let again = ["customer", "create", "--external-id", "gone", "--name", "Gone"];
        let taken = end_with(1, &mut server.command(&again));
        assert!(taken.err.contains("external id"), "an external id is not given again: {taken:?}");
    }
}

/// Makes a copy, which tells no secret and takes nothing's place; what the command said of it, and the master key.
fn back_up(server: &Server, contents: &Contents, file: &Path) -> (Value, String) {
    let path = file.to_str().unwrap();
    let said = end_with(0, &mut server.command(&["backup", "--output", path, "--json"]));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert!(report["rows"].as_u64().unwrap() > 20, "{report}");
    assert!(said.err.contains("master key is NOT in this backup"), "{said:?}");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = std::fs::read_to_string(file).unwrap();
    let master_key = keys(&key_file(server)).remove(0);
    for secret in [&master_key, &contents.client.secret, &contents.rotated.secret, &contents.alive] {
        assert!(!copy.contains(secret.as_str()), "no secret is in a copy");
    }
    let again = end_with(1, &mut server.command(&["backup", "--output", path]));
    assert!(again.err.contains(path), "nothing is overwritten: {again:?}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), copy);
    let into_used = end_with(1, &mut server.command(&["restore", "--input", path]));
    assert!(into_used.err.contains("not empty"), "{into_used:?}");
    (report, master_key)
}

fn rows(server: &Server) -> Vec<i64> {
    ["credentials", "credential_secrets", "customers", "deleted_customers", "scopes", "signing_keys", "revoked_tokens"]
        .iter()
        .flat_map(|table| server.database.numbers(&format!("SELECT COUNT(*) AS n FROM {table}")))
        .collect()
}

/// A copy of one installation, made while it serves, is restored in an empty database of `kind`, and continues there.
fn continues_in(database: Database, kind: Kind) {
    let mut server = Server::spawn(database);
    let contents = Contents::make(&server);
    let sealed = |server: &Server| verify(server, 0)["sealed_until"].as_i64();
    eventually("some events are sealed", Duration::from_secs(30), || sealed(&server) > Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.jsonl");
    let (report, master_key) = back_up(&server, &contents, &file);
    let before = rows(&server);
    let set = server.get("/.well-known/jwks.json").body;
    let events = server.events(&["--credential", &contents.client.id]);
    server.kill();

    let (empty, settings) = other_place(kind, &server, &master_key);
    let restore = ["restore", "--input", file.to_str().unwrap(), "--json"];
    let said = end_with(0, &mut program(&empty, &settings, &restore));
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["rows"], report["rows"]);
    assert!(!empty.data_dir().join("master.key").exists(), "no new master key");
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let restored = Server::spawn_with(empty, &borrowed);
    assert_eq!(rows(&restored), before);
    assert_eq!(restored.get("/.well-known/jwks.json").body, set, "the same keys");
    contents.assert_is_in(&restored);
    let after = restored.events(&["--credential", &contents.client.id]);
    assert_eq!(after[after.len() - events.len()..], events, "the audit log is whole");
    let other = restored.client("orders:read");
    assert_eq!(restored.token(&other).status, 200, "and it continues");
    let until = sealed(&restored);
    eventually("its log is intact, and sealed further", Duration::from_secs(30), || sealed(&restored) > until);
    // A change there is followed there.
    restored.cli(&["client", "revoke", &other.id, "--yes"]);
    within_a_second(&401, || restored.token(&other).status);
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
}

#[test]
fn a_copy_of_sqlite_goes_on_in_postgresql() {
    continues_in(Database::without_credentials(Kind::Sqlite), Kind::Postgres);
}

#[test]
fn a_copy_of_postgresql_goes_on_in_sqlite() {
    continues_in(Database::without_credentials(Kind::Postgres), Kind::Sqlite);
}
