//! The kinds of credentials and their ids.

use std::sync::Arc;

use crate::domain::ids::{ApiKeyId, ClientId};
use crate::domain::permission;

/// The two kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CredentialKind {
    /// An OAuth client.
    Client,
    /// An API key.
    ApiKey,
}

impl CredentialKind {
    /// Returns the name in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the noun for messages.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ApiKey => "key",
        }
    }

    /// Returns the permission to read credentials of this kind.
    pub const fn read_permission(self) -> &'static str {
        match self {
            Self::Client => permission::CLIENTS_READ,
            Self::ApiKey => permission::KEYS_READ,
        }
    }

    /// Returns the permission to create and change credentials of this kind.
    pub const fn write_permission(self) -> &'static str {
        match self {
            Self::Client => permission::CLIENTS_WRITE,
            Self::ApiKey => permission::KEYS_WRITE,
        }
    }
}

/// The id of a credential: `cli_…` or `key_…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// The id of a client.
    Client(ClientId),
    /// The id of an API key.
    ApiKey(ApiKeyId),
}

impl CredentialId {
    /// Parses `text` as the id of a credential of `kind`; `None` if it is not one.
    pub fn of_kind(kind: CredentialKind, text: &str) -> Option<Self> {
        match kind {
            CredentialKind::Client => text.parse().ok().map(Self::Client),
            CredentialKind::ApiKey => text.parse().ok().map(Self::ApiKey),
        }
    }

    /// Returns the kind that the id's prefix names.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Client(_) => CredentialKind::Client,
            Self::ApiKey(_) => CredentialKind::ApiKey,
        }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        self.shared()
    }

    /// Returns the shared text of the id.
    pub fn shared(&self) -> &Arc<str> {
        match self {
            Self::Client(id) => id.shared(),
            Self::ApiKey(id) => id.shared(),
        }
    }
}

impl std::str::FromStr for CredentialId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |kind| Self::of_kind(kind, text);
        parse(CredentialKind::Client)
            .or_else(|| parse(CredentialKind::ApiKey))
            .ok_or("is not the id of a client or an API key")
    }
}

impl std::fmt::Display for CredentialId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_kind() {
        for (text, kind) in [("cli_", CredentialKind::Client), ("key_", CredentialKind::ApiKey)] {
            let id = format!("{text}{}", "0".repeat(32));
            assert_eq!(id.parse::<CredentialId>().unwrap().kind(), kind);
        }
        assert!(format!("sec_{}", "0".repeat(32)).parse::<CredentialId>().is_err());
    }
}
