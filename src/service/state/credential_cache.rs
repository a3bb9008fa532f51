//! A cache of credentials: clients by their `client_id`, API keys by the digest of their value. What an epoch has ended
//! is returned as revoked, whatever its row and the cache show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache as QuickCache;

use super::cache::Cache;
use super::epochs::Epochs;
use crate::domain::credential::{Credential, CredentialId, CredentialKind};
use crate::domain::epoch::{self, Epoch};
use crate::store::{Store, StoreError, credentials};

/// Credentials that are cached, at one to two kilobytes each.
const CREDENTIALS: usize = 147_456;
/// Digests that are cached of values that no key has, so that a repeated one costs no query.
const UNKNOWN: usize = 32_768;

/// A cache of credentials and of the digests of API keys.
#[derive(Debug)]
pub struct CredentialCache {
    store: Store,
    /// As their rows show them.
    credentials: Cache<Credential>,
    epochs: Epochs,
    /// The key that has or had a value. That never changes, so that nothing here is ever stale; whether the key still
    /// accepts the value is stored with the key.
    ids_by_digest: QuickCache<[u8; 32], CredentialId>,
    /// Never stale: no key is ever created with a value that was sent before.
    unknown_digests: QuickCache<[u8; 32], ()>,
    unknown_asked: AtomicU64,
}

impl CredentialCache {
    /// Creates an empty cache of the credentials in `store`.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            credentials: Cache::new(CREDENTIALS),
            epochs: Epochs::default(),
            ids_by_digest: QuickCache::new(CREDENTIALS),
            unknown_digests: QuickCache::new(UNKNOWN),
            unknown_asked: AtomicU64::new(0),
        }
    }

    /// Returns the client that `client_id` names, if it is cached.
    pub fn cached_client(&self, client_id: &str) -> Option<Arc<Credential>> {
        self.cached(client_id).filter(|credential| credential.kind() == CredentialKind::Client)
    }

    /// Fetches the client that `client_id` names by a query, and caches it.
    ///
    /// # Errors
    /// The row is damaged.
    pub async fn fetch_client(&self, client_id: &str) -> Result<Option<Arc<Credential>>, StoreError> {
        match CredentialId::of_kind(CredentialKind::Client, client_id) {
            Some(id) => self.fetch(id).await,
            None => Ok(None),
        }
    }

    /// Returns the client that `client_id` names, if there is one.
    ///
    /// # Errors
    /// The row is damaged.
    pub async fn client(&self, client_id: &str) -> Result<Option<Arc<Credential>>, StoreError> {
        match self.cached_client(client_id) {
            Some(found) => Ok(Some(found)),
            None => self.fetch_client(client_id).await,
        }
    }

    /// Returns the key that has or had the value with this SHA-256, if there is one.
    ///
    /// # Errors
    /// The row is damaged.
    pub async fn key_by_digest(&self, digest: &[u8; 32]) -> Result<Option<Arc<Credential>>, StoreError> {
        let Some(id) = self.id_by_digest(digest).await? else { return Ok(None) };
        match self.cached(id.as_str()) {
            Some(found) => Ok(Some(found)),
            None => self.fetch(id).await,
        }
    }

    async fn id_by_digest(&self, digest: &[u8; 32]) -> Result<Option<CredentialId>, StoreError> {
        if let Some(id) = self.ids_by_digest.get(digest) {
            return Ok(Some(id));
        }
        if self.unknown_digests.get(digest).is_some() {
            return Ok(None);
        }
        let asked = *digest;
        let found = self.store.read(move |connection| credentials::id_by_digest(connection, &asked)).await?;
        let Some(id) = found.and_then(|id| id.parse::<CredentialId>().ok()) else {
            self.unknown_asked.fetch_add(1, Ordering::Relaxed);
            self.unknown_digests.insert(asked, ());
            return Ok(None);
        };
        self.ids_by_digest.insert(asked, id.clone());
        Ok(Some(id))
    }

    fn cached(&self, id: &str) -> Option<Arc<Credential>> {
        let epochs = self.epochs.open();
        self.credentials.get(id).map(|credential| under(&epochs, credential))
    }

    async fn fetch(&self, id: CredentialId) -> Result<Option<Arc<Credential>>, StoreError> {
        let epochs = Arc::clone(&self.epochs.open());
        let shared = Arc::clone(id.shared());
        let query = self.store.read(move |connection| credentials::find_row(connection, &id));
        Ok(self.credentials.fetch(&shared, query).await?.map(|credential| under(&epochs, credential)))
    }

    /// Drops a credential that was changed.
    pub fn drop_entry(&self, id: &str) {
        self.credentials.drop_entry(id);
    }

    /// Applies an epoch that this process has made, from now on.
    pub async fn add_epoch(&self, epoch: Epoch) {
        self.epochs.add(epoch).await;
    }

    /// Returns whether there are epochs that rows of credentials may not show yet.
    pub fn has_open_epochs(&self) -> bool {
        !self.epochs.open().is_empty()
    }

    /// Reloads the epochs from the database.
    ///
    /// # Errors
    /// The database cannot be read, or a row is damaged; the epochs stay as they are.
    pub async fn reload_epochs(&self) -> Result<(), StoreError> {
        let forget = |expanded: &[Epoch]| {
            self.credentials.drop_where(|credential| epoch::ending(expanded, credential).is_some());
        };
        self.epochs.reload(&self.store, forget).await
    }

    /// Drops all credentials; the next look-ups take queries.
    pub fn clear(&self) {
        self.credentials.clear();
    }

    /// Returns how many look-ups the cache answered since the start, and how many took a query.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        let (hits, misses) = self.credentials.hits_and_misses();
        (hits, misses + self.unknown_asked.load(Ordering::Relaxed))
    }
}

/// Returns a credential as it is under `epochs`.
fn under(epochs: &[Epoch], credential: Arc<Credential>) -> Arc<Credential> {
    if epoch::ending(epochs, &credential).is_none() {
        return credential;
    }
    let mut ended = Credential::clone(&credential);
    ended.apply_epochs(epochs);
    Arc::new(ended)
}
