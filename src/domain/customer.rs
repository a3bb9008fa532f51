//! Customers: the tenants of the company's own platform.

use super::ids::CustomerId;
use super::text::{Name, checked_text};
use super::time::Timestamp;

/// Longest external id, in bytes.
const EXTERNAL_ID_MAX: usize = 128;

/// The word of the command line for no customer.
pub const ANY: &str = "any";

/// A customer: a tenant of the company's platform.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its id here.
    pub id: CustomerId,
    /// Its id on the company's platform; no two customers have the same.
    pub external_id: ExternalId,
    /// Its name, for people.
    pub name: Name,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

checked_text! {
    /// A customer's id on the company's own platform: 1 to 128 bytes of visible ASCII. Customers are named by either
    /// id, so an external id must not look like an id of Sealwright.
    ExternalId by external_id;
}

fn external_id(text: &str) -> Result<&str, &'static str> {
    if text.is_empty() || text.len() > EXTERNAL_ID_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("must be 1 to 128 visible ASCII characters");
    }
    // The command line has a word for no customer.
    if text.starts_with("cus_") || text == ANY {
        return Err("must not be any, nor begin with cus_");
    }
    Ok(text)
}

/// A filter of customers to list. All conditions must apply.
#[derive(Clone, Debug, Default)]
pub struct CustomerFilter {
    /// The one with this external id.
    pub external_id: Option<String>,
    /// Only these; all, if empty.
    pub among: Vec<CustomerId>,
    /// Created before the customer with this id.
    pub before: Option<CustomerId>,
}

/// A customer to create.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// Its id on the company's platform.
    pub external_id: ExternalId,
    /// Its name, for people.
    pub name: Name,
}

/// Changes to a customer; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct CustomerChanges {
    /// Its id on the company's platform.
    pub external_id: Option<ExternalId>,
    /// Its name, for people.
    pub name: Option<Name>,
}
