//! Finds the settings that `serve` would fail on, and starts, creates and changes nothing.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::config::data_folder::{require_writable_file, require_writable_folder};
use crate::config::{Config, ConfigError, DatabaseConfig, MasterKeySource};
use crate::http;
use crate::store;

/// What every SQLite database begins with.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// Returns the settings that this process could not serve with. A database server is not asked.
pub fn problems(config: &Config) -> Vec<ConfigError> {
    let mut found = Vec::new();
    found.extend(config.issuers(config.server.listen).err());
    let unusable = [check_data_dir(config), check_database(config), check_master_key(config), check_listen(config)];
    found.extend(unusable.into_iter().flatten());
    if let Some(files) = &config.server.tls {
        let wrong = http::check_tls(files).err();
        found.extend(wrong.map(|wrong| config.unusable(wrong.setting(files), &wrong)));
    }
    found.extend(check_audit_lines(config));
    found
}

fn check_data_dir(config: &Config) -> Option<ConfigError> {
    let folder = &config.data_dir;
    let error = require_writable_folder(folder, true).err().filter(|_| config.uses_data_dir())?;
    Some(config.unusable("data_dir", format_args!("folder {}: {error}", folder.display())))
}

fn check_database(config: &Config) -> Option<ConfigError> {
    match &config.database {
        DatabaseConfig::Postgres { .. } => {
            let wrong = store::check_url(&config.database).err()?;
            Some(config.unusable("database_url", format_args!("libpq cannot use it: {wrong}")))
        }
        DatabaseConfig::Sqlite { file, .. } => {
            let wrong = check_sqlite(file).err()?;
            // A folder that cannot be used is told above.
            let in_folder = config.has_database_in_data_dir();
            if in_folder && require_writable_folder(&config.data_dir, true).is_err() {
                return None;
            }
            let setting = if in_folder { "data_dir" } else { "database_url" };
            Some(config.unusable(setting, format_args!("file {}: {wrong}", file.display())))
        }
    }
}

fn check_sqlite(file: &Path) -> Result<(), String> {
    require_writable_file(file, true).map_err(|error| error.to_string())?;
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
    let error = require_writable_file(file, false).err()?;
    Some(config.unusable("audit_json_lines", format_args!("file {}: {error}", file.display())))
}
