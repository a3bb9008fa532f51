//! The data folder and the files of an installation: which are there, and whom they belong to.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::{Config, DatabaseConfig, MasterKeySource, SystemUser};

/// The data folder, or a file of the installation. A link is what it leads to.
#[derive(Clone, Debug)]
pub struct Part {
    /// The path.
    pub path: PathBuf,
    /// The user who owns it.
    pub owner: SystemUser,
    /// The nine bits of its mode.
    pub mode: u32,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl Part {
    fn of(path: PathBuf) -> Option<Self> {
        let found: Metadata = std::fs::metadata(&path).ok()?;
        Some(Self { path, owner: SystemUser(found.uid()), mode: found.mode() & 0o777, is_folder: found.is_dir() })
    }

    /// Returns whether it belongs to another user than `user`. A folder that root owns and others may write to, such as
    /// a mounted volume, counts as the user's own: root can read all files anyway.
    pub fn is_of_another(&self, user: SystemUser) -> bool {
        self.owner != user && !(self.is_folder && self.owner == SystemUser::ROOT)
    }
}

impl Config {
    /// Returns whether the database or the master key is in the data folder.
    pub fn uses_data_dir(&self) -> bool {
        self.has_database_in_data_dir() || matches!(self.master_key, MasterKeySource::DataDir(_))
    }

    /// Returns whether the database is a file in the data folder.
    pub fn has_database_in_data_dir(&self) -> bool {
        matches!(&self.database, DatabaseConfig::Sqlite { file, .. } if file.starts_with(&self.data_dir))
    }

    /// Returns the name of the setting that says where the database is.
    pub fn database_setting(&self) -> &'static str {
        if self.has_database_in_data_dir() { "data_dir" } else { "database_url" }
    }

    /// Returns the paths of the database and the master key, where they are files.
    pub(super) fn own_files(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.master_key.path().map(Path::to_path_buf).into_iter().collect();
        if let DatabaseConfig::Sqlite { file, .. } = &self.database {
            paths.extend(with_side_files(file));
        }
        paths
    }

    /// Returns the data folder and the files of the installation, as far as they are there and used, the folder first.
    pub fn parts(&self) -> Vec<Part> {
        let mut paths = Vec::new();
        if self.uses_data_dir() {
            paths.push(self.data_dir.clone());
        }
        if let DatabaseConfig::Sqlite { file, .. } = &self.database {
            paths.extend(with_side_files(file));
        }
        if let MasterKeySource::DataDir(path) = &self.master_key {
            paths.push(path.clone());
        }
        paths.into_iter().filter_map(Part::of).collect()
    }
}

/// Returns the files of a SQLite database.
fn with_side_files(file: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut path = file.as_os_str().to_owned();
        path.push(end);
        path.into()
    })
}

/// Creates the folder that `path` is in, where it is missing, accessible to its owner only.
///
/// # Errors
/// The folder cannot be created.
pub fn create_folder_of(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Gives a new file to the owner of the folder that it is in, where root made it: whoever owns the folder must be able
/// to use what is in it.
///
/// # Errors
/// The owner cannot be found or set.
pub fn give_to_owner_of_folder(file: &File, path: &Path) -> io::Result<()> {
    if SystemUser::of_files() != SystemUser::ROOT {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    give_to_owner_of(file, &std::fs::metadata(folder)?)
}

/// Gives a file to the user and the group that `other` belongs to.
///
/// # Errors
/// This process may not.
pub(super) fn give_to_owner_of(file: &File, other: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (other.uid(), other.gid()) {
        return Ok(());
    }
    fchown(file, Some(other.uid()), Some(other.gid()))
}

/// Checks, and writes nothing, that a file can be created or written at `path`. Missing folders may be created on the
/// way, if `with_folders`.
///
/// # Errors
/// What is in the way.
pub fn require_writable_file(path: &Path, with_folders: bool) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => return Ok(rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK)?),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // A link that leads nowhere: its file is created where it leads.
        Err(_) if path.is_symlink() => {
            let target = std::fs::read_link(path)?;
            let target = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
            return require_writable_file(&target, false);
        }
        Err(_) => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    require_writable_folder(folder, with_folders)
}

/// Checks, and writes nothing, that files can be created in the folder `path`; that it can be created, if
/// `may_be_missing`.
///
/// # Errors
/// What is in the way.
pub fn require_writable_folder(path: &Path, may_be_missing: bool) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => Err(io::ErrorKind::NotADirectory.into()),
        Ok(_) => Ok(rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK)?),
        // A link that leads nowhere is in the way of a new folder.
        Err(error) if error.kind() != io::ErrorKind::NotFound || path.is_symlink() || !may_be_missing => Err(error),
        Err(_) => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => require_writable_folder(folder, true),
            _ => require_writable_folder(Path::new("."), false),
        },
    }
}
