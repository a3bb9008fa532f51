//! Results of verifying an API key.

use strum::{EnumIter, IntoStaticStr};

/// The result of using an API key: the first of these that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyCode {
    /// No such key.
    NotFound,
    /// The key was revoked.
    Revoked,
    /// Its `expires_at` has passed.
    Expired,
    /// It is disabled, its owner is not active, or all of its customers are suspended.
    Disabled,
    /// It belongs to another environment than the request.
    WrongEnvironment,
    /// Its allowlist does not contain the address, or the address is unknown.
    IpNotAllowed,
    /// It is tied to other customers.
    WrongCustomer,
    /// It exceeds its rate limits.
    RateLimited,
    /// It lacks a required scope.
    InsufficientScope,
    /// It is valid for this use.
    Valid,
}

impl KeyCode {
    /// Returns every result, in the order in which they are decided.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter()
    }

    /// Returns the name in responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
