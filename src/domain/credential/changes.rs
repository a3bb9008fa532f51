//! Changes to a credential's settings, and the rules of its kind.

use super::{Credential, CredentialKind, Details, KeyType};
use crate::domain::audience::Audience;
use crate::domain::field_error::FieldError;
use crate::domain::ids::CustomerId;
use crate::domain::metadata::MetadataChanges;
use crate::domain::network::Networks;
use crate::domain::patch::Patch;
use crate::domain::permission;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::signing_key::Algorithm;
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};
use crate::domain::token::TokenTyp;

/// Changes to a credential's settings; `None` and [`Patch::Keep`] leave a field as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Its name, for people.
    pub name: Option<Name>,
    /// Its purpose, for people.
    pub description: Option<Description>,
    /// Its scopes.
    pub scopes: Option<Scopes>,
    /// The networks that may use it.
    pub allowed_ips: Option<Networks>,
    /// Requests per minute; cleared is unlimited.
    pub rate_per_minute: Patch<u32>,
    /// Requests per second; cleared is unlimited.
    pub burst_per_second: Patch<u32>,
    /// When it expires; cleared is never.
    pub expires_at: Patch<Timestamp>,
    /// The customers that it is tied to.
    pub customers: Option<Vec<CustomerId>>,
    /// Pairs of its metadata; cleared is none.
    pub metadata: Patch<MetadataChanges>,
    /// Changes to the settings that only clients have.
    pub client: DetailChanges,
}

/// Changes to the settings that only clients have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailChanges {
    /// Scopes of a token request that names none; cleared is all scopes of the client.
    pub default_scopes: Patch<Scopes>,
    /// Audiences of its tokens; empty for the environment's default.
    pub audiences: Option<Vec<Audience>>,
    /// Audiences whose tokens it may introspect, as their resource server.
    pub resource_for: Option<Vec<Audience>>,
    /// The lifetime of its tokens.
    pub token_lifetime: Option<Duration>,
    /// The signature algorithm of its tokens; cleared is the environment's.
    pub signing_algorithm: Patch<Algorithm>,
    /// The `typ` of its tokens; cleared is the environment's.
    pub token_typ: Patch<TokenTyp>,
}

impl Changes {
    /// Returns `true` if only name and description change, which need no check of scopes.
    pub fn is_only_words(&self) -> bool {
        let Self {
            name: _,
            description: _,
            scopes,
            allowed_ips,
            rate_per_minute,
            burst_per_second,
            expires_at,
            customers,
            metadata,
            client,
        } = self;
        scopes.is_none()
            && allowed_ips.is_none()
            && rate_per_minute.is_keep()
            && burst_per_second.is_keep()
            && expires_at.is_keep()
            && customers.is_none()
            // APIs read it, and may decide by it.
            && metadata.is_keep()
            && *client == DetailChanges::default()
    }
}

impl Credential {
    /// Applies the changes at `now`, and returns all fields that violate a rule of the credential's kind or contradict
    /// another field. `enabled` are the algorithms that tokens may be signed with.
    #[must_use]
    pub fn apply(&mut self, changes: Changes, enabled: &[Algorithm], now: Timestamp) -> Vec<FieldError> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut self.name, changes.name);
        set(&mut self.description, changes.description);
        set(&mut self.scopes, changes.scopes);
        set(&mut self.allowed_ips, changes.allowed_ips);
        set(&mut self.customers, changes.customers);
        let metadata = self.metadata.patched(changes.metadata);
        let wrong_metadata = metadata.as_ref().err().map(|wrong| (true, "metadata", *wrong));
        set(&mut self.metadata, metadata.ok());
        self.limits.rate_per_minute = changes.rate_per_minute.apply(self.limits.rate_per_minute);
        self.limits.burst_per_second = changes.burst_per_second.apply(self.limits.burst_per_second);
        let is_past = matches!(changes.expires_at, Patch::Set(end) if end <= now);
        self.expires_at = changes.expires_at.apply(self.expires_at);
        if let Details::Client(client) = &mut self.details {
            let changes = changes.client;
            client.default_scopes = changes.default_scopes.apply(client.default_scopes.take());
            set(&mut client.audiences, changes.audiences);
            set(&mut client.resource_for, changes.resource_for);
            set(&mut client.token_lifetime, changes.token_lifetime);
            client.signing_algorithm = changes.signing_algorithm.apply(client.signing_algorithm);
            client.token_typ = changes.token_typ.apply(client.token_typ);
        }
        let past = [(is_past, "expires_at", "must be in the future")];
        let violated =
            past.into_iter().chain(wrong_metadata).chain(self.rules(enabled)).filter(|(is_violated, ..)| *is_violated);
        violated.map(|(_, field, wrong)| FieldError::new(field, wrong)).collect()
    }

    /// The rules of the credential's kind: whether it violates one, the field, and what is wrong with it.
    fn rules(&self, enabled: &[Algorithm]) -> [(bool, &'static str, &'static str); 2] {
        match &self.details {
            Details::Client(client) => {
                let is_beyond = client.default_scopes.as_ref().is_some_and(|default| !self.scopes.cover_all(default));
                let is_off = client.signing_algorithm.is_some_and(|algorithm| !enabled.contains(&algorithm));
                [
                    (is_beyond, "default_scopes", "must be covered by scopes"),
                    (is_off, "signing_algorithm", "is not among the enabled signing_algorithms"),
                ]
            }
            Details::ApiKey(key) => {
                let lacks_customer = key.key_type == KeyType::Client && self.customers.is_empty();
                let is_reserved = |scope: &Scope| permission::is_reserved(scope.as_str());
                let exceeds_type = key.key_type != KeyType::Internal && self.scopes.iter().any(is_reserved);
                [
                    (lacks_customer, "customers", "is required for a key of type client"),
                    (
                        exceeds_type,
                        "scopes",
                        "has admin or management permissions that only keys of type internal may carry",
                    ),
                ]
            }
        }
    }
}

impl CredentialKind {
    /// Returns `true` if only a caller with `sealwright.admin` may grant reserved scopes to this kind. For keys, their
    /// type decides instead.
    pub const fn reserves_scopes_for_owners(self) -> bool {
        matches!(self, Self::Client)
    }
}
