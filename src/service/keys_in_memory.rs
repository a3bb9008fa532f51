//! The API keys that are in use, found by the digest of their string.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

use super::memory::Memory;
use crate::domain::api_key::ApiKey;
use crate::store::{Store, StoreError, api_keys};

/// Keys kept, at about a kilobyte each.
const KEYS: usize = 131_072;
/// Digests of strings that no key has, kept so that one which comes again costs no query.
const UNKNOWN: usize = 32_768;

/// A key in memory.
#[derive(Debug)]
pub struct KnownKey {
    /// The key.
    pub key: ApiKey,
    /// Its id as text that is shared with its events.
    pub id: Arc<str>,
}

/// The keys in memory.
#[derive(Debug)]
pub struct KeysInMemory {
    memory: Memory<KnownKey>,
    /// Whose a string is: that never changes, so that nothing here is ever forgotten for being stale. Whether the key still
    /// accepts it is asked of the key.
    ids: Cache<[u8; 32], Arc<str>>,
    /// No key is ever made with a string that somebody presented before.
    unknown: Cache<[u8; 32], ()>,
    unknown_asked: AtomicU64,
}

impl Default for KeysInMemory {
    fn default() -> Self {
        Self {
            memory: Memory::new(KEYS),
            ids: Cache::new(KEYS),
            unknown: Cache::new(UNKNOWN),
            unknown_asked: AtomicU64::new(0),
        }
    }
}

impl KeysInMemory {
    /// What may be forgotten, and is counted.
    pub fn memory(&self) -> &Memory<KnownKey> {
        &self.memory
    }

    /// Look-ups that were answered from memory, and those that took a query, since the start.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        let (hits, misses) = self.memory.hits_and_misses();
        (hits, misses + self.unknown_asked.load(Ordering::Relaxed))
    }

    /// The key that has or had the string with this digest, if there is one.
    ///
    /// # Errors
    /// It is not in memory and the database fails, or its row is damaged.
    pub async fn get(&self, store: &Store, digest: &[u8; 32]) -> Result<Option<Arc<KnownKey>>, StoreError> {
        let id = match self.ids.get(digest) {
            Some(id) => id,
            None if self.unknown.get(digest).is_some() => return Ok(None),
            None => {
                let wanted = *digest;
                let found = store.read(move |connection| api_keys::id_by_digest(connection, &wanted)).await?;
                let Some(id) = found else {
                    self.unknown_asked.fetch_add(1, Ordering::Relaxed);
                    self.unknown.insert(wanted, ());
                    return Ok(None);
                };
                let id: Arc<str> = id.into();
                self.ids.insert(wanted, Arc::clone(&id));
                id
            }
        };
        if let Some(known) = self.memory.at_hand(&id) {
            return Ok(Some(known));
        }
        let query = async {
            let Ok(parsed) = id.parse() else { return Ok(None) };
            let found = store.read(move |connection| api_keys::find(connection, &parsed)).await?;
            Ok(found.map(|key| KnownKey { key, id: Arc::clone(&id) }))
        };
        self.memory.fetch(&id, query).await
    }
}
