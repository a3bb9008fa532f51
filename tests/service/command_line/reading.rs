//! What people read of commands, and what shells and scripts read.

use std::process::Command;

use serde_json::{Value, json};

use super::{end, end_with};
use crate::api::{text, texts};
use crate::support::{Server, binary, both};

both! {
    /// The secret comes first, then what to do with it; everything else is `show`'s.
    fn creating_and_rotating_prints_the_secret_and_little_else(database: without_credentials) {
        let server = Server::start(database);
        let create = |kind: &'static str| vec![kind, "create", "--name", "x", "--scope", "orders:read"];
        let client = end_with(0, &mut server.command(&create("client")));
        let key = end_with(0, &mut server.command(&create("key")));
        let id_of = |out: &str| out.lines().nth(1).unwrap().split_whitespace().last().unwrap().to_owned();
        let rotate_client = ["client", "rotate-secret", &id_of(&client.out)];
        let rotate_key = ["key", "rotate", &id_of(&key.out)];
        let rotated = [rotate_client, rotate_key].map(|arguments| end_with(0, &mut server.command(&arguments)));
        let [client_again, key_again] = rotated;
        for (ended, secret, id, show) in [
            (client, "client_secret  sws_", "client_id      cli_", "sealwright client show cli_"),
            (key, "key  sw_live_", "id   key_", "sealwright key show key_"),
            (client_again, "client_secret  sws_", "client_id      cli_", "sealwright client show cli_"),
            (key_again, "key  sw_live_", "id   key_", "sealwright key show key_"),
        ] {
            let lines: Vec<&str> = ended.out.lines().collect();
            assert_eq!(lines.len(), 2, "{ended:?}");
            assert!(lines[0].starts_with(secret) && lines[1].starts_with(id), "{ended:?}");
            assert!(ended.err.contains("not shown again") && ended.err.contains(show), "{ended:?}");
            let value = lines[0].split_whitespace().last().unwrap();
            assert!(!ended.err.contains(value), "scripts log standard error");
        }
    }

    fn scopes_are_named_one_by_one_or_together(database: without_credentials) {
        let server = Server::start(database);
        let sorted = ["a:read", "b:read", "c:read", "d:read"];
        for together in [
            &["--scope", "a:read,b:read,c:read,d:read"][..],
            &["--scope", "a:read b:read c:read d:read"],
            &["--scope", "d:read, c:read", "--scope", "b:read", "--scope", " a:read,"],
        ] {
            let run = |arguments: &[&str]| server.cli(&[arguments, together].concat());
            let client = run(&["client", "create", "--name", "x", "--default-scope", "a:read,b:read"]);
            assert_eq!(texts(&client["scopes"]), sorted);
            assert_eq!(texts(&client["default_scopes"]), sorted[..2]);
            let key = run(&["key", "create", "--name", "x"]);
            assert_eq!(texts(&key["scopes"]), sorted);
            let verified = run(&["key", "verify", key["key"].as_str().unwrap()]);
            assert_eq!(verified["valid"], true);
            assert_eq!(texts(&run(&["role", "create", "support"])["scopes"]), sorted);
            assert_eq!(texts(&run(&["role", "update", "support"])["scopes"]), sorted);
            server.cli(&["role", "delete", "support", "--yes"]);
        }
        let key = server.key("orders:read");
        let verify = ["key", "verify", &key.key, "--scope", "orders:read,x", "--json"];
        let verified = end_with(1, &mut server.command(&verify));
        assert_eq!(serde_json::from_str::<Value>(&verified.out).unwrap()["code"], "INSUFFICIENT_SCOPE");
        for scope in ["", ",", "a:read,sealwright.x"] {
            let ended = end_with(2, &mut server.command(&["key", "create", "--name", "x", "--scope", scope]));
            assert!(ended.err.contains("--scope"), "{ended:?}");
        }
    }

    /// For scripts: one object, with a code that does not change.
    fn errors_in_json_have_a_code_and_a_message(database: without_credentials) {
        let server = Server::start(database);
        let revoked = server.key("orders:read").id;
        server.cli(&["key", "revoke", &revoked, "--yes"]);
        for (status, arguments, code) in [
            (2, vec!["key", "list", "--no-such"], "usage"),
            (2, vec!["key", "create", "--name", "x"], "usage"),
            (2, vec!["key", "create", "--name", "x", "--scope", "a\\b"], "invalid_input"),
            (2, vec!["client", "list", "--listen", "x"], "invalid_settings"),
            (2, vec!["revoke-all", "--environment", "production"], "confirmation_required"),
            (1, vec!["key", "show", "key_1"], "not_found"),
            (1, vec!["key", "enable", &revoked], "revoked"),
            (1, vec!["role", "delete", "auditor", "--yes"], "built_in_role"),
            (1, vec!["backup", "--output", "/nowhere/file"], "unavailable"),
        ] {
            let ended = end_with(status, server.command(&arguments).arg("--json"));
            let error: Value = serde_json::from_str(&ended.err).unwrap_or_else(|_| panic!("{ended:?}"));
            let found = (&error["error"]["code"], ended.out.as_str());
            assert_eq!(found, (&json!(code), ""), "{arguments:?}: {ended:?}");
            assert_eq!(error.as_object().unwrap().len(), 1);
            assert!(!text(&error["error"]["message"]).is_empty());
            assert_eq!(error["error"].as_object().unwrap().len(), 2);
        }
    }
}

#[test]
fn every_help_has_an_example() {
    for arguments in [vec!["client", "create"], vec!["revoke-all"], vec!["completions"], vec!["signing-key", "destroy"]]
    {
        let help = end_with(0, binary().args(&arguments).arg("--help")).out;
        assert!(help.contains(&format!("  sealwright {}", arguments.join(" "))), "{help}");
    }
}

#[test]
fn shells_complete_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = end_with(0, binary().current_dir(folder.path()).args(["completions", shell])).out;
        for word in ["rotate-secret", "signing-key", "expires-in"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    end_with(2, binary().current_dir(folder.path()).args(["completions", "tcsh"]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    let script = end_with(0, binary().args(["completions", "bash"])).out;
    std::fs::write(folder.path().join("completions"), script).unwrap();
    let ask = r#". ./completions; COMP_WORDS=(sealwright client rot); COMP_CWORD=2; _sealwright sealwright rot client
        echo "${COMPREPLY[@]}""#;
    let completed = end_with(0, Command::new("bash").current_dir(folder.path()).args(["-c", ask])).out;
    assert_eq!(completed.trim(), "rotate-secret");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let page = end_with(0, binary().arg("man")).out;
    assert!(page.contains(".TH sealwright 1") && page.contains("revoke"), "{page}");
    let pages = folder.path().join("man1");
    end_with(0, binary().args(["man", "--output", pages.to_str().unwrap()]));
    let create = std::fs::read_to_string(pages.join("sealwright-client-create.1")).unwrap();
    assert!(create.contains("Example") && create.contains("audience"), "{create}");
    for name in ["sealwright.1", "sealwright-revoke-all.1", "sealwright-signing-key-destroy.1"] {
        assert!(pages.join(name).is_file(), "{name}");
    }
    let ended = end(binary().args(["man", "--output", "/proc/nowhere", "--json"]));
    assert_eq!(ended.status, 1, "{ended:?}");
}
