//! Memory first: what is in use costs no query. What bounds staleness is the change log, not a time to live: who changes
//! something drops its entry before answering, and other processes follow the log.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use crate::store::StoreError;

/// Things in memory by their ids; those that were not used for longest leave it first.
#[derive(Debug)]
pub struct Memory<V> {
    known: Cache<Arc<str>, Arc<V>>,
    /// Grows with everything that is forgotten, so that what was read before is not kept after.
    forgotten: Mutex<u64>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<V> Memory<V> {
    /// An empty memory of at most `capacity` things.
    pub fn new(capacity: usize) -> Self {
        Self {
            known: Cache::new(capacity),
            forgotten: Mutex::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// What `id` names, if it is in memory.
    pub fn at_hand(&self, id: &str) -> Option<Arc<V>> {
        let known = self.known.get(id)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(known)
    }

    /// What `id` names, by `query`; it is in memory then.
    ///
    /// # Errors
    /// The query's.
    pub async fn fetch(
        &self,
        id: &Arc<str>,
        query: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<Arc<V>>, StoreError> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let before = *self.forgotten.lock();
        let found = query.await?.map(Arc::new);
        // What was forgotten while the query ran may be what it read.
        let forgotten = self.forgotten.lock();
        if *forgotten == before
            && let Some(found) = &found
        {
            self.known.insert(Arc::clone(id), Arc::clone(found));
        }
        Ok(found)
    }

    /// Forgets what is known of `id`.
    pub fn forget(&self, id: &str) {
        let mut forgotten = self.forgotten.lock();
        *forgotten += 1;
        self.known.remove(id);
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        let mut forgotten = self.forgotten.lock();
        *forgotten += 1;
        self.known.clear();
    }

    /// Look-ups that were answered from memory, and those that were not, since the start.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}
