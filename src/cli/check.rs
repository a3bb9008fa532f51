//! Finds the settings that `serve` would fail on, and starts, creates and changes nothing.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::folder::{self, Work};
use crate::config::data_folder::{require_writable_file, require_writable_folder};
use crate::config::{Config, ConfigError, DatabaseConfig, MasterKeySource};
use crate::http;
use crate::store;

/// What every SQLite database begins with.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// Returns the settings that this process could not serve with: `serve --force`, if `is_forced`. A database server is
/// not asked.
pub fn problems(config: &Config, is_forced: bool) -> Vec<ConfigError> {
    let mut found = Vec::new();
    found.extend(config.issuers(config.server.listen).err());
    let place = check_place(config, is_forced);
    // What is wrong with the place of the database is told once.
    let is_told = |setting| place.as_ref().is_some_and(|(told, _)| *told == setting);
    let database = check_database(config).filter(|(setting, _)| !is_told(*setting));
    found.extend(place.iter().chain(&database).map(|(setting, wrong)| config.unusable(setting, wrong)));
    found.extend([check_master_key(config), check_listen(config)].into_iter().flatten());
    if let Some(files) = &config.server.tls {
        let wrong = http::check_tls(files);
        found.extend(wrong.iter().map(|wrong| config.unusable(wrong.setting(files), wrong)));
    }
    found.extend(check_audit_lines(config));
    found
}

/// A setting, and why the server cannot use what it names.
type Unusable = (&'static str, String);

/// Checks the data folder as far as a server writes there: whom it belongs to, and whether it can be written.
fn check_place(config: &Config, is_forced: bool) -> Option<Unusable> {
    if !is_forced && let Some((setting, whose)) = folder::of_another(config, Work::Makes) {
        return Some((setting, format!("{whose}. {}", folder::ADVICE)));
    }
    let folder = &config.data_dir;
    let is_written = config.uses_data_dir() && folder::writes(config, Work::Makes);
    let error = require_writable_folder(folder, true).err().filter(|_| is_written)?;
    Some(("data_dir", format!("folder {}: {error}", folder.display())))
}

fn check_database(config: &Config) -> Option<Unusable> {
    let setting = config.database_setting();
    match &config.database {
        DatabaseConfig::Postgres { .. } => {
            let wrong = store::check_url(&config.database).err()?;
            Some((setting, format!("libpq cannot use it: {wrong}")))
        }
        DatabaseConfig::Sqlite { file, .. } => {
            let wrong = check_sqlite(file).err()?;
            Some((setting, format!("file {}: {wrong}", file.display())))
        }
    }
}

fn check_sqlite(file: &Path) -> Result<(), String> {
    require_writable_file(file, true).map_err(|error| error.to_string())?;
    if std::fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        return Err("is no file".to_owned());
    }
    let mut begin = Vec::new();
    let header = u64::try_from(SQLITE_HEADER.len()).unwrap_or(0);
    match std::fs::File::open(file) {
        Ok(opened) => opened.take(header).read_to_end(&mut begin).map_err(|error| error.to_string())?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if begin.is_empty() || begin == SQLITE_HEADER { Ok(()) } else { Err("is no SQLite database".to_owned()) }
}

fn check_master_key(config: &Config) -> Option<ConfigError> {
    let setting = match &config.master_key {
        MasterKeySource::Variable(_) => "master_key",
        MasterKeySource::File(_) => "master_key_file",
        // The first start creates it.
        MasterKeySource::DataDir(file) if !file.is_symlink() && !file.exists() => return None,
        MasterKeySource::DataDir(_) => "data_dir",
    };
    config.master_key.read().err().map(|error| config.unusable(setting, error))
}

/// Checks that the address is one of this machine. A running server has it, and may have the right to take a port that
/// others may not.
fn check_listen(config: &Config) -> Option<ConfigError> {
    let error = std::net::TcpListener::bind(config.server.listen).err()?;
    let may_be_right = matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied);
    (!may_be_right).then(|| config.unusable("listen", format_args!("{}: {error}", config.server.listen)))
}

fn check_audit_lines(config: &Config) -> Option<ConfigError> {
    let file = config.audit_json_lines.as_deref().filter(|file| *file != Path::new("-"))?;
    // The server creates the data folder before this file.
    let is_in_folder = config.uses_data_dir() && file.parent() == Some(&*config.data_dir);
    let error = require_writable_file(file, is_in_folder).err()?;
    Some(config.unusable("audit_json_lines", format_args!("file {}: {error}", file.display())))
}
