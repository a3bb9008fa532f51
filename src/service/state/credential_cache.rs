//! A cache of credentials: clients by their `client_id`, API keys by the digest of their value. What an epoch has ended
//! is returned as revoked, whatever its row and the cache show.
//!
//! What is used most is cached as records; many more credentials are cached as bytes, which cost about a microsecond to
//! unpack. Cached credentials have no descriptions, and do not say when they were changed and used: they are for
//! decisions. What is shown to people, and what is changed, is read from the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::UnitWeighter;
use quick_cache::sync::Cache as QuickCache;

use super::cache::{Cache, Footprint, bounded};
use super::epochs::Epochs;
use super::packed::{PackedCredential, ShortId};
use crate::domain::credential::{Credential, CredentialId, CredentialKind, Details};
use crate::domain::epoch::{self, Epoch};
use crate::domain::ids::{self, ApiKeyId};
use crate::store::{Store, StoreError, credentials};

/// Bytes of the credentials that are cached as records.
const RECORDS: usize = 4 << 20;
/// Bytes of the credentials that are cached as bytes: about 170,000 keys, or 120,000 clients.
const PACKED: u64 = 48 << 20;
/// What a packed credential takes beside its bytes.
const PACKED_ENTRY: usize = 96;
/// Digests of API keys that are cached, at 53 bytes each.
const DIGESTS: usize = 230_000;

/// Half a digest of an API key. Decisions compare the whole with the key's record.
type HalfDigest = [u8; 16];

/// Weighs packed credentials by their bytes.
#[derive(Clone, Copy, Debug)]
struct PackedBytes;

impl quick_cache::Weighter<ShortId, PackedCredential> for PackedBytes {
    fn weight(&self, _id: &ShortId, packed: &PackedCredential) -> u64 {
        u64::try_from(PACKED_ENTRY + packed.len()).unwrap_or(u64::MAX)
    }
}

impl Footprint for Credential {
    fn heap_bytes(&self) -> usize {
        let scopes = 64 + self.scopes.as_str().len() + self.scopes.iter().count() * 24;
        let of_kind = match &self.details {
            Details::Client(details) => (details.audiences.len() + details.resource_for.len()) * 80,
            Details::ApiKey(_) => 0,
        };
        let texts = self.name.as_str().len() + self.description.as_str().len();
        scopes + of_kind + texts + self.secrets.len() * 350 + self.customers.len() * 80
    }
}

/// A cache of credentials and of the digests of API keys.
#[derive(Debug)]
pub struct CredentialCache {
    store: Store,
    /// As their rows show them, as the packed ones.
    records: Cache<Credential>,
    packed: QuickCache<ShortId, PackedCredential, PackedBytes>,
    /// The digits of the key that has or had a value. That never changes, so that nothing here is ever stale; whether
    /// the key still accepts the value is stored with the key. That no key has a value is never cached.
    keys_by_digest: QuickCache<HalfDigest, [u8; 16]>,
    epochs: Epochs,
    unknown_asked: AtomicU64,
}

impl CredentialCache {
    /// Creates an empty cache of the credentials in `store`.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            records: Cache::new(RECORDS),
            packed: bounded(170_000, PACKED, PackedBytes),
            keys_by_digest: bounded(DIGESTS, DIGESTS as u64, UnitWeighter),
            epochs: Epochs::default(),
            unknown_asked: AtomicU64::new(0),
        }
    }

    /// Returns the credential `id` if it is cached.
    fn cached(&self, id: &CredentialId) -> Option<Arc<Credential>> {
        let epochs = self.epochs.open();
        self.cached_row(id).map(|credential| under(&epochs, credential))
    }

    /// Returns the credential `id`, as its row showed it, if it is cached.
    fn cached_row(&self, id: &CredentialId) -> Option<Arc<Credential>> {
        if let Some(found) = self.records.get(id.as_str()) {
            return Some(found);
        }
        let version = self.records.version();
        let found = Arc::new(self.packed.get(&ShortId::of(id))?.unpack()?);
        self.records.count_hit();
        self.records.insert(version, id.shared(), &found, || ());
        Some(found)
    }

    /// Returns the client that `client_id` names, if it is cached.
    pub fn cached_client(&self, client_id: &str) -> Option<Arc<Credential>> {
        self.cached(&CredentialId::of_kind(CredentialKind::Client, client_id)?)
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

    /// Takes the queries of a client that does not exist, in place of those of `client_id`: no API key has the digits
    /// of a client.
    pub async fn find_nothing(&self, client_id: &str) {
        let digits = ids::digits(client_id).unwrap_or_default();
        let _nothing = self.fetch(CredentialId::ApiKey(ApiKeyId::from_bytes(digits))).await;
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
        match self.cached(&id) {
            Some(found) => Ok(Some(found)),
            None => self.fetch(id).await,
        }
    }

    async fn id_by_digest(&self, digest: &[u8; 32]) -> Result<Option<CredentialId>, StoreError> {
        let half = digest.first_chunk().copied().unwrap_or_default();
        if let Some(digits) = self.keys_by_digest.get(&half) {
            return Ok(Some(CredentialId::ApiKey(ApiKeyId::from_bytes(digits))));
        }
        let asked = *digest;
        let found = self.store.read(move |connection| credentials::id_by_digest(connection, &asked)).await?;
        let Some(id) = found.and_then(|id| id.parse::<ApiKeyId>().ok()) else {
            self.unknown_asked.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        };
        self.keys_by_digest.insert(half, id.to_bytes());
        Ok(Some(CredentialId::ApiKey(id)))
    }

    async fn fetch(&self, id: CredentialId) -> Result<Option<Arc<Credential>>, StoreError> {
        let epochs = Arc::clone(&self.epochs.open());
        let (shared, short) = (Arc::clone(id.shared()), ShortId::of(&id));
        let version = self.records.version();
        let query = self.store.read(move |connection| credentials::find_row(connection, &id));
        let Some(found) = query.await?.map(Arc::new) else {
            self.unknown_asked.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        };
        self.records.count_miss();
        let packed = PackedCredential::of(&found);
        self.records.insert(version, &shared, &found, || self.packed.insert(short, packed));
        Ok(Some(under(&epochs, found)))
    }

    /// Drops a credential that was changed.
    pub fn drop_entry(&self, id: &str) {
        self.records.drop_with(id, || {
            if let Ok(id) = id.parse() {
                self.packed.remove(&ShortId::of(&id));
            }
        });
    }

    /// Applies an epoch that this process has made, from now on.
    pub async fn add_epoch(&self, epoch: Epoch) {
        self.epochs.add(epoch).await;
    }

    /// Returns whether there are epochs that rows of credentials may not show yet.
    pub fn has_open_epochs(&self) -> bool {
        !self.epochs.open().is_empty()
    }

    /// Reloads the epochs from the database, which has announced those with these numbers.
    ///
    /// # Errors
    /// The database cannot be read, or a row is damaged; the epochs stay as they are.
    pub async fn reload_epochs(&self, announced: &[i64]) -> Result<(), StoreError> {
        self.epochs.reload(&self.store, announced, || self.clear()).await
    }

    /// Drops all credentials; the next look-ups take queries.
    pub fn clear(&self) {
        self.records.clear_with(|| self.packed.clear());
    }

    /// Returns how many look-ups the cache answered since the start, and how many took a query.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        let (hits, misses) = self.records.hits_and_misses();
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
