//! The installation that a command works on: whether it is there, and whether the command may write into its folder.

use std::path::Path;

use super::{CliError, output};
use crate::config::{Config, DatabaseConfig, Flags, MasterKeySource, SystemUser};

/// What a command does with the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Makes what is missing.
    Makes,
    /// Fills an empty database, in a folder that is there.
    Restores,
    /// Migrates the database.
    Migrates,
    /// Works with the database and the keys.
    Uses,
    /// The same, and replaces the master key.
    ReplacesMasterKey,
}

/// Checks that the installation is there, unless `work` makes it, and that it belongs to the user of this process. With
/// `--force`, another owner is only told.
///
/// # Errors
/// The folder or the database is missing, or belongs to another user; the message has the path.
pub fn require(config: &Config, flags: &Flags, work: Work) -> Result<(), CliError> {
    if let Some(missing) = missing(config, work) {
        return Err(CliError::Failed(missing));
    }
    match of_another(config, work) {
        None => Ok(()),
        Some((_, whose)) if flags.force => {
            output::remark(&format!("warning: {whose}; writing there all the same (--force)"));
            Ok(())
        }
        Some((_, whose)) => Err(CliError::Failed(format!("{whose}. {ADVICE}"))),
    }
}

/// What helps where the installation belongs to another user.
pub const ADVICE: &str = "What another user writes there may be unusable for the server. Run the command as the \
                          owner, for example by `sudo -u`, or add --force";

/// What helps where there is no installation.
const HELP: &str = "Give the folder of your installation by --data-dir or SEALWRIGHT_DATA_DIR. To make a new \
                    installation, run `sealwright init`";

/// Says what is missing of the database that `work` needs. Whether a database server has one, and whether there is a
/// master key, is known only when they are opened.
pub fn missing(config: &Config, work: Work) -> Option<String> {
    if work == Work::Makes {
        return None;
    }
    let folder = missing_folder(config).filter(|_| config.has_database_in_data_dir());
    folder.or_else(|| match &config.database {
        // A file that cannot be looked up is there, in a folder of another user.
        DatabaseConfig::Sqlite { file, .. } if work != Work::Restores && !file.try_exists().unwrap_or(true) => {
            Some(format!("there is no database {}. {HELP}", absolute(file)))
        }
        _ => None,
    })
}

/// Says that the data folder is missing, if it is used.
pub fn missing_folder(config: &Config) -> Option<String> {
    if config.data_dir.is_dir() || !config.uses_data_dir() {
        return None;
    }
    let wrong = if config.data_dir.exists() { "is not a folder" } else { "does not exist" };
    Some(format!("data folder {} {wrong}. {HELP}", absolute(&config.data_dir)))
}

/// Returns whether `work` writes into the folder of the installation, or into that of its database.
pub fn writes(config: &Config, work: Work) -> bool {
    match (&config.database, &config.master_key) {
        // Every command stores an event.
        (DatabaseConfig::Sqlite { .. }, _) => true,
        (DatabaseConfig::Postgres { .. }, MasterKeySource::DataDir(file)) => {
            work == Work::ReplacesMasterKey || (work == Work::Makes && !file.exists())
        }
        (DatabaseConfig::Postgres { .. }, _) => false,
    }
}

/// Says whom the installation belongs to, if `work` writes there as another user, and which setting names the place.
/// Who may read the master key is a decision of its own: the owner of its file counts for nothing here.
pub fn of_another(config: &Config, work: Work) -> Option<(&'static str, String)> {
    let user = SystemUser::of_files();
    let mut parts = config.parts().into_iter().filter(|part| Some(&*part.path) != config.master_key.path());
    let part = parts.find(|part| writes(config, work) && part.is_of_another(user))?;
    let (setting, what) =
        if part.is_folder { ("data_dir", "data folder") } else { (config.database_setting(), "database file") };
    let whose = format!("{what} {} belongs to {}, and this command runs as {user}", absolute(&part.path), part.owner);
    Some((setting, whose))
}

/// Returns the whole path, which says what a relative one meant.
pub fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
