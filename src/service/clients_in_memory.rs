//! Memory first: a client in use costs no query. What bounds staleness is the change log, not a time to live: who changes a
//! client drops its entry before answering, and other processes follow the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use crate::crypto::digest::DigestKey;
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, SecretId};
use crate::store::{Store, StoreError, clients};

/// Clients kept, at about two kilobytes each.
const CLIENTS: usize = 16_384;

/// A client in memory, with the digests of the secrets that were checked against Argon2 already. They go with it when it
/// changes.
#[derive(Debug)]
pub struct KnownClient {
    /// The client.
    pub client: Client,
    /// Its id as text that is shared with its events.
    pub id: Arc<str>,
    passed: Mutex<Vec<(SecretId, [u8; 32])>>,
    /// One Argon2 check at a time: who waits for it finds its result.
    pub checking: tokio::sync::Mutex<()>,
}

impl KnownClient {
    /// Whether a secret with this digest passed at `place` before.
    pub fn has_passed(&self, place: &SecretId, digest: &[u8; 32]) -> bool {
        self.passed.lock().iter().any(|(at, known)| at == place && crate::crypto::digest::equal(known, digest))
    }

    /// Remembers that the secret with this digest passed.
    pub fn remember(&self, place: &SecretId, digest: [u8; 32]) {
        let mut passed = self.passed.lock();
        passed.retain(|(at, _)| at != place);
        passed.push((place.clone(), digest));
    }
}

/// The clients in memory.
#[derive(Debug)]
pub struct ClientsInMemory {
    known: Cache<Arc<str>, Arc<KnownClient>>,
    /// Grows with everything that is forgotten, so that what was read before is not kept after.
    forgotten: Mutex<u64>,
    /// Keys the digests of secrets that passed; only this process knows it.
    pub digest_key: DigestKey,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl ClientsInMemory {
    /// An empty memory whose digests are made with `digest_key`.
    pub fn new(digest_key: DigestKey) -> Self {
        Self {
            known: Cache::new(CLIENTS),
            forgotten: Mutex::new(0),
            digest_key,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The client that `id` names, if there is one.
    ///
    /// # Errors
    /// It is not in memory and the database fails, or its row is damaged.
    pub async fn get(&self, store: &Store, id: &str) -> Result<Option<Arc<KnownClient>>, StoreError> {
        match self.at_hand(id) {
            Some(known) => Ok(Some(known)),
            None => self.fetch(store, id).await,
        }
    }

    /// The client that `id` names, if it is in memory.
    pub fn at_hand(&self, id: &str) -> Option<Arc<KnownClient>> {
        let known = self.known.get(id)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(known)
    }

    /// The client that `id` names, by a query; it is in memory then.
    ///
    /// # Errors
    /// The database fails, or its row is damaged.
    pub async fn fetch(&self, store: &Store, id: &str) -> Result<Option<Arc<KnownClient>>, StoreError> {
        let Ok(parsed) = id.parse::<ClientId>() else { return Ok(None) };
        self.misses.fetch_add(1, Ordering::Relaxed);
        let before = *self.forgotten.lock();
        let found = store.read(move |connection| clients::find(connection, &parsed)).await?;
        let key: Arc<str> = id.into();
        let known = found.map(|client| {
            Arc::new(KnownClient {
                client,
                id: Arc::clone(&key),
                passed: Mutex::default(),
                checking: tokio::sync::Mutex::default(),
            })
        });
        // What was forgotten while the query ran may be what it read.
        let forgotten = self.forgotten.lock();
        if *forgotten == before
            && let Some(known) = &known
        {
            self.known.insert(key, Arc::clone(known));
        }
        Ok(known)
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
