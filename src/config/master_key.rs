//! The source of the master keys: the variable, a file, or the file in the data folder, which the first start creates.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::data_folder::{create_folder_of, give_to_owner_of, give_to_owner_of_folder};
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
    /// The file's owner and mode cannot be given to the new one.
    #[error("master key file {path}: its owner and mode cannot be kept: {error}; run the command as its owner")]
    Owner {
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
                let wrong = "only one may be given";
                Err(ConfigError::other(format!("settings master_key_file and SEALWRIGHT_MASTER_KEY: {wrong}")))
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

    /// Creates the file in the data folder with a new key, if it is missing, and returns whether it did. Only for a
    /// database without sealed values.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create_missing(&self) -> Result<bool, MasterKeyError> {
        match self {
            Self::DataDir(path) if !path.exists() => {
                let key = MasterKey::generate().map_err(|_| MasterKeyError::Randomness)?;
                create_whole(path, &format!("{}\n", key.expose()))
            }
            _ => Ok(false),
        }
    }

    /// Returns the file that has the keys; `None` for the variable.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Variable(_) => None,
            Self::File(path) | Self::DataDir(path) => Some(path),
        }
    }

    /// Replaces the content of the file by `keys`, the sealing one first, in one step. Its owner and its mode stay: a
    /// server must be able to read what another user rotates. A link stays a link.
    ///
    /// # Errors
    /// The keys do not come from a file, it cannot be written, or its owner cannot be kept.
    pub fn replace(&self, keys: &[&MasterKey]) -> Result<(), MasterKeyError> {
        let path = self.path().ok_or_else(|| MasterKeyError::Missing(self.clone()))?;
        let mut text = zeroize::Zeroizing::new(String::new());
        for key in keys {
            text.push_str(key.expose());
            text.push('\n');
        }
        let wrong = |error| MasterKeyError::File { path: path.to_owned(), error };
        let target = std::fs::canonicalize(path).map_err(wrong)?;
        let old = std::fs::metadata(&target).map_err(wrong)?;
        let beside = target.with_extension("key.new");
        let _stale = std::fs::remove_file(&beside);
        let written = create_private(&beside).and_then(|file| {
            let kept = give_to_owner_of(&file, &old)
                .and_then(|()| file.set_permissions(Permissions::from_mode(old.mode() & 0o777)));
            kept.map_err(|error| MasterKeyError::Owner { path: path.to_owned(), error })?;
            write_whole(file, &text).and_then(|()| std::fs::rename(&beside, &target)).map_err(wrong)
        });
        if written.is_err() {
            let _incomplete = std::fs::remove_file(&beside);
        }
        written.and_then(|()| sync_folder(&target))
    }
}

fn read_private(path: &Path) -> Result<Option<zeroize::Zeroizing<String>>, MasterKeyError> {
    let wrong = |error| MasterKeyError::File { path: path.to_owned(), error };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mode = std::fs::metadata(path).map_err(wrong)?.mode();
    // A group may be granted read access on purpose (systemd credentials, mounted secrets); others must not have it.
    if mode & 0o007 != 0 {
        return Err(MasterKeyError::Exposed(path.to_owned()));
    }
    Ok(Some(text))
}

/// Creates the file in one step unless it exists, so that processes that start together all read the same key. Returns
/// whether this one did.
fn create_whole(path: &Path, text: &str) -> Result<bool, MasterKeyError> {
    let wrong = |error| MasterKeyError::File { path: path.to_owned(), error };
    create_folder_of(path).map_err(wrong)?;
    let beside = path.with_extension(format!("key.{}", std::process::id()));
    let _stale = std::fs::remove_file(&beside);
    write_new(&beside, text)?;
    let linked = std::fs::hard_link(&beside, path);
    let _gone = std::fs::remove_file(&beside);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        // Not every file system supports links.
        Err(_) => write_new(path, text)?,
    }
    sync_folder(path).map(|()| true)
}

fn write_new(path: &Path, text: &str) -> Result<(), MasterKeyError> {
    let file = create_private(path)?;
    give_to_owner_of_folder(&file, path)
        .and_then(|()| write_whole(file, text))
        .map_err(|error| MasterKeyError::File { path: path.to_owned(), error })
}

fn create_private(path: &Path) -> Result<File, MasterKeyError> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| MasterKeyError::File { path: path.to_owned(), error })
}

fn write_whole(mut file: File, text: &str) -> std::io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Syncs the folder of `path`: a new name in it is durable only then.
fn sync_folder(path: &Path) -> Result<(), MasterKeyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| MasterKeyError::File { path: path.to_owned(), error })
}
