//! Credentials to create.

use super::{Changes, ClientDetails, CredentialKind, Details, KeyDetails, KeyType};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::patch::Patch;
use crate::domain::rate::RateLimits;
use crate::domain::scope::Scopes;

/// The settings of a credential as a caller names them.
#[derive(Clone, Debug, Default)]
pub struct CredentialInput {
    /// The fields that are values by themselves; its customers are not set.
    pub changes: Changes,
    /// Customers, by either of their ids.
    pub customers: Patch<Vec<String>>,
}

/// A credential to create.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// What it is to be.
    pub kind: NewKind,
    /// Its environment; the caller's own unless named.
    pub environment: Option<Environment>,
    /// Its owner, by id or e-mail address; the caller's own owner unless named.
    pub owner: Option<String>,
    /// Its settings.
    pub input: CredentialInput,
}

/// What a new credential is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKind {
    /// A client.
    Client,
    /// An API key of this type.
    ApiKey(KeyType),
}

impl NewKind {
    /// Its kind.
    pub const fn kind(self) -> CredentialKind {
        match self {
            Self::Client => CredentialKind::Client,
            Self::ApiKey(_) => CredentialKind::ApiKey,
        }
    }

    /// What its kind adds, by default.
    pub fn details(self) -> Details {
        match self {
            Self::Client => Details::Client(ClientDetails::default()),
            Self::ApiKey(key_type) => Details::ApiKey(KeyDetails { key_type }),
        }
    }

    /// Its limits where none are named.
    pub fn default_limits(self) -> RateLimits {
        match self {
            Self::Client => RateLimits::default(),
            Self::ApiKey(key_type) => key_type.default_limits(),
        }
    }

    /// The scopes of a credential for which none are named: its type's default, cut to what the caller has. None where they
    /// must be named.
    pub fn default_scopes(self, caller: &Caller) -> Option<Scopes> {
        let Self::ApiKey(key_type) = self else { return None };
        let default = key_type.default_scopes()?;
        let cut = caller.scopes().map_or_else(|| default.clone(), |own| default.cut_to(own));
        (!cut.is_empty()).then_some(cut)
    }
}
