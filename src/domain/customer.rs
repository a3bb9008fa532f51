//! Customers: the tenants of the company's own platform.

use super::ids::CustomerId;
use super::time::Timestamp;

/// Longest external id, in bytes.
const EXTERNAL_ID_MAX: usize = 128;

/// What commands call being tied to no customer.
pub const ANY: &str = "any";

/// A customer.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its id here.
    pub id: CustomerId,
    /// Its id on the company's platform; no two customers have the same.
    pub external_id: String,
    /// What people call it.
    pub name: String,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Checks an external id: 1 to 128 bytes of visible ASCII. One that looks like an id of ours is refused, since customers are
/// named by either.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the field's name.
pub fn external_id(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > EXTERNAL_ID_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("must be 1 to 128 visible ASCII characters");
    }
    // Commands have a word for no customer at all.
    if text.starts_with("cus_") || text == ANY {
        return Err("must not be any, nor begin with cus_");
    }
    Ok(text.to_owned())
}
