//! A cache of customers, by the ids that Sealwright gave them.

use std::sync::Arc;

use super::cache::{Cache, Footprint};
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::store::{Store, StoreError, customers};

/// Bytes of the customers that are cached.
const CUSTOMERS: usize = 8 << 20;

/// The credential is tied to other customers.
#[derive(Clone, Copy, Debug)]
pub struct OtherCustomer;

impl Footprint for Customer {
    fn heap_bytes(&self) -> usize {
        self.external_id.as_str().len() + self.name.as_str().len() + 128
    }
}

/// A cache of customers.
#[derive(Debug)]
pub struct Customers {
    store: Store,
    customers: Cache<Customer>,
}

impl Customers {
    /// Creates an empty cache of the customers in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, customers: Cache::new(CUSTOMERS) }
    }

    /// Finds the one of a credential's `customers` that `named` names by id or external id. A credential that is tied
    /// to no customer may be used for any.
    ///
    /// # Errors
    /// The outer error means that the database failed; the inner, that the credential is tied to other customers.
    pub async fn named_among(
        &self,
        customers: &[CustomerId],
        named: Option<&str>,
    ) -> Result<Result<Option<CustomerId>, OtherCustomer>, StoreError> {
        let Some(named) = named.filter(|_| !customers.is_empty()) else { return Ok(Ok(None)) };
        for id in customers {
            let is_named = id.as_str() == named
                || self.get(id).await?.is_some_and(|customer| customer.external_id.as_str() == named);
            if is_named {
                return Ok(Ok(Some(id.clone())));
            }
        }
        Ok(Err(OtherCustomer))
    }

    async fn get(&self, id: &CustomerId) -> Result<Option<Arc<Customer>>, StoreError> {
        if let Some(found) = self.customers.get(id.as_str()) {
            return Ok(Some(found));
        }
        let asked = id.clone();
        let query = self.store.read(move |connection| customers::find(connection, &asked));
        self.customers.fetch(id.shared(), query).await
    }

    /// Drops a customer that was changed.
    pub fn drop_entry(&self, id: &str) {
        self.customers.drop_entry(id);
    }

    /// Drops all cached customers.
    pub fn clear(&self) {
        self.customers.clear();
    }
}
