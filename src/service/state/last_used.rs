//! Secrets that were accepted, with the last time and address; stored in batches, never by the request itself.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::credential::LastUse;
use crate::domain::ids::SecretId;

/// Most that wait to be stored; what comes beyond is noted when it is used again.
const WAITING: usize = 262_144;
/// Most that are stored at once, so that requests' events need not wait for it.
const BATCH: usize = 4_000;

/// Which secrets were used since they were last stored.
#[derive(Debug, Default)]
pub struct LastUsed(Mutex<HashMap<Arc<str>, LastUse>>);

impl LastUsed {
    /// Notes that a secret was accepted.
    pub fn note(&self, id: &SecretId, used: LastUse) {
        let mut waiting = self.0.lock();
        if let Some(last) = waiting.get_mut(id.as_str()) {
            *last = used;
        } else if waiting.len() < WAITING {
            waiting.insert(Arc::clone(id.shared()), used);
        }
    }

    /// Takes some of what waits to be stored.
    pub fn take(&self) -> Vec<(Arc<str>, LastUse)> {
        self.0.lock().extract_if(|_, _| true).take(BATCH).collect()
    }
}
