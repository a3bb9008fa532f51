//! Secrets and keys that were accepted, with the last time and address; noted in the database in batches, never by the
//! request itself.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::api_key::LastUse;
use crate::store::credentials::Used;

/// Most that wait to be noted; what comes beyond is noted when it is used again.
const WAITING: usize = 131_072;
/// Most that are noted at once, so that requests' events need not wait for it.
const NOTED: usize = 2_000;

/// What was used since it was last noted.
#[derive(Debug, Default)]
pub struct InUse {
    secrets: Mutex<HashMap<Arc<str>, LastUse>>,
    keys: Mutex<HashMap<Arc<str>, LastUse>>,
}

impl InUse {
    /// A client's secret was accepted.
    pub fn note_secret(&self, id: &Arc<str>, used: LastUse) {
        note(&self.secrets, id, used);
    }

    /// A key was accepted.
    pub fn note_key(&self, id: &Arc<str>, used: LastUse) {
        note(&self.keys, id, used);
    }

    /// Some of what waits to be noted; nothing, where nothing does.
    pub fn take(&self) -> Vec<(Used, LastUse)> {
        let mut taken = take(&self.secrets, Used::Secret);
        taken.extend(take(&self.keys, Used::Key));
        taken
    }
}

fn note(waiting: &Mutex<HashMap<Arc<str>, LastUse>>, id: &Arc<str>, used: LastUse) {
    let mut waiting = waiting.lock();
    if let Some(last) = waiting.get_mut(id) {
        *last = used;
    } else if waiting.len() < WAITING {
        waiting.insert(Arc::clone(id), used);
    }
}

fn take(waiting: &Mutex<HashMap<Arc<str>, LastUse>>, used: fn(Arc<str>) -> Used) -> Vec<(Used, LastUse)> {
    waiting.lock().extract_if(|_, _| true).take(NOTED).map(|(id, last)| (used(id), last)).collect()
}
