//! Which credentials to list.

use super::{CredentialId, CredentialKind, KeyType, Status};
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::time::{Duration, Timestamp};

/// Which credentials of one kind to list. All that is named must apply.
#[derive(Clone, Debug)]
pub struct CredentialFilter {
    /// Clients or API keys.
    pub kind: CredentialKind,
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// With exactly this name.
    pub name: Option<String>,
    /// API keys of this type.
    pub key_type: Option<KeyType>,
    /// Of this owner.
    pub owner: Option<UserId>,
    /// Tied to this customer, by either id.
    pub customer: Option<String>,
    /// Tied to some of these customers and to no other; any, if empty.
    pub within: Vec<CustomerId>,
    /// With this status at this time.
    pub status: Option<(Status, Timestamp)>,
    /// Due to be rotated, or not.
    pub due: Option<Due>,
    /// Created before the credential with this id.
    pub before: Option<CredentialId>,
}

impl CredentialFilter {
    /// Every credential of `kind`.
    pub const fn all(kind: CredentialKind) -> Self {
        Self {
            kind,
            environment: None,
            name: None,
            key_type: None,
            owner: None,
            customer: None,
            within: vec![],
            status: None,
            due: None,
            before: None,
        }
    }
}

/// Whether credentials are due to be rotated at a time: they have not ended, and their newest secret was created at
/// `rotated_before` at the latest.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Those that are, or those that are not.
    pub is_due: bool,
    /// When the newest secret of one that is due was created at the latest.
    pub rotated_before: Timestamp,
    /// The time at which they are due or not.
    pub now: Timestamp,
}

impl Due {
    /// Those that are due at `now`, or those that are not, where secrets are replaced at `rotation_age`.
    pub const fn at(now: Timestamp, rotation_age: Duration, is_due: bool) -> Self {
        Self { is_due, rotated_before: now.minus(rotation_age), now }
    }
}
