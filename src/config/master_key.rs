//! The source of the master keys: the variable, a file, or the file in the data folder, which the first start creates.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::settings::Settings;
use crate::crypto::seal::{MasterKey, MasterKeys};

/// The name of the file in the data folder.
const DEFAULT_FILE: &str = "master.key";

/// The source of the master keys.
#[derive(Clone)]
pub enum MasterKeySource {
    /// The keys of `SEALWRIGHT_MASTER_KEY`, separated by commas or white space.
    Variable(zeroize::Zeroizing<String>),
    /// A file of the operator, with one key per line.
    File(PathBuf),
    /// The file in the data folder, which the first start creates.
    DataDir(PathBuf),
}

impl std::fmt::Debug for MasterKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(_) => f.write_str("variable SEALWRIGHT_MASTER_KEY"),
            Self::File(path) | Self::DataDir(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// Why the master keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The source is empty or missing.
    #[error("no master key: {0:?} gives none")]
    Missing(MasterKeySource),
    /// A key that is not 32 bytes in base64 or hexadecimal.
    #[error("master key {position} of {origin:?} is not 32 bytes in base64 or hexadecimal")]
    Malformed {
        /// The source that has it.
        origin: MasterKeySource,
        /// The position among the keys, from 1.
        position: usize,
    },
    /// The file cannot be read or written.
    #[error("master key file {path}: {error}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// Other users can read the file.
    #[error("master key file {0} can be read by other users: its mode must be 0600 or 0400")]
    Exposed(PathBuf),
    /// The operating system provides no randomness.
    #[error("no master key can be created")]
    Randomness,
}

impl MasterKeySource {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        match (&settings.master_key, &settings.master_key_file) {
            (Some(_), Some(_)) => {
                Err(ConfigError("settings master_key_file and SEALWRIGHT_MASTER_KEY: only one may be given".to_owned()))
            }
            (Some(text), None) => Ok(Self::Variable(zeroize::Zeroizing::new(text.clone()))),
            (None, Some(path)) => Ok(Self::File(path.clone())),
            (None, None) => Ok(Self::DataDir(settings.data_dir.join(DEFAULT_FILE))),
        }
    }

    /// Reads the master keys from their source, the sealing one first.
    ///
    /// # Errors
    /// The source has no key, a key is malformed, or the file cannot be read or is readable by others.
    pub fn read(&self) -> Result<MasterKeys, MasterKeyError> {
        let text = match self {
            Self::Variable(text) => text.clone(),
            Self::File(path) | Self::DataDir(path) => match read_private(path)? {
                Some(text) => text,
                None => return Err(MasterKeyError::Missing(self.clone())),
            },
        };
        let keys: Vec<MasterKey> = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .enumerate()
            .map(|(at, part)| {
                MasterKey::parse(part)
                    .ok_or_else(|| MasterKeyError::Malformed { origin: self.clone(), position: at + 1 })
            })
            .collect::<Result<_, _>>()?;
        MasterKeys::new(keys).ok_or_else(|| MasterKeyError::Missing(self.clone()))
    }

    /// Reads the keys. If the file in the data folder is missing, creates it with a new key. Only for a database
    /// without sealed values.
    ///
    /// # Errors
    /// As [`MasterKeySource::read`], or the file cannot be written.
    pub fn read_or_create(&self) -> Result<MasterKeys, MasterKeyError> {
        match self {
            Self::DataDir(path) if !path.exists() => {
                let key = MasterKey::generate().map_err(|_| MasterKeyError::Randomness)?;
                create_whole(path, &format!("{}\n", key.expose()))?;
                self.read()
            }
            _ => self.read(),
        }
    }

    /// Returns the file that has the keys; `None` for the variable.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Variable(_) => None,
            Self::File(path) | Self::DataDir(path) => Some(path),
        }
    }

    /// Replaces the content of the file by `keys`, the sealing one first, in one step.
    ///
    /// # Errors
    /// The keys do not come from a file, or it cannot be written.
    pub fn replace(&self, keys: &[&MasterKey]) -> Result<(), MasterKeyError> {
        let path = self.path().ok_or_else(|| MasterKeyError::Missing(self.clone()))?;
        let mut text = zeroize::Zeroizing::new(String::new());
        for key in keys {
            text.push_str(key.expose());
            text.push('\n');
        }
        let beside = path.with_extension("key.new");
        let _stale = std::fs::remove_file(&beside);
        write_private(&beside, &text)?;
        std::fs::rename(&beside, path).map_err(|error| MasterKeyError::File { path: path.to_owned(), error })?;
        sync_folder(path)
    }
}

fn read_private(path: &Path) -> Result<Option<zeroize::Zeroizing<String>>, MasterKeyError> {
    let wrong = |error| MasterKeyError::File { path: path.to_owned(), error };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_err(wrong)?.permissions().mode();
        // A group may be granted read access on purpose (systemd credentials, mounted secrets); others must not have
        // it.
        if mode & 0o007 != 0 {
            return Err(MasterKeyError::Exposed(path.to_owned()));
        }
    }
    Ok(Some(text))
}

/// Creates the file in one step unless it exists, so that processes that start together all read the same key.
fn create_whole(path: &Path, text: &str) -> Result<(), MasterKeyError> {
    let beside = path.with_extension(format!("key.{}", std::process::id()));
    let _stale = std::fs::remove_file(&beside);
    write_private(&beside, text)?;
    let linked = std::fs::hard_link(&beside, path);
    let _gone = std::fs::remove_file(&beside);
    match linked {
        // Not every file system supports links.
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => write_private(path, text),
        _ => sync_folder(path),
    }
}

fn write_private(path: &Path, text: &str) -> Result<(), MasterKeyError> {
    let wrong = |error| MasterKeyError::File { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(wrong)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)?;
    sync_folder(path)
}

/// Syncs the folder of `path`: a new name in it is durable only then.
fn sync_folder(path: &Path) -> Result<(), MasterKeyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| MasterKeyError::File { path: path.to_owned(), error })
}
