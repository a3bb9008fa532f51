//! Epochs: acts that end many credentials at once. An epoch has the number of its change and ends what was created,
//! tied and given its owner by changes with lower numbers, however many credentials that are. Their rows follow later.

use super::caller::are_within;
use super::credential::{Credential, State};
use super::environment::Environment;
use super::ids::{CustomerId, UserId};
use super::time::Timestamp;

/// The credentials that an epoch is about. All that is named must apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Credentials of this environment.
    pub environment: Option<Environment>,
    /// Credentials of this owner.
    pub owner: Option<UserId>,
    /// Credentials that are tied to this customer.
    pub customer: Option<CustomerId>,
    /// Credentials that are tied to one or more of these customers and to no other; any, if empty. A caller who is tied
    /// to customers ends only what is visible to it.
    pub within: Vec<CustomerId>,
}

/// An act that ends all credentials of an extent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The number of the change that made it.
    pub sequence: i64,
    /// What it ends.
    pub extent: Extent,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Epoch {
    /// Returns `true` if the epoch ends `credential`. A later change of its owner or its customers does not bring it
    /// under the epoch, and none can take it out: what has ended cannot be changed.
    pub fn ends(&self, credential: &Credential) -> bool {
        let (extent, numbers) = (&self.extent, credential.numbers);
        let is_earlier = |number: i64| number < self.sequence;
        let is_of_owner = || credential.owner == extent.owner && is_earlier(numbers.owner);
        let is_of_customer = |customer: &CustomerId| credential.customers.contains(customer);
        let is_tied = || {
            is_earlier(numbers.customers)
                && extent.customer.as_ref().is_none_or(is_of_customer)
                && are_within(&credential.customers, &extent.within)
        };
        is_earlier(numbers.created)
            && extent.environment.is_none_or(|environment| credential.environment == environment)
            && (extent.owner.is_none() || is_of_owner())
            && ((extent.customer.is_none() && extent.within.is_empty()) || is_tied())
    }
}

/// Returns the first of `epochs` that ends a credential which is not revoked.
pub fn ending<'e>(epochs: &'e [Epoch], credential: &Credential) -> Option<&'e Epoch> {
    let is_revoked = credential.state == State::Revoked;
    if is_revoked { None } else { epochs.iter().find(|epoch| epoch.ends(credential)) }
}

impl Credential {
    /// Applies epochs, oldest first, that its row may not show yet. It is then as its row will be.
    pub fn apply_epochs(&mut self, epochs: &[Epoch]) {
        if let Some(epoch) = ending(epochs, self) {
            self.state = State::Revoked;
            self.updated_at = epoch.created_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{ChangeNumbers, KeyType, samples};

    fn user(number: u8) -> UserId {
        UserId::new(Timestamp::from_millis(1), &[number; 10])
    }

    fn customer(number: u8) -> CustomerId {
        CustomerId::new(Timestamp::from_millis(1), &[number; 10])
    }

    fn epoch(extent: Extent) -> Epoch {
        Epoch { sequence: 10, extent, created_at: Timestamp::from_seconds(2_000) }
    }

    /// A key of user 1 in production, tied to these customers, with the numbers of its creation, owner and customers.
    fn key(customers: &[u8], (created, owner, tied): (i64, i64, i64)) -> Credential {
        Credential {
            owner: Some(user(1)),
            customers: customers.iter().map(|number| customer(*number)).collect(),
            numbers: ChangeNumbers { created, owner, customers: tied },
            ..samples::key(KeyType::Partner)
        }
    }

    #[test]
    fn an_epoch_ends_what_was_there_before_it_and_all_that_it_names_applies_to() {
        let production = Some(Environment::Production);
        let nothing = Extent::default();
        let of_production = Extent { environment: production, ..nothing.clone() };
        let of_staging = Extent { environment: Some(Environment::Staging), ..nothing.clone() };
        let of_owner = Extent { owner: Some(user(1)), ..nothing.clone() };
        let of_other = Extent { owner: Some(user(2)), ..nothing.clone() };
        let of_acme = Extent { customer: Some(customer(1)), ..nothing.clone() };
        let of_both = Extent { owner: Some(user(1)), ..of_acme.clone() };
        let of_all = Extent { environment: production, ..of_both.clone() };
        let within = Extent { within: vec![customer(1), customer(3)], ..of_production.clone() };
        let before = (5, 5, 5);
        for (extent, customers, numbers, expected) in [
            (&of_production, &[][..], before, true),
            (&of_production, &[], (9, 9, 0), true),
            (&of_production, &[], (10, 10, 0), false),
            (&of_production, &[], (11, 11, 0), false),
            // Where only the environment counts, a later transfer or tie changes nothing.
            (&of_production, &[1], (5, 11, 11), true),
            (&of_staging, &[], before, false),
            (&of_owner, &[], before, true),
            (&of_owner, &[], (5, 11, 5), false),
            (&of_owner, &[1], (5, 5, 11), true),
            (&of_other, &[], before, false),
            (&of_acme, &[1], before, true),
            (&of_acme, &[1, 2], before, true),
            (&of_acme, &[2], before, false),
            (&of_acme, &[], before, false),
            (&of_acme, &[1], (5, 5, 11), false),
            (&of_acme, &[1], (5, 11, 5), true),
            (&of_both, &[1], before, true),
            (&of_both, &[2], before, false),
            (&of_both, &[1], (5, 11, 5), false),
            (&of_both, &[1], (5, 5, 11), false),
            (&of_all, &[1], before, true),
            (&of_all, &[1], (12, 12, 12), false),
            (&within, &[1], before, true),
            (&within, &[1, 3], before, true),
            (&within, &[1, 2], before, false),
            (&within, &[2], before, false),
            (&within, &[], before, false),
            // It was tied to another customer, too, when the caller could not see it.
            (&within, &[1], (5, 5, 11), false),
        ] {
            let ends = epoch(extent.clone()).ends(&key(customers, numbers));
            assert_eq!(ends, expected, "{extent:?} {customers:?} {numbers:?}");
        }
    }

    #[test]
    fn a_credential_ends_by_the_first_of_several_epochs_and_stays_ended() {
        let first = epoch(Extent { owner: Some(user(1)), ..Extent::default() });
        let second = Epoch { sequence: 20, created_at: Timestamp::from_seconds(3_000), ..first.clone() };
        let mut credential = key(&[], (5, 5, 5));
        credential.apply_epochs(&[]);
        assert_eq!(credential.state, State::Enabled);
        credential.apply_epochs(&[first.clone(), second.clone()]);
        assert_eq!((credential.state, credential.updated_at), (State::Revoked, first.created_at));
        credential.apply_epochs(std::slice::from_ref(&second));
        assert_eq!((credential.state, credential.updated_at), (State::Revoked, first.created_at));
    }
}
