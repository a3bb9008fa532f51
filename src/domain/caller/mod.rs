//! The callers of the management operations, and their permissions.

mod authority;

use std::sync::Arc;

pub use authority::{Authority, Proof};

use super::audience::Audience;
use super::change::Basis;
use super::credential::{Credential, Ownership};
use super::environment::Environment;
use super::ids::{CustomerId, UserId};
use super::lease::Lease;
use super::permission;
use super::scope::{ANY_RESOURCE, Scopes};

/// A caller of a management operation.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A user of the command line, who has the database's credentials: the installation's owner.
    CommandLine {
        /// `cli:` followed by the number of the operating system's user.
        actor: Arc<str>,
    },
    /// A client with a bearer token, or an API key.
    Credential(CallingCredential),
    /// The service itself, when it starts.
    System,
    /// A background loop of the service. It changes something only while this process holds the loop's lease.
    Job(Lease),
}

/// A calling credential as it is now.
#[derive(Clone, Debug)]
pub struct CallingCredential {
    /// Its id.
    pub id: Arc<str>,
    /// Its environment: the only one on which it acts.
    pub environment: Environment,
    /// Its scopes (limited by those of its token), cut to what its owner's role allows.
    pub scopes: Scopes,
    /// The user who owns it; the organisation if `None`.
    pub owner: Option<UserId>,
    /// The customers that it is tied to: it acts only on their objects. Empty for all.
    pub customers: Vec<CustomerId>,
    /// What made it a caller.
    pub authority: Authority,
}

impl CallingCredential {
    /// Returns `true` if it acts on the same objects as `other`: what it creates belongs to the same owner, environment
    /// and customers.
    pub fn acts_as(&self, other: &Self) -> bool {
        (self.environment, &self.owner, &self.customers) == (other.environment, &other.owner, &other.customers)
    }
}

impl Caller {
    /// Returns the actor as it appears in audit events.
    pub fn actor(&self) -> Arc<str> {
        match self {
            Self::CommandLine { actor } => Arc::clone(actor),
            Self::Credential(credential) => Arc::clone(&credential.id),
            Self::System | Self::Job(_) => "system".into(),
        }
    }

    /// Returns the calling credential; `None` for the command line and the service itself.
    pub fn as_credential(&self) -> Option<&CallingCredential> {
        match self {
            Self::Credential(credential) => Some(credential),
            Self::CommandLine { .. } | Self::System | Self::Job(_) => None,
        }
    }

