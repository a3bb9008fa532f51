//! `sealwright config check`: every setting that `serve` would fail on, by its name and with its file.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::end_with;
use crate::support::{binary, free_port};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = binary();
    command.current_dir(folder).args(arguments);
    command
}

/// What is in a folder that settings can name and not use, with a certificate that fits its key.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let pair = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (own, other) = (pair(), pair());
    write("junk", &"no database at all, but text\n".repeat(10), 0o600);
    write("right.pem", &own.cert.pem(), 0o600);
    write("right.key", &own.signing_key.serialize_pem(), 0o600);
    write("other.key", &other.signing_key.serialize_pem(), 0o600);
    write("short", "too short\n", 0o600);
    write("exposed", &"11".repeat(32), 0o644);
    std::fs::create_dir_all(folder.path().join("folder")).unwrap();
    std::fs::create_dir_all(folder.path().join("damaged")).unwrap();
    write("damaged/master.key", "junk", 0o600);
    for name in ["linked", "piped"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink("nowhere/x.db", folder.path().join("linked/sealwright.db")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("piped/sealwright.db")).status().unwrap().success());
    folder
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "sealwright.toml")
        .collect();
    names.sort();
    names
}

#[test]
fn what_serve_would_fail_on_is_named_with_its_file() {
    let folder = place();
    let port = free_port();
    let before = names_in(folder.path());
    for (text, named) in [
        ("data_dir = 'junk'", "data_dir"),
        ("data_dir = 'junk/below'", "data_dir"),
        ("data_dir = 'damaged'", "data_dir"),
        ("database_url = 'sqlite:junk'", "database_url"),
        ("database_url = 'sqlite:folder'", "database_url"),
        ("database_url = 'sqlite:junk/x.db'", "database_url"),
        ("database_url = 'postgres://u:s3cr3t@[::1/db'", "database_url"),
        ("database_url = 'postgres://u:s3cr3t@127.0.0.1:x/db'", "database_url"),
        ("database_url = 'postgres://u:s3cr3t%zz@127.0.0.1/db'", "database_url"),
        ("database_url = 'postgres://u:s3cr3t@127.0.0.1/db?no_such=1'", "database_url"),
        ("database_url = 'postgres://u:s3cr3t@127.0.0.1/db?sslmode=maybe'", "database_url"),
        ("listen = '192.0.2.1:8080'\npublic_url = 'https://a.example'", "listen"),
        ("tls_certificate = 'none.pem'\ntls_key = 'right.key'", "tls_certificate"),
        ("tls_certificate = 'junk'\ntls_key = 'right.key'", "tls_certificate"),
        ("tls_certificate = 'right.pem'\ntls_key = 'none.key'", "tls_key"),
        ("tls_certificate = 'right.pem'\ntls_key = 'other.key'", "tls_key"),
        ("master_key_file = 'none'", "master_key_file"),
        ("master_key_file = 'folder'", "master_key_file"),
        ("master_key_file = 'short'", "master_key_file"),
        ("master_key_file = 'exposed'", "master_key_file"),
        ("audit_json_lines = 'none/lines'", "audit_json_lines"),
        ("audit_json_lines = 'folder'", "audit_json_lines"),
        ("signing_key_lead = '1d'\nsigning_key_rotation = '1h'", "signing_key_rotation"),
        ("[environments.staging]\ntoken_typ = 'x'", "environments.staging.token_typ"),
        (&format!("public_url = 'https://a.example/{}'", "x".repeat(600)), "public_url"),
    ] {
        let listen = if text.contains("listen") { String::new() } else { format!("listen = '127.0.0.1:{port}'\n") };
        std::fs::write(folder.path().join("sealwright.toml"), format!("{listen}{text}\n")).unwrap();
        let ended = end_with(2, &mut command(folder.path(), &["config", "check"]));
        assert!(ended.err.contains(&format!("setting {named}: ")), "{text}: {ended:?}");
        assert!(ended.err.contains("(in sealwright.toml)") && ended.err.lines().count() == 1, "{text}: {ended:?}");
        assert_eq!(names_in(folder.path()), before, "nothing was made: {text}");
        // It is no false alarm.
        let served = super::end(&mut command(folder.path(), &["serve"]));
        assert!([1, 2].contains(&served.status), "{text}: {served:?}");
        for said in [&ended.err, &served.err] {
            assert!(!said.contains("s3cr3t"), "{text}: {said}");
        }
        for made in names_in(folder.path()).iter().filter(|name| !before.contains(name)) {
            let _made_by_serve = std::fs::remove_dir_all(folder.path().join(made));
        }
    }
}

