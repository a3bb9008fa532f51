//! The customers in use, by our ids.

use std::sync::Arc;

use super::cache::Cache;
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::store::{Store, StoreError, customers};

/// Customers cached, at a few hundred bytes each.
const CUSTOMERS: usize = 16_384;

/// A credential is tied to other customers.
#[derive(Clone, Copy, Debug)]
pub struct OtherCustomer;

/// The customers in use.
#[derive(Debug)]
pub struct Customers {
    store: Store,
    customers: Cache<Customer>,
}

impl Customers {
    /// An empty cache of what `store` has.
    pub fn new(store: Store) -> Self {
        Self { store, customers: Cache::new(CUSTOMERS) }
    }

    /// The one of a credential's `customers` that `named` names by either id. A credential that is tied to no customer
    /// passes for any.
    ///
    /// # Errors
    /// Outside: the database fails. Inside: it is tied to others.
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

    /// Drops a customer: it was changed.
    pub fn drop_entry(&self, id: &str) {
        self.customers.drop_entry(id);
    }

    /// Drops all of them.
    pub fn clear(&self) {
        self.customers.clear();
    }
}