    /// Returns the lease that the caller acts under, which each of its changes checks.
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Job(lease) => Some(lease),
            Self::CommandLine { .. } | Self::Credential(_) | Self::System => None,
        }
    }

    /// Returns the id of the calling credential.
    pub fn credential(&self) -> Option<Arc<str>> {
        self.as_credential().map(|credential| Arc::clone(&credential.id))
    }

    /// Returns what the decision about the caller is based on; nothing for the command line and the service itself.
    pub fn basis(&self) -> Basis {
        self.as_credential().map(|credential| credential.authority.basis.clone()).unwrap_or_default()
    }

    /// Returns the only environment that the caller sees and acts on; `None` for all of them.
    pub fn environment(&self) -> Option<Environment> {
        self.as_credential().map(|credential| credential.environment)
    }

    /// Returns the scopes that limit the caller; `None` for callers who may do everything.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.as_credential().map(|credential| &credential.scopes)
    }

    /// Returns the user who owns the caller, and by default what it creates.
    pub fn owner(&self) -> Option<&UserId> {
        self.as_credential().and_then(|credential| credential.owner.as_ref())
    }

    /// Returns the only customers whose objects the caller sees; empty for all.
    pub fn customers(&self) -> &[CustomerId] {
        self.as_credential().map_or(&[], |credential| &credential.customers)
    }

    /// Returns `true` if objects of `environment` are visible to the caller.
    pub fn sees(&self, environment: Environment) -> bool {
        self.environment().is_none_or(|own| own == environment)
    }

    /// Returns `true` if the caller may act on what all customers of `environment` share.
    pub fn governs(&self, environment: Environment) -> bool {
        self.sees(environment) && self.customers().is_empty()
    }

    /// Returns `true` if objects that are tied to `customers` are visible to the caller.
    pub fn sees_customers(&self, customers: &[CustomerId]) -> bool {
        are_within(customers, self.customers())
    }

    /// Returns `true` if the caller has `permission`, at least for the credentials of its own owner.
    pub fn may(&self, permission: &str) -> bool {
        self.covers(permission)
            || (permission::is_of_credentials(permission)
                && self.owner().is_some()
                && self.covers(permission::CREDENTIALS_OWN))
    }

    /// Returns the only owner whose credentials the caller reaches with `permission`; `None` for all.
    pub fn only_owner(&self, permission: &str) -> Option<&UserId> {
        self.owner().filter(|_| !self.covers(permission))
    }

    /// Returns `true` if a credential of this ownership is visible to the caller when it uses `permission`.
    pub fn reaches(&self, permission: &str, ownership: Ownership<'_>) -> bool {
        let Some(own) = self.as_credential() else { return true };
        let is_of_owner = match self.only_owner(permission) {
            Some(only) => ownership.owner == Some(only),
            None => self.covers(permission),
        };
        own.environment == ownership.environment && self.sees_customers(ownership.customers) && is_of_owner
    }

    /// Returns `true` if the caller may create `credential`, or change it from what it `was`. The caller must hold its
    /// scopes. To register it as a resource server, which introspects tokens of other clients, the caller must also
    /// have the permission to introspect them.
    pub fn may_make(&self, credential: &Credential, was: Option<&Credential>) -> bool {
        fn served(credential: Option<&Credential>) -> &[Audience] {
            credential.and_then(Credential::as_client).map_or(&[], |client| &client.details.resource_for)
        }
        let may_have_scopes = match was {
            Some(was) if was.scopes == credential.scopes => self.holds(&credential.scopes),
            Some(was) => self.holds(&was.scopes) && self.may_give(credential),
            None => self.may_give(credential),
        };
        let serves_more = served(Some(credential)).iter().any(|audience| !served(was).contains(audience));
        may_have_scopes && (!serves_more || self.covers(permission::TOKENS_INTROSPECT))
    }

    /// Returns `true` if the caller may receive a secret of `credential` or enable it: either gives the caller all
    /// permissions of the credential.
    pub fn may_take(&self, credential: &Credential) -> bool {
        let is_itself = self.credential().is_some_and(|id| *id == *credential.id.as_str());
        let serves = credential.as_client().is_some_and(|client| !client.details.resource_for.is_empty());
        self.holds(&credential.scopes) && (is_itself || !serves || self.covers(permission::TOKENS_INTROSPECT))
    }

    /// Returns `true` if the caller's own scopes cover `scopes`. A caller cannot grant more than it holds.
    pub fn holds(&self, scopes: &Scopes) -> bool {
        self.scopes().is_none_or(|own| own.cover_all(scopes))
    }

    /// Returns `true` if the caller holds all that a role with `scopes` allows. In a role, [`ANY_RESOURCE`] allows
    /// every business scope, which only a caller with `admin` holds.
    pub fn holds_role(&self, scopes: &Scopes) -> bool {
        let names_any = scopes.iter().any(|scope| scope.as_str() == ANY_RESOURCE);
        let holds_any = self.scopes().is_none_or(|own| own.iter().any(|scope| scope.as_str() == "admin"));
        self.holds(scopes) && (!names_any || holds_any)
    }

    /// Returns `true` if users are visible to the caller.
    pub fn sees_users(&self) -> bool {
        self.customers().is_empty() && self.covers(permission::USERS_READ)
    }

    /// Returns `true` if the caller may transfer a credential from a user to the organisation, where no role limits its
    /// scopes.
    pub fn may_release(&self) -> bool {
        self.owner().is_none() || self.covers(permission::ADMIN)
    }

    /// Returns `true` if the caller may grant `credential` its scopes: it must cover them itself. For a client, `admin`
    /// and most management permissions also need `sealwright.admin` or the command line.
    fn may_give(&self, credential: &Credential) -> bool {
        let has_reserved = credential.scopes.iter().any(|scope| permission::is_reserved(scope.as_str()));
        let needs_owner = has_reserved && credential.kind().reserves_scopes_for_owners();
        self.holds(&credential.scopes) && (!needs_owner || self.covers(permission::ADMIN))
    }

    fn covers(&self, permission: &str) -> bool {
        self.scopes().is_none_or(|own| own.cover_permission(permission))
    }
}

