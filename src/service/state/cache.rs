//! Caches: what is in use costs no query. What bounds staleness is the change log, not a time-to-live: a process that
//! changes something drops its entry before the response, and other processes follow the log.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use quick_cache::sync::Cache as QuickCache;

use crate::store::StoreError;

/// Values by their ids; those that were not used for longest leave it first.
#[derive(Debug)]
pub struct Cache<V> {
    entries: QuickCache<Arc<str>, Arc<V>>,
    /// Grows with everything that is dropped, so that what was read before is not kept after.
    dropped: Mutex<u64>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<V> Cache<V> {
    /// An empty cache of at most `capacity` values.
    pub fn new(capacity: usize) -> Self {
        Self {
            entries: QuickCache::new(capacity),
            dropped: Mutex::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The value of `id`, if it is cached.
    pub fn get(&self, id: &str) -> Option<Arc<V>> {
        let found = self.entries.get(id)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    /// The value of `id` by `query`; it is cached then. That there is none is not cached.
    ///
    /// # Errors
    /// The query's.
    pub async fn fetch(
        &self,
        id: &Arc<str>,
        query: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<Arc<V>>, StoreError> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let before = *self.dropped.lock();
        let found = query.await?.map(Arc::new);
        // What was dropped while the query ran may be what it read.
        let dropped = self.dropped.lock();
        if *dropped == before
            && let Some(found) = &found
        {
            self.entries.insert(Arc::clone(id), Arc::clone(found));
        }
        Ok(found)
    }

    /// Drops the value of `id`: it was changed.
    pub fn drop_entry(&self, id: &str) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.remove(id);
    }

    /// Drops everything.
    pub fn clear(&self) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.clear();
    }

    /// Look-ups that were answered from the cache, and those that took a query, since the start.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}