#[test]
fn a_file_is_one_and_has_one_use() {
    let folder = place();
    for (text, named) in [
        // A link that leads into a folder that is missing; a pipe that nobody writes.
        ("data_dir = 'linked'", "data_dir"),
        ("data_dir = 'piped'", "data_dir"),
        ("database_url = 'sqlite:new/'", "database_url"),
        ("audit_json_lines = './sealwright-data/master.key'", "audit_json_lines"),
        ("audit_json_lines = 'sealwright-data/sealwright.db-wal'", "audit_json_lines"),
        ("audit_json_lines = 'right.key'\nmaster_key_file = 'right.key'", "audit_json_lines"),
    ] {
        std::fs::write(folder.path().join("sealwright.toml"), format!("listen = '127.0.0.1:0'\n{text}\n")).unwrap();
        let said = end_with(2, &mut command(folder.path(), &["config", "check"])).err;
        assert!(said.contains(&format!("setting {named}: ")), "{text}: {said}");
        let served = super::end(&mut command(folder.path(), &["serve"]));
        assert!([1, 2].contains(&served.status), "it is no false alarm: {text}: {served:?}");
    }
}

/// An empty path would be that of the current folder.
#[test]
fn an_empty_path_is_named_and_so_is_an_address_that_has_no_metadata() {
    let folder = place();
    let before = names_in(folder.path());
    for (text, named) in [
        ("audit_json_lines = ''", "audit_json_lines"),
        ("data_dir = ''", "data_dir"),
        ("master_key_file = ''", "master_key_file"),
        ("tls_certificate = ''\ntls_key = 'right.key'", "tls_certificate"),
        ("tls_certificate = 'right.pem'\ntls_key = ''", "tls_key"),
        ("public_url = 'https://a.example/b%20c'", "public_url"),
        ("audit_json_lines = 'folder'", "audit_json_lines"),
    ] {
        std::fs::write(folder.path().join("sealwright.toml"), text).unwrap();
        let said = end_with(2, &mut command(folder.path(), &["config", "check", "--json"])).err;
        assert!(
            said.contains(&format!("setting {named}: ")) && said.contains("(in sealwright.toml)"),
            "{text}: {said}"
        );
        assert!(said.contains(r#""code":"invalid_settings""#), "{text}: {said}");
        if !text.contains("'folder'") {
            end_with(2, &mut command(folder.path(), &["init"]));
        }
        assert_eq!(names_in(folder.path()), before, "nothing was made: {text}");
    }
}

#[test]
fn all_unknown_names_and_wrong_types_are_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = "no_such = 1\nworkers = 'many'\nkeep_alive = 75\n[environments.staging]\nno_more = 1\n";
    std::fs::write(folder.path().join("sealwright.toml"), text).unwrap();
    let mut check = command(folder.path(), &["config", "check"]);
    let said = end_with(2, check.env("SEALWRIGHT_PUBLIC_DOCS", "maybe").env("SEALWRIGHT_NOT_THIS", "1")).err;
    for named in [
        "unknown setting no_such (in sealwright.toml)",
        "setting workers: must be a whole number (in sealwright.toml)",
        "setting keep_alive: must be a string (in sealwright.toml)",
        "unknown setting environments.staging.no_more (in sealwright.toml)",
        "setting public_docs: must be true or false (variable SEALWRIGHT_PUBLIC_DOCS)",
        "unknown setting not_this (variable SEALWRIGHT_NOT_THIS)",
    ] {
        assert!(said.contains(named), "{named}: {said}");
    }
}

/// Each once: what is wrong with a name or a type is no reason to look for more of the same setting.
#[test]
fn names_types_and_values_are_told_in_one_round() {
    let folder = tempfile::tempdir().unwrap();
    let text = "no_such = 1\nworkers = 'many'\nkeep_alive = 'x'\nkey_brand = 'UPPER'\nlisten = 8080\n\
                tls_certificate = 1\ntls_key = 'x'\n[environments.staging]\ntoken_typ = 1\n";
    std::fs::write(folder.path().join("sealwright.toml"), text).unwrap();
    for arguments in [["config", "check"], ["client", "list"]] {
        let mut command = command(folder.path(), &arguments);
        let said = end_with(2, command.env("SEALWRIGHT_ROTATION_AGE", "soon")).err;
        for (named, place) in [
            ("unknown setting no_such", "(in sealwright.toml)"),
            ("setting workers: must be a whole number", "(in sealwright.toml)"),
            ("setting keep_alive: ", "(in sealwright.toml)"),
            ("setting key_brand: ", "(in sealwright.toml)"),
            ("setting listen: must be a string", "(in sealwright.toml)"),
            ("setting tls_certificate: must be a string", "(in sealwright.toml)"),
            ("setting environments.staging.token_typ: must be a string", "(in sealwright.toml)"),
            ("setting rotation_age: ", "(variable SEALWRIGHT_ROTATION_AGE)"),
        ] {
            let (_, rest) = said.split_once(named).unwrap_or_else(|| panic!("{named}: {said}"));
            assert!(rest.split("; ").next().unwrap().ends_with(place) || rest.trim_end().ends_with(place), "{said}");
        }
        assert_eq!((said.matches("setting ").count(), said.lines().count()), (8, 1), "{said}");
    }
}

/// SQLite would make a file of the name, or keep nothing.
#[test]
fn a_database_url_is_the_path_of_a_file() {
    let folder = place();
    let before = names_in(folder.path());
    for (url, wrong) in [
        ("sqlite::memory:", "in memory"),
        ("sqlite://:memory:", "in memory"),
        ("sqlite:file::memory:?cache=shared", "in memory"),
        ("sqlite:x.db?mode=memory", "in memory"),
        ("sqlite:file:x.db", "path"),
        ("sqlite://x.db?mode=rwc", "path"),
        ("sqlite:", "path"),
        ("sqlite://", "path"),
    ] {
        for arguments in [&["config", "check"][..], &["serve"], &["init"], &["client", "list"]] {
            let said = end_with(2, command(folder.path(), arguments).args(["--database-url", url])).err;
            assert!(said.contains("setting database_url: ") && said.contains(wrong), "{url}: {said}");
            assert!(said.contains("(option --database-url)") && said.lines().count() == 1, "{url}: {said}");
        }
    }
    assert_eq!(names_in(folder.path()), before, "nothing was made");
}

#[test]
fn all_that_is_wrong_is_named_at_once_and_where_it_was_set() {
    let folder = place();
    let text = "max_connections = 0\nkeep_alive = 'x'\nsigning_key_lead = '0s'\nkey_brand = 'UPPER'\n";
    std::fs::write(folder.path().join("sealwright.toml"), text).unwrap();
    let mut check = command(folder.path(), &["config", "check", "--json", "--public-url", "ftp://x"]);
    check.env("SEALWRIGHT_ROTATION_AGE", "soon").env("SEALWRIGHT_ENVIRONMENTS__STAGING__TOKEN_TYP", "x");
    let said: Value = serde_json::from_str(&end_with(2, &mut check).err).unwrap();
    let said = said["error"].to_string();
    for (setting, place) in [
        ("max_connections", "(in sealwright.toml)"),
        ("keep_alive", "(in sealwright.toml)"),
        ("signing_key_lead", "(in sealwright.toml)"),
        ("key_brand", "(in sealwright.toml)"),
        ("rotation_age", "(variable SEALWRIGHT_ROTATION_AGE)"),
        ("environments.staging.token_typ", "(variable SEALWRIGHT_ENVIRONMENTS__STAGING__TOKEN_TYP)"),
        ("public_url", "(option --public-url)"),
    ] {
        let (_, rest) = said.split_once(&format!("setting {setting}: ")).unwrap_or_else(|| panic!("{setting}: {said}"));
        assert!(rest.split("; ").next().unwrap().contains(place), "{setting}: {said}");
    }
    // What is found only by looking is found at once, too.
    let text = "tls_certificate = 'none'\ntls_key = 'no key'\nmaster_key_file = 'short'\ndata_dir = 'junk'\n";
    std::fs::write(folder.path().join("sealwright.toml"), text).unwrap();
    let said = end_with(2, &mut command(folder.path(), &["config", "check"])).err;
    for setting in ["tls_certificate", "tls_key", "master_key_file", "data_dir"] {
        assert!(said.contains(&format!("setting {setting}: ")), "{said}");
    }
}

#[test]
fn settings_that_serve_can_use_are_right() {
    let folder = place();
    let port = free_port();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let listen = format!("127.0.0.1:{port}");
    for arguments in [
        // A running server has the port.
        &["--listen", &listen][..],
        &["--database-url", "postgres://u:p@db1.example:5432,db2.example:5433/x?target_session_attrs=read-write"],
        &["--database-url", "postgres://u@/x?host=db1.example,db2.example&port=5432,5433"],
        &["--database-url", "postgres:///x?host=/run/postgresql&user=u"],
        &["--data-dir", "new/below"],
        &["--database-url", "sqlite:new/x.db"],
    ] {
        end_with(0, command(folder.path(), &["config", "check"]).args(arguments));
    }
    // The server makes the folder first.
    let mut check = command(folder.path(), &["config", "check", "--data-dir", "new"]);
    end_with(0, check.env("SEALWRIGHT_AUDIT_JSON_LINES", "new/events.jsonl"));
    assert!(!folder.path().join("new").exists());
}

#[test]
fn settings_are_read_from_a_pipe_and_never_passed_over() {
    let folder = place();
    let mut check = command(folder.path(), &["config", "check", "--json", "--config", "/dev/stdin"]);
    let mut child = check.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"key_brand = 'acme'\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["key_brand"]["value"], &shown["key_brand"]["source"]), (&"acme".into(), &"file".into()));
    // What is there and cannot be read is no reason to go by the defaults.
    let file = folder.path().join("sealwright.toml");
    std::os::unix::fs::symlink("nowhere", &file).unwrap();
    assert!(end_with(2, &mut command(folder.path(), &["config", "check"])).err.contains("sealwright.toml"));
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(end_with(2, &mut command(folder.path(), &["config", "check"])).err.contains("sealwright.toml"));
}
