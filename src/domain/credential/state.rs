//! States of a credential, and changes of them.

use strum::IntoEnumIterator as _;

use crate::domain::time::Timestamp;

/// Whether a credential is accepted, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Accepted.
    Active,
    /// Disabled; it can be enabled again.
    Inactive,
    /// Its `expires_at` has passed.
    Expired,
    /// Revoked permanently.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Inactive, Self::Expired, Self::Revoked];

    /// Returns the name in responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl std::str::FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::iter().find(|status| status.as_str() == text).ok_or("must be active, inactive, expired or revoked")
    }
}

/// The state that an operator has set, independent of the credential's dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// Accepted until it expires.
    Enabled,
    /// Disabled; it can be enabled again.
    Disabled,
    /// Revoked permanently.
    Revoked,
}

impl State {
    /// Returns the name in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the status at `now` of a credential in this state that expires at `expires_at`. A final status takes
    /// precedence over one that can be undone.
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
        Self::iter().find(|state| state.as_str() == text).ok_or("is not a state")
    }
}

/// A change of a credential's state. To repeat it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum StateChange {
    /// Refuse it until it is enabled.
    Disable,
    /// Accept it again.
    Enable,
    /// Revoke it permanently.
    Revoke,
}

impl StateChange {
    /// Returns the state after the change.
    pub const fn state(self) -> State {
        match self {
            Self::Disable => State::Disabled,
            Self::Enable => State::Enabled,
            Self::Revoke => State::Revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_state_outweighs_what_can_be_undone() {
        let now = Timestamp::from_seconds(2_000);
        let later = Timestamp::from_millis(2_000_001);
        for (state, expires_at, expected) in [
            (State::Enabled, None, Status::Active),
            (State::Enabled, Some(later), Status::Active),
            (State::Enabled, Some(now), Status::Expired),
            (State::Disabled, None, Status::Inactive),
            (State::Disabled, Some(later), Status::Inactive),
            (State::Disabled, Some(now), Status::Expired),
            (State::Revoked, None, Status::Revoked),
            (State::Revoked, Some(now), Status::Revoked),
        ] {
            assert_eq!(state.status(expires_at, now), expected, "{state:?} {expires_at:?}");
        }
    }
}
