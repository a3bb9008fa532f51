//! What comes of verifying an API key.

use strum::{EnumIter, IntoStaticStr};

/// What comes of using a key: the first of these that applies, in the order that SPEC §5 gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyCode {
    /// No such key.
    NotFound,
    /// Its value was replaced, or it was revoked.
    Revoked,
    /// Its `expires_at` has passed.
    Expired,
    /// Disabled, or its owner is not active.
    Disabled,
    /// Of another environment than was asked for.
    WrongEnvironment,
    /// It has an allowlist, which the address is not in or which nothing is known of.
    IpNotAllowed,
    /// It is tied to other customers.
    WrongCustomer,
    /// It is over its limits.
    RateLimited,
    /// It lacks a scope that is needed.
    InsufficientScope,
    /// It may be used.
    Valid,
}

impl KeyCode {
    /// The name in responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
