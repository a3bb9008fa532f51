//! Credentials: OAuth clients and API keys. Both kinds share one record, one life cycle and one set of rules;
//! [`Details`] has what differs.

mod api_key;
mod brand;
mod changes;
mod client;
mod filter;
mod id;
mod new;
#[cfg(test)]
pub mod samples;
mod secret;
mod state;
mod tied;

pub use api_key::{KeyDetails, KeyType, Preset, RANDOM_LENGTH, RawApiKey};
pub use brand::Brand;
pub use changes::{Changes, DetailChanges};
pub use client::{BeyondClient, Client, ClientDetails, LIFETIME_MAX, LIFETIME_MIN};
pub use filter::{CredentialFilter, Due};
pub use id::{CredentialId, CredentialKind};
pub use new::{CredentialInput, NewCredential, NewKind};
pub use secret::{
    GRACE_MAX, KeyedDigest, LIVE_SECRETS_MAX, LastUse, RawClientSecret, RawSecret, SecretHash, StoredSecret,
};
pub use state::{State, StateChange, Status};
pub use tied::{Inactivity, OwnerNames, TiedCredential};

use super::environment::Environment;
use super::ids::{CustomerId, SecretId, UserId};
use super::metadata::Metadata;
use super::network::Networks;
use super::rate::RateLimits;
use super::scope::Scopes;
use super::text::{Description, Name};
use super::time::{Duration, Timestamp};

/// Most customers that a credential may be tied to.
pub const CUSTOMERS_MAX: usize = 20;

/// An OAuth client or an API key.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its id, which never changes; a client's is its `client_id` in the protocol.
    pub id: CredentialId,
    /// The only environment that accepts it.
    pub environment: Environment,
    /// Its name, for people.
    pub name: Name,
    /// Its purpose, for people.
    pub description: Description,
    /// Its scopes, before the role of its owner limits them.
    pub scopes: Scopes,
    /// The networks that may use it; any if empty.
    pub allowed_ips: Networks,
    /// Its rate limits.
    pub limits: RateLimits,
    /// The state that an operator has set.
    pub state: State,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The user who owns it; the organisation if `None`.
    pub owner: Option<UserId>,
    /// The customers that it is tied to; any, if empty.
    pub customers: Vec<CustomerId>,
    /// Pairs of text that the company keeps with it, and that verification returns.
    pub metadata: Metadata,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When its newest secret was created.
    pub rotated_at: Timestamp,
    /// The last use of secrets that have been removed since.
    pub earlier_use: Option<LastUse>,
    /// Its secrets that have not been removed, newest first.
    pub secrets: Vec<StoredSecret>,
    /// The settings of its kind.
    pub details: Details,
    /// The numbers of the changes that decide which epochs end it.
    pub numbers: ChangeNumbers,
}

/// Numbers of changes of a credential. An epoch ends what has lower numbers than its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeNumbers {
    /// The change that created it.
    pub created: i64,
    /// The change that gave it its owner.
    pub owner: i64,
    /// The change that tied it to its customers, to all of them; 0 without customers.
    pub customers: i64,
}

/// The settings that differ between the kinds.
#[derive(Clone, Debug)]
pub enum Details {
    /// Settings of a client.
    Client(ClientDetails),
    /// Settings of an API key.
    ApiKey(KeyDetails),
}

/// The fields that decide which callers a credential is visible to.
#[derive(Clone, Copy, Debug)]
pub struct Ownership<'c> {
    /// Its environment.
    pub environment: Environment,
    /// The user who owns it; the organisation if `None`.
    pub owner: Option<&'c UserId>,
    /// The customers that it is tied to.
    pub customers: &'c [CustomerId],
}

impl Credential {
    /// Returns whether this is a client or an API key.
    pub const fn kind(&self) -> CredentialKind {
        self.id.kind()
    }

