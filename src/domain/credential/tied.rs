//! A credential with what it depends on, its owner and its customers: what is in force of it.

use std::sync::Arc;

use super::{Credential, Status};
use crate::domain::customer::{Customer, Served, Tenant};
use crate::domain::scope::Scopes;
use crate::domain::text::Name;
use crate::domain::time::Timestamp;
use crate::domain::user::EmailAddress;

/// A credential, its owner and the customers that it is tied to, as callers see them.
#[derive(Clone, Debug)]
pub struct TiedCredential {
    /// The credential.
    pub credential: Credential,
    /// All customers that it is tied to.
    pub customers: Vec<Customer>,
    /// Its owner, if it has one who is visible to the caller.
    pub owner: Option<OwnerNames>,
    /// Its scopes, as far as the role of its owner allows them now; `None` while the owner is inactive.
    pub allowed: Option<Scopes>,
}

/// How people know the owner of a credential.
#[derive(Clone, Debug)]
pub struct OwnerNames {
    /// The address that the user signs in with.
    pub email: EmailAddress,
    /// The user's name, if it is known.
    pub name: Option<Name>,
}

/// Why a credential is inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Inactivity {
    /// It was disabled itself.
    Disabled,
    /// Its owner is disabled.
    OwnerInactive,
    /// All customers that it is tied to are suspended.
    CustomerSuspended,
}

impl Inactivity {
    /// Returns every reason, in the order of precedence.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter()
    }

    /// Returns the name in responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl TiedCredential {
    /// Returns the status that is in force at `now`, and if it is inactive, why.
    pub fn status(&self, now: Timestamp) -> (Status, Option<Inactivity>) {
        let why = match self.credential.status(now) {
            Status::Active => self.refused_for_others(),
            Status::Inactive => Some(Inactivity::Disabled),
            ended => return (ended, None),
        };
        (if why.is_some() { Status::Inactive } else { Status::Active }, why)
    }

    /// Returns the scopes that it has at `now`: none unless it is active.
    pub fn scopes(&self, now: Timestamp) -> Scopes {
        let is_active = self.status(now).0 == Status::Active;
        self.allowed.clone().filter(|_| is_active).unwrap_or_default()
    }

    /// Returns why it is refused for its owner or its customers, as decisions about requests do.
    fn refused_for_others(&self) -> Option<Inactivity> {
        if self.allowed.is_none() {
            return Some(Inactivity::OwnerInactive);
        }
        let tenants = self.customers.iter().cloned().map(|customer| Arc::new(Tenant::from(customer))).collect();
        let served = Served::of(!self.credential.customers.is_empty(), tenants);
        served.is_err().then_some(Inactivity::CustomerSuspended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{KeyType, State, samples};
    use crate::domain::ids::CustomerId;
    use crate::domain::metadata::Metadata;

    fn customer(is_suspended: bool) -> Customer {
        let at = Timestamp::from_seconds(1);
        Customer {
            id: CustomerId::new(at, &[u8::from(is_suspended); 10]),
            external_id: "acme".parse().unwrap(),
            name: "Acme".parse().unwrap(),
            metadata: Metadata::default(),
            is_suspended,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn what_is_in_force_follows_the_credential_then_its_owner_then_its_customers() {
        type Case<'c> = (State, Option<i64>, bool, &'c [bool], Status, Option<Inactivity>);
        let now = Timestamp::from_seconds(2_000);
        let cases: [Case<'_>; 9] = [
            (State::Enabled, None, true, &[], Status::Active, None),
            (State::Enabled, None, true, &[false, true], Status::Active, None),
            (State::Enabled, None, true, &[true], Status::Inactive, Some(Inactivity::CustomerSuspended)),
            (State::Enabled, None, false, &[true], Status::Inactive, Some(Inactivity::OwnerInactive)),
            (State::Disabled, None, false, &[true], Status::Inactive, Some(Inactivity::Disabled)),
            (State::Enabled, Some(2_000), false, &[], Status::Expired, None),
            (State::Disabled, Some(2_000), true, &[], Status::Expired, None),
            (State::Revoked, Some(2_000), false, &[true], Status::Revoked, None),
            (State::Enabled, Some(2_001), true, &[], Status::Active, None),
        ];
        for (state, expires_at, is_allowed, suspended, status, why) in cases {
            let customers: Vec<Customer> = suspended.iter().map(|is_suspended| customer(*is_suspended)).collect();
            let scopes: Scopes = "orders:read".parse().unwrap();
            let tied = TiedCredential {
                credential: Credential {
                    state,
                    expires_at: expires_at.map(Timestamp::from_seconds),
                    customers: customers.iter().map(|customer| customer.id.clone()).collect(),
                    ..samples::key(KeyType::Partner)
                },
                customers,
                owner: None,
                allowed: is_allowed.then(|| scopes.clone()),
            };
            assert_eq!(tied.status(now), (status, why), "{state:?} {expires_at:?} {is_allowed} {suspended:?}");
            let expected = if status == Status::Active { scopes } else { Scopes::default() };
            assert_eq!(tied.scopes(now), expected, "{state:?} {expires_at:?} {is_allowed} {suspended:?}");
        }
    }
}
