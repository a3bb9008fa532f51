//! What clients and API keys have in common: whether they are accepted, and to whom they belong.

use super::environment::Environment;
use super::ids::{CustomerId, UserId};
use super::time::{Duration, Timestamp};

/// Longest time for which a replaced secret or key may go on being accepted.
pub const GRACE_MAX: Duration = Duration::days(30);
/// Most customers that one credential may be tied to.
pub const CUSTOMERS_MAX: usize = 20;

/// Whether a credential is accepted, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Accepted.
    Active,
    /// Disabled for now; it can be enabled again.
    Inactive,
    /// Its `expires_at` has passed.
    Expired,
    /// Ended for good.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Inactive, Self::Expired, Self::Revoked];

    /// The name as it stands in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or("must be active, inactive, expired or revoked")
    }
}

/// What an operator has decided about a credential, apart from its dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In use.
    Enabled,
    /// Disabled for now.
    Disabled,
    /// Ended for good.
    Revoked,
}

impl State {
    /// The name as it stands in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }

    /// The status at `now` of what has this state and ends at `expires_at`: what is final comes before what can be undone.
    pub fn status(self, expires_at: Option<Timestamp>, now: Timestamp) -> Status {
        match self {
            Self::Revoked => Status::Revoked,
            _ if expires_at.is_some_and(|end| end <= now) => Status::Expired,
            Self::Disabled => Status::Inactive,
            Self::Enabled => Status::Active,
        }
    }
}

impl std::str::FromStr for State {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Enabled, Self::Disabled, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or("is not a state")
    }
}

/// What can be done to a credential's state; what is so already stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// Stop it for now.
    Disable,
    /// Let it go on.
    Enable,
    /// End it for good.
    Revoke,
}

impl StateChange {
    /// The state afterwards.
    pub const fn state(self) -> State {
        match self {
            Self::Disable => State::Disabled,
            Self::Enable => State::Enabled,
            Self::Revoke => State::Revoked,
        }
    }
}

/// Where a credential stands: what decides whether a caller sees it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'c> {
    /// Its environment.
    pub environment: Environment,
    /// The user whom it belongs to; the organisation if `None`.
    pub owner: Option<&'c UserId>,
    /// The customers that it is tied to.
    pub customers: &'c [CustomerId],
}