    /// Returns the credential as a client; `None` for an API key.
    pub const fn as_client(&self) -> Option<Client<'_>> {
        match &self.details {
            Details::Client(details) => Some(Client { credential: self, details }),
            Details::ApiKey(_) => None,
        }
    }

    /// Returns the type of an API key; `None` for a client.
    pub const fn key_type(&self) -> Option<KeyType> {
        match &self.details {
            Details::Client(_) => None,
            Details::ApiKey(details) => Some(details.key_type),
        }
    }

    /// Returns the status at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        self.state.status(self.expires_at, now)
    }

    /// Returns the fields that decide which callers it is visible to.
    pub fn ownership(&self) -> Ownership<'_> {
        Ownership { environment: self.environment, owner: self.owner.as_ref(), customers: &self.customers }
    }

    /// Returns `true` if the secret should be replaced: the newest is at least `age` old, and the credential is neither
    /// expired nor revoked.
    pub fn is_rotation_due(&self, age: Duration, now: Timestamp) -> bool {
        matches!(self.status(now), Status::Active | Status::Inactive) && self.rotated_at.plus(age) <= now
    }

    /// Returns the secrets that have not ended at `now`, whatever the state of the credential.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
        self.secrets.iter().filter(move |secret| secret.is_live(self.rotated_at, now))
    }

    /// Returns the live secret of an API key with this SHA-256.
    pub fn live_secret_with_digest(&self, digest: &[u8; 32], now: Timestamp) -> Option<&StoredSecret> {
        self.live_secrets(now).find(|secret| matches!(&secret.hash, SecretHash::Sha256(known) if known == digest))
    }

    /// Returns `true` if `secret`, one of its own, is accepted at `now`. A revoked credential has no live secret.
    pub fn is_secret_live(&self, secret: &StoredSecret, now: Timestamp) -> bool {
        self.state != State::Revoked && secret.is_live(self.rotated_at, now)
    }

    /// Returns when the last secret ends that was replaced and is still accepted at `now`; `None` if none is.
    pub fn replaced_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.live_secrets(now).filter_map(|secret| secret.ends_at).max()
    }

    /// Returns when and from where it was last used, by any of its secrets.
    pub fn last_use(&self) -> Option<LastUse> {
        self.secrets.iter().fold(self.earlier_use, |latest, secret| LastUse::latest(latest, secret.last_use))
    }

    /// Adds `new` as the newest secret. The newest one so far ends after `grace`, older ones now, so that at most
    /// [`LIVE_SECRETS_MAX`] are live. An end that was set before is never extended. Returns the ends that were set.
    pub fn rotate(&mut self, new: StoredSecret, grace: Duration, now: Timestamp) -> Vec<(SecretId, Timestamp)> {
        let mut ends = Vec::new();
        let mut grace = Some(grace);
        for old in &mut self.secrets {
            let grace = if old.is_live(self.rotated_at, now) { grace.take() } else { None };
            let end = grace.map_or(now, |grace| now.plus(grace));
            // The end of a secret that was replaced at once lies in the future only after the clock stepped back.
            if old.ends_at.is_none_or(|already| end < already || grace.is_some()) {
                let end = old.ends_at.map_or(end, |already| already.min(end));
                old.ends_at = Some(end);
                ends.push((old.id.clone(), end));
            }
        }
        self.secrets.insert(0, new);
        (self.updated_at, self.rotated_at) = (now, now);
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_at_once_has_ended_also_after_the_clock_stepped_back() {
        let at = Timestamp::from_seconds;
        let mut key = samples::key(KeyType::Partner);
        key.secrets = vec![samples::secret(50, None)];
        key.rotate(samples::secret(100, None), Duration::seconds(0), at(100));
        let live =
            |key: &Credential, now| key.secrets.iter().map(|own| key.is_secret_live(own, now)).collect::<Vec<_>>();
        assert_eq!(live(&key, at(70)), [true, false]);
        let ends = key.rotate(samples::secret(70, None), Duration::seconds(60), at(70));
        assert_eq!(ends.into_iter().map(|(_, end)| end).collect::<Vec<_>>(), [at(130), at(70)]);
        assert_eq!(live(&key, at(71)), [true, true, false]);
        assert_eq!(live(&key, at(60)), [true, true, false]);
    }

    #[test]
    fn no_more_than_two_secrets_are_live_and_no_overlap_is_made_longer() {
        let now = Timestamp::from_seconds(100);
        for (secrets, grace, ends, live) in [
            (vec![], 60, vec![], 1),
            (vec![(50, None)], 0, vec![100], 1),
            (vec![(50, None)], 60, vec![160], 2),
            (vec![(50, Some(120))], 60, vec![120], 2),
            (vec![(50, None), (40, Some(200))], 60, vec![160, 100], 2),
            (vec![(50, None), (40, Some(90))], 60, vec![160], 2),
        ] {
            let mut key = samples::key(KeyType::Partner);
            key.secrets = secrets.iter().map(|(at, ends_at)| samples::secret(*at, *ends_at)).collect();
            key.rotated_at = Timestamp::from_seconds(50);
            let set = key.rotate(samples::secret(100, None), Duration::seconds(grace), now);
            assert_eq!(set.iter().map(|(_, end)| end.seconds()).collect::<Vec<_>>(), ends, "{secrets:?} {grace}");
            assert_eq!(key.live_secrets(now).count(), live, "{secrets:?} {grace}");
            assert_eq!((key.rotated_at, key.updated_at), (now, now));
        }
    }

    #[test]
    fn a_revoked_credential_has_no_live_secret() {
        let now = Timestamp::from_seconds(100);
        let mut client = samples::client();
        client.secrets = vec![samples::secret(50, None)];
        assert!(client.is_secret_live(&client.secrets[0], now));
        client.state = State::Revoked;
        assert!(!client.is_secret_live(&client.secrets[0], now));
    }

    #[test]
    fn the_last_use_is_the_latest_of_all_secrets_and_of_those_that_were_removed() {
        let used = |at| Some(LastUse { at: Timestamp::from_seconds(at), address: None });
        let mut client = samples::client();
        assert_eq!(client.last_use(), None);
        client.earlier_use = used(10);
        client.secrets = vec![samples::secret(50, None), samples::secret(40, None)];
        assert_eq!(client.last_use(), used(10));
        client.secrets[1].last_use = used(60);
        assert_eq!(client.last_use(), used(60));
    }
}
