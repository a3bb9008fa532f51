//! A cache of customers, and the one place that decides whom a credential serves.

use std::sync::Arc;

use quick_cache::sync::Cache as QuickCache;

use super::cache::{Cache, Footprint};
use crate::domain::customer::{AllSuspended, Served, Tenant};
use crate::domain::ids::CustomerId;
use crate::store::{AnyConnection, Store, StoreError, customers};

/// Bytes of the customers that are cached.
const CUSTOMERS: usize = 8 << 20;

/// External ids that are cached.
const EXTERNAL_IDS: usize = 16_384;

impl Footprint for Tenant {
    fn heap_bytes(&self) -> usize {
        self.external_id.as_str().len() + 128
    }
}

/// A cache of customers.
#[derive(Debug)]
pub struct Customers {
    store: Store,
    by_id: Cache<Tenant>,
    /// Never stale: an external id is fixed, and never given again.
    ids_by_external_id: QuickCache<Arc<str>, CustomerId>,
}

impl Customers {
    /// Creates an empty cache of the customers in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, by_id: Cache::new(CUSTOMERS), ids_by_external_id: QuickCache::new(EXTERNAL_IDS) }
    }

    /// Decides whom a credential serves now that is tied to `customers`.
    ///
    /// # Errors
    /// The outer error means that the database failed; the inner, that all of them are suspended.
    pub async fn served(&self, customers: &[CustomerId]) -> Result<Result<Served, AllSuspended>, StoreError> {
        Ok(Served::of(!customers.is_empty(), self.each(customers).await?))
    }

    /// Returns the customers that decide whom a token serves: those that its client is tied to or, if to none, those
    /// that the token names by their external ids.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of_token(&self, claimed: &[String], tied: &[CustomerId]) -> Result<Vec<Arc<Tenant>>, StoreError> {
        if tied.is_empty() { self.each_named(claimed).await } else { self.each(tied).await }
    }

    /// Returns those of `ids` that exist.
    async fn each(&self, ids: &[CustomerId]) -> Result<Vec<Arc<Tenant>>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.get(id).await?);
        }
        Ok(found)
    }

    /// Returns the customers with these external ids that exist.
    async fn each_named(&self, external_ids: &[String]) -> Result<Vec<Arc<Tenant>>, StoreError> {
        let mut found = Vec::with_capacity(external_ids.len());
        for external_id in external_ids {
            found.extend(self.get_named(external_id).await?);
        }
        Ok(found)
    }

    async fn get(&self, id: &CustomerId) -> Result<Option<Arc<Tenant>>, StoreError> {
        if let Some(found) = self.by_id.get(id.as_str()) {
            return Ok(Some(found));
        }
        let asked = id.clone();
        let query = self.store.read(move |connection| Ok(customers::find(connection, &asked)?.map(Tenant::from)));
        self.by_id.fetch(id.shared(), query).await
    }

    async fn get_named(&self, external_id: &str) -> Result<Option<Arc<Tenant>>, StoreError> {
        if let Some(id) = self.ids_by_external_id.get(external_id) {
            return self.get(&id).await;
        }
        let asked = external_id.to_owned();
        let found = self.store.read(move |connection| customers::id_of(connection, &asked)).await?;
        let Some(id) = found else { return Ok(None) };
        self.ids_by_external_id.insert(external_id.into(), id.clone());
        self.get(&id).await
    }

    /// Drops a customer that was changed.
    pub fn drop_entry(&self, id: &str) {
        self.by_id.drop_entry(id);
    }

    /// Drops all cached customers.
    pub fn clear(&self) {
        self.by_id.clear();
        // A restored database may have other customers.
        self.ids_by_external_id.clear();
    }
}

/// Reads past the cache the customers with these ids.
///
/// # Errors
/// The database cannot be read.
pub fn read_each(connection: &mut AnyConnection, ids: &[CustomerId]) -> Result<Vec<Arc<Tenant>>, StoreError> {
    let found =
        ids.iter().map(|id| Ok(customers::find(connection, id)?.map(|customer| Arc::new(Tenant::from(customer)))));
    found.filter_map(Result::transpose).collect()
}

/// Reads past the cache the customers of a token, as [`Customers::of_token`] returns them.
///
/// # Errors
/// The database cannot be read.
pub fn read_of_token(
    connection: &mut AnyConnection,
    claimed: &[String],
    tied: &[CustomerId],
) -> Result<Vec<Arc<Tenant>>, StoreError> {
    if !tied.is_empty() {
        return read_each(connection, tied);
    }
    let named = claimed.iter().map(|name| customers::id_of(connection, name));
    let ids = named.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    read_each(connection, &ids)
}
