//! Customers.

use serde::Serialize;
use utoipa::ToSchema;

use super::input::{Changed, Optional, Required, input};
use crate::domain::customer::{Customer, CustomerChanges, ExternalId, NewCustomer};
use crate::domain::ids::CustomerId;
use crate::domain::text::Name;
use crate::domain::time::Timestamp;

/// A tenant of your platform.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct CustomerView {
    id: CustomerId,
    external_id: ExternalId,
    name: Name,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Customer> for CustomerView {
    fn from(customer: &Customer) -> Self {
        Self {
            id: customer.id.clone(),
            external_id: customer.external_id.clone(),
            name: customer.name.clone(),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

input! {
    /// A customer to create.
    pub struct CustomerCreate {
        /// Its id on your platform, in visible ASCII. No two customers have the same.
        external_id: Required<ExternalId>,
        /// What people call it.
        name: Required<Name>,
    }

    /// Settings of a customer to change. A setting that is absent stays as it is.
    pub struct CustomerUpdate {
        /// Its id on your platform, in visible ASCII. No two customers have the same.
        external_id: Changed<ExternalId>,
        /// What people call it.
        name: Changed<Name>,
    }

    /// Which customers to list.
    pub struct CustomerFilters {
        /// Only the customer with this external id.
        external_id: Optional<ExternalId>,
    }
}

impl From<CustomerCreate> for NewCustomer {
    fn from(input: CustomerCreate) -> Self {
        Self { external_id: input.external_id, name: input.name }
    }
}

impl From<CustomerUpdate> for CustomerChanges {
    fn from(input: CustomerUpdate) -> Self {
        Self { external_id: input.external_id, name: input.name }
    }
}
