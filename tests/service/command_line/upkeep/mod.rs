//! `sealwright backup`, `restore`, `migrate` and `master-key`.

mod backup;
mod keys;

use super::client::within_a_second;
use super::{end, end_with};
use crate::api::{created, is_active, minimal, owner, text, with_secret};
use crate::support::{Database, Kind, Server, TestClient, both, pause};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
    std::fs::create_dir(database.data_dir()).unwrap();
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