/// Returns `true` if objects that are tied to `customers` are visible to callers who are tied to `own`. Callers who are
/// tied to none see everything; others see what is tied to some of their customers and to no other.
pub fn are_within(customers: &[CustomerId], own: &[CustomerId]) -> bool {
    own.is_empty() || (!customers.is_empty() && customers.iter().all(|customer| own.contains(customer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::samples;
    use crate::domain::time::Timestamp;

    fn caller(scopes: &str, owner: Option<&UserId>, customers: &[CustomerId]) -> Caller {
        Caller::Credential(CallingCredential {
            id: "cli_1".into(),
            environment: Environment::Production,
            scopes: scopes.parse().unwrap(),
            owner: owner.cloned(),
            customers: customers.to_vec(),
            authority: Authority {
                proof: Proof::Value([0; 32]),
                address: None,
                permission: permission::CLIENTS_WRITE,
                basis: Basis::default(),
            },
        })
    }

    #[test]
    fn a_caller_gives_clients_only_what_it_holds_and_reserved_scopes_only_as_an_owner() {
        for (own, given, expected) in [
            ("sealwright.clients:write orders:read", "orders:read", true),
            ("sealwright.clients:write orders:read", "orders:write", false),
            ("sealwright.clients:write read", "orders:read invoices:read", true),
            ("sealwright.clients:write read", "admin", false),
            ("sealwright.clients:write admin", "admin", false),
            ("sealwright.clients:write sealwright.audit:read", "sealwright.audit:read", false),
            ("sealwright.clients:write sealwright.keys:verify", "sealwright.keys:verify", true),
            ("sealwright.admin", "sealwright.clients:write", true),
            ("sealwright.admin", "orders:read", false),
            ("sealwright.admin admin", "orders:read admin sealwright.admin", true),
        ] {
            let client = Credential { scopes: given.parse().unwrap(), ..samples::client() };
            assert_eq!(caller(own, None, &[]).may_give(&client), expected, "{own} gives {given}");
        }
    }

    // Scopes, owner and customers of the caller; environment, owner and customers of the credential.
    type Case<'c> =
        (&'c str, Option<&'c UserId>, &'c [CustomerId], Environment, Option<&'c UserId>, &'c [CustomerId], bool);

    #[test]
    fn a_caller_reaches_its_environment_its_customers_and_with_the_narrow_permission_its_owners() {
        let (ann, bob) =
            (UserId::new(Timestamp::from_millis(1), &[1; 10]), UserId::new(Timestamp::from_millis(1), &[2; 10]));
        let (acme, other) = (
            CustomerId::new(Timestamp::from_millis(1), &[1; 10]),
            CustomerId::new(Timestamp::from_millis(1), &[2; 10]),
        );
        let (wide, narrow) = (permission::KEYS_READ, permission::CREDENTIALS_OWN);
        let production = Environment::Production;
        let (acme_only, both) = ([acme.clone()], [acme, other.clone()]);
        let (any, other_only): ([CustomerId; 0], _) = ([], [other]);
        let cases: [Case<'_>; 11] = [
            (wide, None, &any, production, None, &any, true),
            (wide, None, &any, Environment::Staging, None, &any, false),
            (wide, Some(&ann), &any, production, Some(&bob), &any, true),
            (narrow, Some(&ann), &any, production, Some(&ann), &any, true),
            (narrow, Some(&ann), &any, production, Some(&bob), &any, false),
            (narrow, Some(&ann), &any, production, None, &any, false),
            (narrow, None, &any, production, None, &any, false),
            (wide, None, &acme_only, production, None, &acme_only, true),
            (wide, None, &acme_only, production, None, &any, false),
            (wide, None, &acme_only, production, None, &both, false),
            (wide, None, &acme_only, production, None, &other_only, false),
        ];
        for (scopes, caller_owner, caller_customers, environment, owner, customers, expected) in cases {
            let ownership = Ownership { environment, owner, customers };
            let reaches = caller(scopes, caller_owner, caller_customers).reaches(permission::KEYS_READ, ownership);
            assert_eq!(reaches, expected, "{scopes} {caller_owner:?} {caller_customers:?} {ownership:?}");
        }
    }
}
