//! The epochs that rows of credentials may not show yet.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::domain::epoch::Epoch;
use crate::store::{Store, StoreError, epochs};

/// The epochs that are not expanded, oldest first.
#[derive(Debug, Default)]
pub struct Epochs {
    open: ArcSwap<Vec<Epoch>>,
    /// Held while the list changes: one that was read before an epoch was made never replaces one that has it.
    changing: tokio::sync::Mutex<()>,
}

impl Epochs {
    /// Returns the epochs that are not expanded. Take them before the credential is looked up that they are applied to:
    /// an epoch leaves the list once nothing that could be found later shows a credential as it was before.
    pub fn open(&self) -> Guard<Arc<Vec<Epoch>>> {
        self.open.load()
    }

    /// Adds an epoch that this process has made.
    pub async fn add(&self, epoch: Epoch) {
        let _turn = self.changing.lock().await;
        let mut open = Vec::clone(&self.open.load());
        if !open.iter().any(|known| known.sequence == epoch.sequence) {
            open.push(epoch);
            open.sort_unstable_by_key(|epoch| epoch.sequence);
        }
        self.open.store(Arc::new(open));
    }

    /// Reloads the list from the database, which has announced the epochs with these numbers. `forget` must drop from
    /// memory what epochs have ended that are expanded: those that leave the list, and those that were expanded before
    /// this process knew them.
    ///
    /// # Errors
    /// The database cannot be read, or a row is damaged; the list stays.
    pub async fn reload(&self, store: &Store, announced: &[i64], forget: impl FnOnce()) -> Result<(), StoreError> {
        let _turn = self.changing.lock().await;
        let open = store.read(epochs::open).await?;
        let is_open = |number: &i64| open.iter().any(|epoch| epoch.sequence == *number);
        if !announced.iter().all(is_open) || !self.open.load().iter().all(|known| open.contains(known)) {
            forget();
        }
        self.open.store(Arc::new(open));
        Ok(())
    }
}
