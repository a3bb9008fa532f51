//! Backs up the database.

use std::path::PathBuf;
use std::sync::Arc;

use super::Operations;
use crate::domain::audit::{Action, Disposition, Origin, Reason};
use crate::domain::caller::Caller;
use crate::domain::change::Basis;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::backup;

impl Operations {
    /// Backs up the database to `path`, which must not exist. The master key is not in the copy.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub async fn back_up(&self, caller: &Caller, path: PathBuf, origin: Arc<Origin>) -> Result<u64, ServiceError> {
        let context = AuditContext::of(caller, Action::BackupWrite, origin);
        let store = self.recorder.store().clone();
        let written = tokio::task::spawn_blocking(move || backup::write(&store, &path)).await;
        let rows = written.map_err(|error| ServiceError::Internal(error.to_string()))??;
        self.recorder.record_event(&context, Disposition::Unattended, Reason::Ok, Basis::default()).await?;
        Ok(rows)
    }
}
