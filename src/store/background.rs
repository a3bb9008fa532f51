//! What background jobs store. Nobody waits for it, and no cache depends on it: it takes no number of the change log.

use super::{Store, StoreError, blocking, credential_candidates, credentials};
use crate::domain::credential::LastUse;
use crate::domain::ids::SecretId;
use crate::domain::time::Timestamp;

impl Store {
    /// Stores the time at which secrets were last used, in one transaction.
    pub async fn note_uses(&self, mut used: Vec<(SecretId, LastUse)>) -> Result<(), StoreError> {
        let store = self.clone();
        // Ordered by row, so that two nodes which store the same rows do not deadlock.
        used.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        blocking(move || store.transaction(|connection| credentials::note_uses(connection, &used))).await
    }

    /// Flags at most `limit` credentials that have expired, for lists, and returns how many it has seen.
    pub async fn flag_expired(&self, now: Timestamp, limit: i64) -> Result<usize, StoreError> {
        let store = self.clone();
        blocking(move || {
            // Outside of the transaction, so that others do not wait for the search. In the order of the rows' ids, as
            // other writers lock them.
            let mut ids = credential_candidates::expired(&mut *store.connection()?, now, limit)?;
            ids.sort_unstable();
            if !ids.is_empty() {
                store.transaction(|connection| credentials::flag_expired(connection, &ids, now))?;
            }
            Ok(ids.len())
        })
        .await
    }
}
