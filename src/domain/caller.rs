//! Who asks for something to be managed, and what they may.

use std::sync::Arc;

use super::client::Client;
use super::environment::Environment;
use super::permission;
use super::scope::{Scope, Scopes};

/// Who acts on the management verbs.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Someone with a shell on the machine and the database's credentials: the installation's owner.
    CommandLine {
        /// `cli:` and the operating system's user.
        actor: Arc<str>,
    },
    /// A client with a bearer token of its own.
    Client {
        /// Its `client_id`.
        id: Arc<str>,
        /// Its environment: the only one on which it acts.
        environment: Environment,
        /// The scopes of its token, cut to what the client has now.
        scopes: Scopes,
    },
    /// The service itself, on a schedule.
    System,
}

impl Caller {
    /// The actor as it stands in audit events.
    pub fn actor(&self) -> Arc<str> {
        match self {
            Self::CommandLine { actor } => Arc::clone(actor),
            Self::Client { id, .. } => Arc::clone(id),
            Self::System => "system".into(),
        }
    }

    /// The caller as a credential, if it is one.
    pub fn credential(&self) -> Option<Arc<str>> {
        match self {
            Self::Client { id, .. } => Some(Arc::clone(id)),
            Self::CommandLine { .. } | Self::System => None,
        }
    }

    /// The only environment that the caller sees and acts on; `None` for all of them.
    pub fn environment(&self) -> Option<Environment> {
        match self {
            Self::Client { environment, .. } => Some(*environment),
            Self::CommandLine { .. } | Self::System => None,
        }
    }

    /// The scopes that the caller is held to; `None` for who may do everything.
    pub fn scopes(&self) -> Option<&Scopes> {
        match self {
            Self::Client { scopes, .. } => Some(scopes),
            Self::CommandLine { .. } | Self::System => None,
        }
    }

    /// Whether objects of `environment` exist for the caller.
    pub fn sees(&self, environment: Environment) -> bool {
        self.environment().is_none_or(|own| own == environment)
    }

    /// Whether the caller may do what needs `required`.
    pub fn may(&self, required: &Scope) -> bool {
        match self {
            Self::Client { scopes, .. } => scopes.cover(required),
            Self::CommandLine { .. } | Self::System => true,
        }
    }

    /// Whether the caller may make `client`, or make it from what it `was`. It must be able to give the scopes that the
    /// client has and had: else it could take over one that is above it. Who introspects others' tokens is for those who may
    /// themselves.
    pub fn may_make(&self, client: &Client, was: Option<&Client>) -> bool {
        let serves_more =
            client.resource_for.iter().any(|audience| !was.is_some_and(|was| was.resource_for.contains(audience)));
        let may_have_scopes = match was {
            Some(was) if was.scopes == client.scopes => self.holds(&client.scopes),
            Some(was) => self.holds(&was.scopes) && self.may_grant(&client.scopes),
            None => self.may_grant(&client.scopes),
        };
        may_have_scopes && (!serves_more || self.may_introspect())
    }

    /// Whether the caller may have a secret of `client`, or let it go on: it then has the client's power itself.
    pub fn may_take(&self, client: &Client) -> bool {
        let is_itself = self.credential().is_some_and(|id| *id == *client.id.as_str());
        self.holds(&client.scopes) && (is_itself || client.resource_for.is_empty() || self.may_introspect())
    }

    fn may_introspect(&self) -> bool {
        permission::TOKENS_INTROSPECT.parse().is_ok_and(|required| self.may(&required))
    }

    /// Whether the caller covers `scopes` itself.
    fn holds(&self, scopes: &Scopes) -> bool {
        self.scopes().is_none_or(|own| own.cover_all(scopes))
    }

    /// Whether the caller may give `scopes` to a client: it must cover them itself, and management permissions beyond
    /// the delegable few, or `admin`, take an owner (or the command line).
    pub fn may_grant(&self, scopes: &Scopes) -> bool {
        match self {
            Self::CommandLine { .. } | Self::System => true,
            Self::Client { scopes: own, .. } => {
                let is_owner = own.iter().any(|scope| scope.as_str() == permission::ADMIN);
                own.cover_all(scopes)
                    && (is_owner || !scopes.iter().any(|scope| permission::is_reserved(scope.as_str())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_grants_only_what_it_holds_and_reserved_scopes_only_as_an_owner() {
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
            let caller = Caller::Client {
                id: "cli_1".into(),
                environment: Environment::Production,
                scopes: own.parse().unwrap(),
            };
            assert_eq!(caller.may_grant(&given.parse().unwrap()), expected, "{own} gives {given}");
        }
    }
}
