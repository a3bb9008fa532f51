//! Customers.

use serde::Serialize;
use utoipa::ToSchema;

use super::closed::CustomerStatus;
use super::input::{Changed, Optional, Patched, Required, input};
use super::metadata::MetadataPairs;
use crate::domain::customer::{Customer, CustomerChanges, CustomerFilter, ExternalId, NewCustomer};
use crate::domain::ids::CustomerId;
use crate::domain::metadata::Metadata;
use crate::domain::text::Name;
use crate::domain::time::Timestamp;

/// A tenant of your platform.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct CustomerView {
    id: CustomerId,
    /// What tokens, verification and gateways call it. Fixed at creation, and never given again.
    external_id: ExternalId,
    name: Name,
    status: CustomerStatus,
    metadata: Metadata,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Customer> for CustomerView {
    fn from(customer: &Customer) -> Self {
        Self {
            id: customer.id.clone(),
            external_id: customer.external_id.clone(),
            name: customer.name.clone(),
            status: if customer.is_suspended { CustomerStatus::Suspended } else { CustomerStatus::Active },
            metadata: customer.metadata.clone(),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

input! {
    /// A customer to create.
    pub struct CustomerCreate {
        /// Its id on your platform, in visible ASCII without a space: what tokens, verification and gateways call it.
        /// It cannot be changed, and no other customer ever has the same, also after this one was deleted.
        external_id: Required<ExternalId>,
        /// What people call it.
        name: Required<Name>,
        /// Pairs of text to keep with it.
        metadata: Patched<MetadataPairs>,
    }

    /// Settings of a customer to change. A setting that is absent stays as it is.
    pub struct CustomerUpdate {
        /// What people call it.
        name: Changed<Name>,
        /// Pairs to set; null as a value removes a pair, and pairs that are not named stay. Null removes all.
        metadata: Patched<MetadataPairs>,
    }

    /// Which customers to list.
    pub struct CustomerFilters {
        /// Only the customer with this external id.
        external_id: Optional<ExternalId>,
    }
}

impl From<CustomerFilters> for CustomerFilter {
    fn from(filters: CustomerFilters) -> Self {
        Self { external_id: filters.external_id.map(|id| id.to_string()), ..Self::default() }
    }
}

impl From<CustomerCreate> for NewCustomer {
    fn from(input: CustomerCreate) -> Self {
        Self { external_id: input.external_id, name: input.name, metadata: input.metadata }
    }
}

impl From<CustomerUpdate> for CustomerChanges {
    fn from(input: CustomerUpdate) -> Self {
        Self { name: input.name, metadata: input.metadata }
    }
}
