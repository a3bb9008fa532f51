//! `sealwright doctor`.

use std::time::Duration;

use serde_json::Value;

use super::end_with;
use crate::api::text;
use crate::support::{Server, binary, both, eventually};

fn verdicts(out: &str) -> Vec<(String, String)> {
    let findings: Value = serde_json::from_str(out).unwrap_or_else(|_| panic!("no JSON: {out}"));
    findings["data"].as_array().unwrap().iter().map(|row| (text(&row["check"]), text(&row["verdict"]))).collect()
}

fn has_error(out: &str, check: &str) -> bool {
    verdicts(out).iter().any(|(at, verdict)| at == check && verdict == "error")
}

both! {
    fn a_healthy_installation_has_no_errors(database: without_credentials) {
        let server = Server::spawn(database);
        // What was stored before the start is sealed after some seconds.
        eventually("the loops have followed the log", Duration::from_secs(30), || {
            !end_with(0, &mut server.command(&["doctor", "--json"])).out.contains("audit log")
        });
        let ended = end_with(0, &mut server.command(&["doctor", "--json"]));
        assert!(verdicts(&ended.out).iter().all(|(_, verdict)| verdict == "ok"), "{}", ended.out);
        for check in ["settings", "database", "schema", "master key", "signing keys of production"] {
            assert!(verdicts(&ended.out).iter().any(|(at, _)| at == check), "{check}: {}", ended.out);
        }
        let table = end_with(0, &mut server.command(&["doctor"])).out;
        assert!(table.starts_with("CHECK"), "{table}");
        let insecure = end_with(0, server.command(&["doctor", "--json"]).env("SEALWRIGHT_ALLOW_INSECURE_HTTP", "true"));
        assert!(insecure.out.contains("warning"), "a warning is no error: {}", insecure.out);
    }

    fn a_wrong_or_missing_master_key_is_an_error(database: without_credentials) {
        let mut server = Server::spawn(database);
        let client = server.client("orders:read");
        server.kill();
        let file = server.database.data_dir().join("master.key");
        let right = std::fs::read_to_string(&file).unwrap();
        let wrong = "00".repeat(32);
        for (text, said) in [
            (Some(format!("{wrong}\n")), "wrong master key"),
            (Some("short\n".to_owned()), "32 bytes"),
            (Some(String::new()), "no master key"),
            (None, "no master key"),
        ] {
            match &text {
                Some(text) => std::fs::write(&file, text).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let ended = end_with(1, &mut server.command(&["doctor", "--json"]));
            assert!(has_error(&ended.out, "keys") && ended.out.contains(said), "{text:?}: {ended:?}");
            for arguments in [
                vec!["client", "list"],
                vec!["serve"],
                vec!["master-key", "rotate"],
                vec!["client", "create", "--name", "x", "--scope", "a"],
            ] {
                let ended = end_with(1, &mut server.command(&arguments));
                assert!(ended.err.contains(said), "{arguments:?}: {ended:?}");
                assert!(!ended.err.contains("short") && !ended.err.contains(&wrong), "{ended:?}");
            }
            assert_eq!(std::fs::read_to_string(&file).ok(), text, "no new key is made, nor is one changed");
        }
        let ended = end_with(1, server.command(&["serve"]).env("SEALWRIGHT_MASTER_KEY", &wrong));
        assert!(ended.err.contains("wrong master key"), "{ended:?}");
        // The right one, in whichever place, and everything is as it was.
        end_with(0, server.command(&["doctor"]).env("SEALWRIGHT_MASTER_KEY", right.trim()));
        use std::io::Write as _;
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let mut made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).unwrap();
        made.write_all(right.as_bytes()).unwrap();
        server.restart();
        assert_eq!(server.token(&client).status, 200);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let ended = end_with(1, &mut server.command(&["doctor", "--json"]));
        assert!(ended.out.contains("0600"), "a key that everybody can read is refused: {ended:?}");
    }
}

#[test]
fn what_cannot_be_used_or_reached_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = || {
        let mut command = binary();
        command.current_dir(folder.path()).args(["doctor", "--json"]);
        command
    };
    let missing = end_with(1, &mut doctor());
    assert!(has_error(&missing.out, "data folder") && missing.out.contains("sealwright-data"), "{missing:?}");
    assert!(!folder.path().join("sealwright-data").exists(), "and it is not made");
    let unreachable = end_with(1, doctor().env("SEALWRIGHT_DATABASE_URL", "postgres://u:s3cr3t@127.0.0.1:1/x"));
    assert!(has_error(&unreachable.out, "database") && !unreachable.out.contains("s3cr3t"), "{unreachable:?}");
    let misconfigured = end_with(1, doctor().env("SEALWRIGHT_LISTEN", "x"));
    assert!(has_error(&misconfigured.out, "settings"), "{misconfigured:?}");
    std::fs::write(folder.path().join("junk"), "no database at all, but text that goes on for a while\n".repeat(100))
        .unwrap();
    let junk = end_with(1, doctor().env("SEALWRIGHT_DATABASE_URL", "sqlite:junk"));
    assert!(junk.out.contains("error"), "{junk:?}");
}
