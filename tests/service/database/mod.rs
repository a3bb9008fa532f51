//! The databases: their schema, their transport security, and what becomes of the service when they fail.

mod cut;
mod leases;
mod link;
mod migrations;
mod nodes;
mod outage;
pub mod positions;
mod postgres_limits;
mod postgres_tls;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Database, Kind, binary, free_port, holds_within};

/// The program on `database`, for a command that no running server is needed for.
pub fn command_on(database: &Database, settings: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = binary();
    command.env("SEALWRIGHT_DATA_DIR", database.data_dir());
    if let Some(url) = database.url() {
        command.env("SEALWRIGHT_DATABASE_URL", url);
    }
    command.envs(settings.iter().map(|(name, value)| (format!("SEALWRIGHT_{name}"), value)));
    command.args(arguments);
    command
}

/// Runs a command that must fail with status 1 by itself, and gives what it said.
pub fn refusal(mut command: Command) -> String {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    if !holds_within(Duration::from_secs(30), || child.try_wait().unwrap().is_some()) {
        child.kill().unwrap();
        panic!("{command:?} goes on");
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{command:?} said {said}");
    said
}

/// A PostgreSQL server of the test's own, to be stopped and started as the test likes; gone with it.
pub struct OwnPostgres {
    folder: TempDir,
    bin: PathBuf,
    user: String,
    port: u16,
}

impl OwnPostgres {
    /// Makes it and starts it.
    pub fn start_new() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name}: run by scripts/test"));
        // Its user must be able to come to it, which a folder of $TMPDIR need not allow.
        let folder = tempfile::Builder::new().prefix("sealwright-outage.").tempdir_in("/tmp").unwrap();
        let own = Self {
            folder,
            bin: variable("SEALWRIGHT_TEST_POSTGRES_BIN").into(),
            user: variable("SEALWRIGHT_TEST_POSTGRES_USER"),
            port: free_port(),
        };
        if !own.user.is_empty() {
            let owned = Command::new("chown").arg(&own.user).arg(own.folder.path()).status().unwrap();
            assert!(owned.success());
        }
        own.run("initdb", &["--pgdata=data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        own.start();
        own
    }

    /// Starts it, and returns once it answers.
    pub fn start(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=", self.port);
        self.run("pg_ctl", &["start", "--silent", "--wait", "--pgdata=data", "--log=log", "--options", &options]);
    }

    /// Stops it; connections are cut.
    pub fn stop(&self) {
        self.run("pg_ctl", &["stop", "--silent", "--wait", "--pgdata=data", "--mode=immediate"]);
    }

    /// Stops all its processes where they are: connections stay, and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets its processes continue.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// A URL of it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let mut command = if self.user.is_empty() {
            Command::new(program)
        } else {
            let mut command = Command::new("runuser");
            command.args(["-u", &self.user, "--"]).arg(program);
            command
        };
        command.args(arguments).current_dir(self.folder.path());
        // The server inherits these: a pipe would never end.
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{command:?}");
    }

    fn signal(&self, name: &str) {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let postmaster = file.lines().next().unwrap().trim().to_owned();
        let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
            let (pid, rest) = (stat.split(' ').next()?, stat.rsplit_once(')')?.1);
            (rest.split_whitespace().nth(1)? == postmaster).then(|| pid.to_owned())
        });
        for pid in std::iter::once(postmaster.clone()).chain(children) {
            // One whose client has just gone may be gone, too.
            let _gone = Command::new("kill").args([&format!("-{name}"), &pid]).stderr(Stdio::null()).status().unwrap();
        }
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.thaw();
            self.stop();
        }
    }
}

/// A SQLite database's folder for a server whose database is elsewhere.
pub fn folder_only() -> Database {
    Database::empty(Kind::Sqlite)
}
