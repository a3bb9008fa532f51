//! Writes a copy of the database.

use std::path::PathBuf;
use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::store::backup;

impl Services {
    /// Writes a copy of the database to `path`, which must not exist. The master key is not in it.
    ///
    /// # Errors
    /// The file cannot be written, or the database fails.
    pub async fn back_up(&self, caller: &Caller, path: PathBuf, origin: Arc<Origin>) -> Result<u64, ServiceError> {
        let trail = Trail::of(caller, "backup.write", origin);
        let store = self.store.clone();
        let written = tokio::task::spawn_blocking(move || backup::write(&store, &path)).await;
        let rows = written.map_err(|error| ServiceError::Internal(error.to_string()))??;
        self.witness(&trail, 0, "ok").await.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        Ok(rows)
    }
}
