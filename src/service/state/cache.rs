//! Caches, so that repeated look-ups cost no query. The change log bounds staleness, not a time-to-live: a process that
//! changes something drops its entry before the response, and other processes follow the log. Memory is bounded in
//! bytes.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use quick_cache::sync::{Cache as QuickCache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::store::StoreError;

/// How many bytes a cached value takes, about, without the value's own struct.
pub trait Footprint {
    /// Returns the bytes on the heap.
    fn heap_bytes(&self) -> usize;
}

impl Footprint for () {
    fn heap_bytes(&self) -> usize {
        0
    }
}

/// Weighs values by their bytes.
#[derive(Clone, Copy, Debug)]
pub struct InBytes;

/// The bytes of an entry beside its value: the id, its place in the tables, and what the allocator adds.
const ENTRY: usize = 160;

impl<K, V: Footprint> Weighter<K, Arc<V>> for InBytes {
    fn weight(&self, _key: &K, value: &Arc<V>) -> u64 {
        u64::try_from(ENTRY + size_of::<V>() + value.heap_bytes()).unwrap_or(u64::MAX)
    }
}

/// Creates a cache of entries that weigh at most `weight` in all, of which about `items` are expected. It keeps few
/// keys of entries that it has evicted: by default those take half as much memory as the entries.
pub(super) fn bounded<K: Eq + Hash, V: Clone, W: Weighter<K, V> + Clone>(
    items: usize,
    weight: u64,
    weighter: W,
) -> QuickCache<K, V, W> {
    let mut options = OptionsBuilder::new();
    options.estimated_items_capacity(items).weight_capacity(weight).ghost_allocation(0.1);
    match options.build() {
        Ok(options) => {
            QuickCache::with_options(options, weighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        // Only where a capacity is missing.
        Err(_) => QuickCache::with_weighter(items, weight, weighter),
    }
}

/// A cache of values by their ids, which evicts the least recently used.
#[derive(Debug)]
pub struct Cache<V: Footprint> {
    entries: QuickCache<Arc<str>, Arc<V>, InBytes>,
    /// Grows with every drop, so that a value read before a drop is not cached after it.
    dropped: Mutex<u64>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<V: Footprint> Cache<V> {
    /// Creates an empty cache of values that take at most `bytes`.
    pub fn new(bytes: usize) -> Self {
        Self {
            entries: bounded(bytes / (ENTRY + size_of::<V>()), bytes as u64, InBytes),
            dropped: Mutex::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Returns the value of `id`, if it is cached.
    pub fn get(&self, id: &str) -> Option<Arc<V>> {
        let found = self.entries.get(id)?;
        self.count_hit();
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
        self.count_miss();
        let before = self.version();
        let found = query.await?.map(Arc::new);
        if let Some(found) = &found {
            self.insert(before, id, found, || ());
        }
        Ok(found)
    }

    /// Returns a number that changes whenever a value is dropped.
    pub(super) fn version(&self) -> u64 {
        *self.dropped.lock()
    }

    /// Caches a value that was read since `version` was current, and does `also` with it, unless anything was dropped
    /// meanwhile: that may be the value.
    pub(super) fn insert(&self, version: u64, id: &Arc<str>, value: &Arc<V>, also: impl FnOnce()) {
        let dropped = self.dropped.lock();
        if *dropped == version {
            self.entries.insert(Arc::clone(id), Arc::clone(value));
            also();
        }
    }

    /// Counts a look-up that took no query.
    pub(super) fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a look-up that took a query.
    pub(super) fn count_miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Drops the value of `id`, which was changed, and does `also` with it.
    pub(super) fn drop_with(&self, id: &str, also: impl FnOnce()) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.remove(id);
        also();
    }

    /// Drops the value of `id`, which was changed.
    pub fn drop_entry(&self, id: &str) {
        self.drop_with(id, || ());
    }

    /// Drops all values that are cached, and does `also`.
    pub(super) fn clear_with(&self, also: impl FnOnce()) {
        let mut dropped = self.dropped.lock();
        *dropped += 1;
        self.entries.clear();
        also();
    }

    /// Drops all values that are cached.
    pub fn clear(&self) {
        self.clear_with(|| ());
    }

    /// Returns how many look-ups the cache answered since the start, and how many took a query.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}
