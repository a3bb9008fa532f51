//! The filter of credentials to list.

use super::{CredentialId, CredentialKind, KeyType, Status};
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::time::{Duration, Timestamp};

/// A filter of credentials of one kind. All conditions must apply.
#[derive(Clone, Debug)]
pub struct CredentialFilter {
    /// Clients or API keys.
    pub kind: CredentialKind,
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// With a name that begins with this.
    pub name: Option<String>,
    /// API keys of this type.
    pub key_type: Option<KeyType>,
    /// API keys with a value that begins with this, as it is shown.
    pub prefix: Option<String>,
    /// API keys with a value that ends with this.
    pub last_four: Option<String>,
    /// Of this owner.
    pub owner: Option<UserId>,
    /// Tied to this customer, by either id.
    pub customer: Option<String>,
    /// Tied to one or more of these customers and to no other; any, if empty.
    pub within: Vec<CustomerId>,
    /// With this status at this time.
    pub status: Option<(Status, Timestamp)>,
    /// Due for rotation, or not.
    pub due: Option<Due>,
    /// Created before the credential with this id.
    pub before: Option<CredentialId>,
}

impl CredentialFilter {
    /// Matches every credential of `kind`.
    pub const fn all(kind: CredentialKind) -> Self {
        Self {
            kind,
            environment: None,
            name: None,
            key_type: None,
            prefix: None,
            last_four: None,
            owner: None,
            customer: None,
            within: vec![],
            status: None,
            due: None,
            before: None,
        }
    }
}

/// A condition on rotation. A credential is due if it is neither expired nor revoked, and its newest secret was created
/// at `rotated_before` or earlier.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Whether to match credentials that are due, or those that are not.
    pub is_due: bool,
    /// The latest creation time of the newest secret of a credential that is due.
    pub rotated_before: Timestamp,
    /// The time at which the condition is decided.
    pub now: Timestamp,
}

impl Due {
    /// Matches the credentials that are due at `now`, or those that are not, if secrets are due for rotation at
    /// `rotation_age`.
    pub const fn at(now: Timestamp, rotation_age: Duration, is_due: bool) -> Self {
        Self { is_due, rotated_before: now.minus(rotation_age), now }
    }
}
