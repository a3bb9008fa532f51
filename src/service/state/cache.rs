//! Caches, so that repeated look-ups cost no query. The change log bounds staleness, not a time-to-live: a process that
//! changes something drops its entry before the response, and other processes follow the log.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use quick_cache::sync::Cache as QuickCache;

use crate::store::StoreError;

/// A cache of values by their ids, which evicts the least recently used.
#[derive(Debug)]
pub struct Cache<V> {
    entries: QuickCache<Arc<str>, Arc<V>>,
    /// Grows with every drop, so that a value read before a drop is not cached after it.
    dropped: Mutex<u64>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<V> Cache<V> {
    /// Creates an empty cache of at most `capacity` values.
    pub fn new(capacity: usize) -> Self {
        Self {
            entries: QuickCache::new(capacity),
            dropped: Mutex::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Returns the value of `id`, if it is cached.
    pub fn get(&self, id: &str) -> Option<Arc<V>> {
        let found = self.entries.get(id)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    /// Fetches the value of `id` by `query`, and caches it. The absence of a value is not cached.
    ///
    /// # Errors
    /// The error of `query`.
    pub async fn fetch(
        &self,
        id: &Arc<str>,
        query: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<Arc<V>>, StoreError> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let before = *self.dropped.lock();
        let found = query.await?.map(Arc::new);
        // A value that was dropped while the query ran may be the one that it read.
        let dropped = self.dropped.lock();
        if *dropped == before
            && let Some(found) = &found
        {
            self.entries.insert(Arc::clone(id), Arc::clone(found));
        }
        Ok(found)
    }

    /// Drops the value of `id`, which was changed.
    pub fn drop_entry(&self, id: &str) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.remove(id);
    }

    /// Drops all values to which `applies` does.
    pub fn drop_where(&self, applies: impl Fn(&V) -> bool) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.retain(|_, value| !applies(value));
    }

    /// Drops all values that are cached.
    pub fn clear(&self) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.clear();
    }

    /// Returns how many look-ups the cache answered since the start, and how many took a query.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}
