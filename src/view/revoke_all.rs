//! Revoking all credentials of an environment, an owner or a customer.

use serde::Serialize;
use utoipa::ToSchema;

use super::field::Flag;
use super::input::{Optional, Reader, input};
use crate::domain::environment::Environment;
use crate::domain::reference::{CustomerReference, UserReference};

input! {
    /// Which credentials to revoke. All that is named must apply; something must be named.
    pub struct RevokeAll {
        /// Credentials of this environment. The caller's own, unless given; no other can be.
        environment: Optional<Environment>,
        /// Credentials of this owner, by id or e-mail address.
        owner: Optional<UserReference>,
        /// Credentials that are tied to this customer, by id or external id.
        customer: Optional<CustomerReference>,
        /// Only count them.
        dry_run: Optional<Flag>,
        check names_something,
    }
}

fn names_something(reader: &mut Reader) {
    if !["environment", "owner", "customer"].into_iter().any(|name| reader.has(name)) {
        reader.fail("environment", "is required, or owner or customer is");
    }
}

/// What was revoked, or would be.
#[derive(Serialize, ToSchema)]
pub struct RevokeAllResult {
    /// The id of the act; null if nothing was revoked, but only counted.
    #[schema(required, pattern = "^rev_[0-9a-f]{32}$")]
    pub id: Option<String>,
    /// How many clients it revokes, as counted just before. What was revoked already is not counted. Null if the count
    /// took too long, which stops nothing.
    #[schema(required, minimum = 0)]
    pub clients: Option<i64>,
    /// How many API keys it revokes, counted likewise.
    #[schema(required, minimum = 0)]
    pub keys: Option<i64>,
}
