//! The last use of secrets, with time and address. It is stored in batches, never by the request itself.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::credential::LastUse;
use crate::domain::ids::SecretId;

/// Secrets that can wait to be stored. Beyond that, a use is recorded only when the secret is used again.
const WAITING: usize = 262_144;
/// Secrets that are stored at once, so that the events of requests do not wait for long.
const BATCH: usize = 4_000;

/// The secrets that were used and not yet stored.
#[derive(Debug, Default)]
pub struct LastUsed(Mutex<HashMap<Arc<str>, LastUse>>);

impl LastUsed {
    /// Records that a secret was accepted.
    pub fn note(&self, id: &SecretId, used: LastUse) {
        let mut waiting = self.0.lock();
        if let Some(last) = waiting.get_mut(id.as_str()) {
            *last = used;
        } else if waiting.len() < WAITING {
            waiting.insert(Arc::clone(id.shared()), used);
        }
    }

    /// Takes a batch of uses to store.
    pub fn take(&self) -> Vec<(Arc<str>, LastUse)> {
        self.0.lock().extract_if(|_, _| true).take(BATCH).collect()
    }
}
