//! The clients that are in use, with the digests of their secrets that passed.

use std::sync::Arc;

use parking_lot::Mutex;

use super::memory::Memory;
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
    memory: Memory<KnownClient>,
    /// Keys the digests of secrets that passed; only this process knows it.
    pub digest_key: DigestKey,
}

impl ClientsInMemory {
    /// An empty memory whose digests are made with `digest_key`.
    pub fn new(digest_key: DigestKey) -> Self {
        Self { memory: Memory::new(CLIENTS), digest_key }
    }

    /// What may be forgotten, and is counted.
    pub fn memory(&self) -> &Memory<KnownClient> {
        &self.memory
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
        self.memory.at_hand(id)
    }

    /// The client that `id` names, by a query; it is in memory then.
    ///
    /// # Errors
    /// The database fails, or its row is damaged.
    pub async fn fetch(&self, store: &Store, id: &str) -> Result<Option<Arc<KnownClient>>, StoreError> {
        let Ok(parsed) = id.parse::<ClientId>() else { return Ok(None) };
        let id: Arc<str> = id.into();
        let query = async {
            let found = store.read(move |connection| clients::find(connection, &parsed)).await?;
            Ok(found.map(|client| KnownClient {
                client,
                id: Arc::clone(&id),
                passed: Mutex::default(),
                checking: tokio::sync::Mutex::default(),
            }))
        };
        self.memory.fetch(&id, query).await
    }
}
