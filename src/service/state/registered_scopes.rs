//! The names in the registry of scopes, for the public metadata of the issuers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::domain::scope::Scope;
use crate::store::{Store, StoreError, scopes};

/// Names that the metadata lists at most: it is public, and fetched often.
const LISTED: i64 = 1000;

/// What was read, and how often the registry had changed before.
type Read = (u64, Arc<[Scope]>);

/// A cache of the names in the registry.
#[derive(Debug)]
pub struct RegisteredScopes {
    store: Store,
    changes: AtomicU64,
    read: Mutex<Option<Read>>,
}

impl RegisteredScopes {
    /// Creates an empty cache of the registry in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, changes: AtomicU64::new(0), read: Mutex::new(None) }
    }

    /// Returns the names, in their order. While the database does not respond these are the names that were read last.
    ///
    /// # Errors
    /// The database does not respond, and never has.
    pub async fn names(&self) -> Result<Arc<[Scope]>, StoreError> {
        let changes = self.changes.load(Ordering::Acquire);
        let last = self.read.lock().clone();
        if let Some((_, names)) = last.as_ref().filter(|(read_after, _)| *read_after == changes) {
            return Ok(Arc::clone(names));
        }
        match self.store.read(|connection| scopes::names(connection, LISTED)).await {
            Ok(names) => {
                let names: Arc<[Scope]> = names.into();
                let mut read = self.read.lock();
                // What was read before another change must not replace what was read after it.
                if read.as_ref().is_none_or(|(read_after, _)| *read_after <= changes) {
                    *read = Some((changes, Arc::clone(&names)));
                }
                Ok(names)
            }
            Err(error) => {
                let (_, names) = last.ok_or(error)?;
                Ok(names)
            }
        }
    }

    /// Notes that a scope was registered or removed.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}
