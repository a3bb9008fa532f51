//! Where an installation is and whom it belongs to: `init`, wrong folders, and folders of other users.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{end, end_with};
use crate::support::{Database, Kind, Server, both, uid};

/// A user that no one is. Only root can give files to it: the tests that need it do nothing else without root.
const OTHER: u32 = 47_110;

fn program(database: &Database, arguments: &[&str]) -> Command {
    let mut command = crate::support::binary();
    command.env("SEALWRIGHT_DATA_DIR", database.data_dir()).current_dir(database.folder.path());
    command.envs(database.url().map(|url| ("SEALWRIGHT_DATABASE_URL", url))).args(arguments);
    command
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn files(database: &Database) -> Vec<PathBuf> {
    fs::read_dir(database.data_dir()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn give_away(database: &Database) {
    for path in files(database).into_iter().chain([database.data_dir()]) {
        chown(path, Some(OTHER), Some(OTHER)).unwrap();
    }
}

/// Commands that work with an installation.
const COMMANDS: [&[&str]; 16] = [
    &["client", "list"],
    &["client", "create", "--name", "n", "--scope", "a"],
    &["key", "list"],
    &["key", "create", "--name", "n", "--scope", "a"],
    &["customer", "list"],
    &["user", "list"],
    &["role", "list"],
    &["scope", "list"],
    &["signing-key", "list"],
    &["audit", "list"],
    &["revoke-all", "--environment", "staging", "--dry-run"],
    &["master-key", "rotate"],
    &["backup", "--output", "copy"],
    &["migrate"],
    &["restore", "--input", "copy"],
    &["doctor"],
];

both! {
    fn an_installation_is_made_once_and_what_to_back_up_is_said(database: empty) {
        let said = end_with(0, &mut program(&database, &["init", "--json"]));
        let made: Value = serde_json::from_str(&said.out).unwrap();
        let (folder, key) = (database.data_dir(), database.data_dir().join("master.key"));
        assert_eq!((made["data_dir"].as_str(), made["master_key"].as_str()), (folder.to_str(), key.to_str()));
        assert_eq!(made["master_key_created"], true);
        assert!(said.err.contains(key.to_str().unwrap()) && said.err.contains("sealwright backup"), "{said:?}");
        assert_eq!((mode(&folder), mode(&key)), (0o700, 0o600));
        let text = fs::read_to_string(&key).unwrap();
        assert!(!said.out.contains(text.trim()) && !said.err.contains(text.trim()), "the key itself is not said");
        end_with(0, &mut program(&database, &["client", "create", "--name", "n", "--scope", "a"]));
        end_with(0, &mut program(&database, &["doctor"]));

        let again = end_with(1, &mut program(&database, &["init"]));
        assert!(again.err.contains("already"), "{again:?}");
        assert_eq!(fs::read_to_string(&key).unwrap(), text, "nothing was changed");
        assert_eq!(database.numbers("SELECT COUNT(*) AS n FROM credentials"), [1]);
    }

    fn a_master_key_that_is_given_is_not_made(database: empty) {
        let mut init = program(&database, &["init", "--json"]);
        let said = end_with(0, init.env("SEALWRIGHT_MASTER_KEY", "11".repeat(32)));
        let made: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((&made["master_key"], &made["master_key_created"]), (&Value::Null, &false.into()));
        assert!(said.err.contains("SEALWRIGHT_MASTER_KEY") && !said.err.contains("1111"), "{said:?}");
        assert!(!database.data_dir().join("master.key").exists());
    }

    fn a_wrong_folder_becomes_no_installation(database: empty) {
        let folder = database.data_dir();
        fs::write(database.folder.path().join("copy"), "").unwrap();
        let on_server = |arguments: &&[&str]| !["migrate", "restore"].contains(&arguments[0]);
        let refused = |arguments: &[&str], word: &str| {
            let ended = end_with(1, &mut program(&database, arguments));
            let said = format!("{}{}", ended.err, ended.out);
            assert!(said.contains(folder.to_str().unwrap()) && said.contains(word), "{arguments:?}: {ended:?}");
        };
        for arguments in COMMANDS.iter().filter(|all| database.kind == Kind::Sqlite || on_server(all)) {
            refused(arguments, "sealwright init");
            assert!(!folder.exists(), "{arguments:?}");
        }
        // A folder of something else.
        fs::create_dir(&folder).unwrap();
        for arguments in COMMANDS.iter().filter(|all| on_server(all) || all[0] == "migrate") {
            if database.kind == Kind::Sqlite || on_server(arguments) && arguments[0] != "doctor" {
                refused(arguments, "sealwright init");
                assert_eq!(files(&database), Vec::<PathBuf>::new(), "{arguments:?}");
            }
        }
        fs::remove_dir(&folder).unwrap();
        fs::write(&folder, "a file").unwrap();
        if database.kind == Kind::Sqlite {
            refused(&["client", "list"], "is not a folder");
            symlink(database.folder.path().join("nowhere"), folder.with_file_name("link")).unwrap();
            let lost = end_with(1, program(&database, &["client", "list"]).args(["--data-dir", "link"]));
            assert!(lost.err.contains("link does not exist"), "{lost:?}");
        }
    }

    fn a_folder_behind_a_link_is_as_good(database: empty) {
        let target = database.folder.path().join("target");
        fs::create_dir(&target).unwrap();
        symlink(&target, database.data_dir()).unwrap();
        for arguments in [&["init"][..], &["client", "list"], &["master-key", "rotate"], &["doctor"]] {
            end_with(0, &mut program(&database, arguments));
        }
        assert!(database.data_dir().is_symlink() && target.join("master.key").is_file());
    }

    fn the_first_start_says_that_a_master_key_was_made(database: empty) {
        let mut server = Server::spawn(database);
        let key = server.database.data_dir().join("master.key").display().to_string();
        let first = server.log();
        let line = first.lines().find(|line| line.contains(&key)).unwrap_or_else(|| panic!("{first}"));
        assert!(line.contains("WARN") && line.contains("Keep a copy"), "{line}");
        server.restart();
        assert!(!server.log().contains("master key"), "{}", server.log());
    }

    fn a_command_of_another_user_than_the_owner_is_refused(database: without_credentials) {
        if uid() != 0 {
            return;
        }
        give_away(&database);
        let events = || database.numbers("SELECT COUNT(*) AS n FROM audit_log");
        let (before, key) = (events(), database.data_dir().join("master.key"));
        let text = fs::read_to_string(&key).unwrap();
        let writers: Vec<&[&str]> = match database.kind {
            Kind::Sqlite => COMMANDS.into_iter().filter(|all| all[0] != "doctor").chain([&["serve"][..]]).collect(),
            // Only the master key is in the folder.
            Kind::Postgres => vec![&["master-key", "rotate"]],
        };
        for arguments in writers {
            let ended = end_with(1, &mut program(&database, arguments));
            assert!(ended.err.contains(&OTHER.to_string()) && ended.err.contains("--force"), "{ended:?}");
        }
        assert_eq!((events(), fs::read_to_string(&key).unwrap()), (before, text.clone()), "nothing was written");

        if database.kind == Kind::Postgres {
            end_with(0, &mut program(&database, &["client", "list"]));
        }
        let forced = end_with(0, &mut program(&database, &["--force", "master-key", "rotate"]));
        assert!(forced.err.contains("warning: data folder"), "{forced:?}");
        assert_ne!(fs::read_to_string(&key).unwrap(), text);
        for path in files(&database) {
            let found = fs::metadata(&path).unwrap();
            let owner = (found.uid(), found.gid(), found.mode() & 0o777);
            assert_eq!(owner, (OTHER, OTHER, 0o600), "{}", path.display());
        }
        end_with(0, &mut program(&database, &["doctor"]));
    }

    /// Whoever runs them: root, another user, the owner.
    fn config_check_and_doctor_tell_whom_serve_refuses(database: without_credentials) {
        if uid() != 0 {
            return;
        }
        let copy = database.folder.path().join("sealwright");
        fs::copy(env!("CARGO_BIN_EXE_sealwright"), &copy).unwrap();
        set_mode(database.folder.path(), 0o755);
        give_away(&database);
        let run = |user: u32, status: i32, arguments: &[&str]| {
            let mut command = Command::new(&copy);
            command.env_clear().env("SEALWRIGHT_DATA_DIR", database.data_dir()).uid(user).args(arguments);
            end_with(status, command.envs(database.url().map(|url| ("SEALWRIGHT_DATABASE_URL", url))))
        };
        if database.kind == Kind::Postgres {
            // The master key is only read.
            run(0, 0, &["config", "check"]);
            set_mode(&database.data_dir(), 0o500);
            run(OTHER, 0, &["config", "check"]);
            return;
        }
        let whose = format!("data folder {} belongs to user {OTHER}, and", database.data_dir().display());
        for user in [0, OTHER + 1] {
            let (served, check) = (run(user, 1, &["serve"]), run(user, 2, &["config", "check"]));
            for said in [&served.err, &check.err] {
                assert!(said.contains(&whose) && said.contains(&format!("runs as user {user}")), "{said}");
                assert!(said.contains("--force") && said.lines().count() == 1, "{said}");
            }
            assert!(check.err.contains(&format!("setting data_dir: {whose}")), "{check:?}");
        }
        let warned = run(0, 0, &["doctor"]).out;
        assert!(warned.contains(&whose) && warned.contains("warning") && warned.contains("`serve`"), "{warned}");
        run(OTHER + 1, 1, &["doctor"]);
        run(0, 0, &["--force", "config", "check"]);
        run(OTHER, 0, &["config", "check"]);
    }

    /// Also what root makes with `--force` belongs to whom the folder belongs to.
    fn what_root_makes_in_another_user_s_folder_is_that_user_s(database: empty) {
        if uid() != 0 {
            return;
        }
        fs::create_dir(database.data_dir()).unwrap();
        give_away(&database);
        let refused = end_with(1, &mut program(&database, &["init"]));
        assert!(refused.err.contains("--force"), "{refused:?}");
        assert_eq!(files(&database), Vec::<PathBuf>::new());
        end_with(0, &mut program(&database, &["init", "--force"]));
        assert!(!files(&database).is_empty());
        for path in files(&database) {
            assert_eq!(fs::metadata(&path).unwrap().uid(), OTHER, "{}", path.display());
        }
    }

    /// A file of the operator's own: whoever may read it must still be able to, and a link to it remains one.
    fn a_rotation_keeps_owner_mode_and_link_of_the_master_key(database: without_credentials) {
        let file = database.folder.path().join("keys").join("master");
        let link = database.folder.path().join("link");
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::rename(database.data_dir().join("master.key"), &file).unwrap();
        symlink("keys/master", &link).unwrap();
        let owner = if uid() == 0 { OTHER } else { uid() };
        if uid() == 0 {
            chown(&file, Some(OTHER), Some(OTHER)).unwrap();
        }
        for kept in [0o640, 0o400] {
            set_mode(&file, kept);
            let before = fs::read_to_string(&file).unwrap();
            let mut rotate = program(&database, &["master-key", "rotate"]);
            end_with(0, rotate.env("SEALWRIGHT_MASTER_KEY_FILE", &link));
            assert!(fs::read_to_string(&file).unwrap().ends_with(&before) && link.is_symlink());
            assert_eq!((fs::metadata(&file).unwrap().uid(), mode(&file)), (owner, kept));
            assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        }
    }

    fn the_doctor_sees_who_may_use_the_folder(database: without_credentials) {
        let errors = || {
            let ended = end(&mut program(&database, &["doctor", "--json"]));
            let findings: Value = serde_json::from_str(&ended.out).unwrap();
            let wrong = findings["data"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == "error");
            let wrong: Vec<String> = wrong.map(|finding| finding["finding"].as_str().unwrap().to_owned()).collect();
            assert_eq!(ended.status, i32::from(!wrong.is_empty()), "{wrong:?}");
            wrong.join("; ")
        };
        assert_eq!(errors(), "");
        let file = |name: &str| database.data_dir().join(name);
        let mut parts = vec![(database.data_dir(), 0o777), (file("master.key"), 0o644)];
        if database.kind == Kind::Sqlite {
            parts.push((file("sealwright.db"), 0o644));
        }
        for (path, wrong) in &parts {
            let right = mode(path);
            set_mode(path, *wrong);
            let said = errors();
            assert!(said.contains(path.to_str().unwrap()) && said.contains(&format!("{wrong:04o}")), "{said}");
            set_mode(path, right);
        }
        assert_eq!(errors(), "");
        if uid() != 0 {
            return;
        }
        // As the rotation of a root that did not keep it left it, and the other way round.
        for (path, _) in &parts[1..] {
            chown(path, Some(OTHER), Some(OTHER)).unwrap();
            let said = errors();
            assert!(said.contains(path.to_str().unwrap()) && said.contains(&OTHER.to_string()), "{said}");
            chown(path, Some(0), Some(0)).unwrap();
        }
        give_away(&database);
        assert_eq!(errors(), "");
        chown(file("master.key"), Some(0), Some(0)).unwrap();
        assert!(errors().contains("user 0 (root)"), "{}", errors());
    }
}

#[test]
fn a_place_where_nothing_can_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["init"][..], &["serve"]] {
        let mut command = crate::support::binary();
        command.current_dir(folder.path()).args(["--listen", "127.0.0.1:0", "--data-dir", "/proc/sealwright"]);
        let ended = end_with(1, command.args(arguments));
        assert!(ended.err.contains("/proc/sealwright"), "{ended:?}");
    }
}
