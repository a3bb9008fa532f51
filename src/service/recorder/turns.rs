//! The changes of this process take turns. They would wait for one another in the database, too, but each with a
//! connection that others need.

use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::store::StoreError;

/// How long a change waits for its turn.
const WAITING: Duration = Duration::from_secs(14);
/// How long a decision waits for the change whose turn it is.
const HOLDING: Duration = Duration::from_secs(1);

/// The turn of a change, until it is dropped.
pub type Turn<'t> = RwLockWriteGuard<'t, ()>;

/// The turns of changes, and the decisions that hold them off.
#[derive(Debug, Default)]
pub(super) struct Turns(RwLock<()>);

impl Turns {
    /// Waits for the turn of a change.
    ///
    /// # Errors
    /// Too many others wait, or one takes too long.
    pub(super) async fn take(&self) -> Result<Turn<'_>, StoreError> {
        let waiting = tokio::time::timeout(WAITING, self.0.write());
        waiting.await.map_err(|_| StoreError::Unavailable("too many changes wait".to_owned()))
    }

    /// Holds off changes for a decision that they overtook again and again. `None` if a change takes too long: then the
    /// decision is made all the same.
    pub(super) async fn hold(&self) -> Option<RwLockReadGuard<'_, ()>> {
        tokio::time::timeout(HOLDING, self.0.read()).await.ok()
    }
}
