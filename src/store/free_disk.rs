//! How much disk is free for the database. A SQLite file shares its disk with others; what PostgreSQL has is not known
//! here.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Store, StoreError, blocking};
use crate::config::DatabaseConfig;
use crate::domain::size::Size;

/// The folder of a SQLite file, and how much of its disk must stay free.
#[derive(Clone, Debug)]
pub(super) struct Reserve {
    folder: PathBuf,
    least: Size,
}

/// How much disk is free for the database, and how much must be.
#[derive(Clone, Copy, Debug)]
pub struct FreeDisk {
    /// What is free for this user.
    pub free: Size,
    /// What must be.
    pub least: Size,
}

impl FreeDisk {
    /// Returns whether less is free than must be.
    pub fn is_low(&self) -> bool {
        self.free < self.least
    }
}

impl fmt::Display for FreeDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB of at least {}", self.free.as_bytes() >> 20, self.least)
    }
}

impl Reserve {
    /// Returns the reserve of a SQLite file; `None` for PostgreSQL.
    pub(super) fn of(database: &DatabaseConfig) -> Option<Self> {
        let DatabaseConfig::Sqlite { file, min_free_disk, .. } = database else { return None };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(Self { folder: folder.to_owned(), least: *min_free_disk })
    }

    fn free_disk(&self) -> Result<FreeDisk, StoreError> {
        let disk = rustix::fs::statvfs(&self.folder);
        let disk = disk.map_err(|error| StoreError::Unavailable(format!("{}: {error}", self.folder.display())))?;
        let free = Size::bytes(disk.f_bavail.saturating_mul(disk.f_frsize));
        Ok(FreeDisk { free, least: self.least })
    }
}

impl Store {
    /// Returns how much disk is free for a SQLite file; `None` for PostgreSQL, and where the system does not say.
    pub async fn free_disk(&self) -> Option<FreeDisk> {
        let reserve = self.reserve.clone()?;
        let free = blocking(move || reserve.free_disk()).await;
        free.inspect_err(|error| log::debug!("free disk: {error}")).ok()
    }

    /// Returns how much disk is free, as [`Store::free_disk`] does, on this thread.
    pub fn free_disk_blocking(&self) -> Option<FreeDisk> {
        self.reserve.as_ref()?.free_disk().ok()
    }
}
