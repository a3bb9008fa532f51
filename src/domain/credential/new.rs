//! Credentials to create.

use super::{Changes, ClientDetails, CredentialKind, Details, KeyDetails, KeyType};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::patch::Patch;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;

/// The settings of a credential as a caller sends them.
#[derive(Clone, Debug, Default)]
pub struct CredentialInput {
    /// The fields that need no lookup; `customers` is not set in it.
    pub changes: Changes,
    /// Customers, by id or external id.
    pub customers: Patch<Vec<String>>,
}

/// A credential to create.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Its kind and, for a key, its type.
    pub kind: NewKind,
    /// Its environment; the caller's own if `None`.
    pub environment: Option<Environment>,
    /// Its owner, by id or e-mail address; the caller's own owner if `None`.
    pub owner: Option<String>,
    /// Its settings.
    pub input: CredentialInput,
}

/// The kind of a new credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKind {
    /// A client.
    Client,
    /// An API key of this type.
    ApiKey(KeyType),
}

impl NewKind {
    /// Returns the kind without the type of a key.
    pub const fn kind(self) -> CredentialKind {
        match self {
            Self::Client => CredentialKind::Client,
            Self::ApiKey(_) => CredentialKind::ApiKey,
        }
    }

    /// Returns the default settings of the kind.
    pub fn details(self) -> Details {
        match self {
            Self::Client => Details::Client(ClientDetails::default()),
            Self::ApiKey(key_type) => Details::ApiKey(KeyDetails { key_type }),
        }
    }

    /// Returns the rate limits of a credential that names none.
    pub fn default_limits(self) -> RateLimits {
        match self {
            Self::Client => RateLimits::default(),
            Self::ApiKey(key_type) => key_type.default_limits(),
        }
    }

    /// Returns the scopes of a credential that names none: the default of its type, limited to the caller's own. `None`
    /// if they must be named.
    pub fn default_scopes(self, caller: &Caller) -> Option<Scopes> {
        let Self::ApiKey(key_type) = self else { return None };
        let default = key_type.default_scopes()?;
        let cut = caller.scopes().map_or_else(|| default.clone(), |own| default.cut_to(own));
        (!cut.is_empty()).then_some(cut)
    }
}
