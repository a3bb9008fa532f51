//! Secrets as they are stored: those of clients, and the values of API keys.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::RawApiKey;
use crate::domain::ids::SecretId;
use crate::domain::time::{Duration, Timestamp};

/// A credential has at most this many live secrets: one in use, and one that it replaces.
pub const LIVE_SECRETS_MAX: usize = 2;
/// Longest overlap of an old secret with its successor.
pub const GRACE_MAX: Duration = Duration::days(30);

/// One secret of a client or one value of an API key, without the secret itself.
#[derive(Clone)]
pub struct StoredSecret {
    /// Its id, for people and for the tag that binds a client's secret to it.
    pub id: SecretId,
    /// What proves it.
    pub hash: SecretHash,
    /// How it begins, for people; empty for a client's, all of which begin alike.
    pub prefix: String,
    /// Its last four characters, for people.
    pub last_four: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops being accepted, if that is decided.
    pub ends_at: Option<Timestamp>,
    /// When and from where it was last accepted, to within a second or so.
    pub last_use: Option<LastUse>,
}

/// What proves a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretHash {
    /// A client's secret: Argon2id, as a PHC string.
    Argon2id(String),
    /// An API key's value. It carries 190 random bits, so that a slow hash would protect nothing.
    Sha256([u8; 32]),
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A client's secret as the client has it. Blank in `Debug`, zeroed on drop.
#[derive(Clone)]
pub struct RawClientSecret(Zeroizing<String>);

impl RawClientSecret {
    /// The secret with this text, of at least four ASCII characters.
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The secret itself; only for handing it to its owner, hashing and comparing.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, for people.
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl std::fmt::Debug for RawClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawClientSecret")
    }
}

/// A secret that was just created, or is shown once more to whom it was shown: a client's, or an API key.
#[derive(Clone, Debug)]
pub enum RawSecret {
    /// A client's secret.
    Client(RawClientSecret),
    /// An API key.
    ApiKey(RawApiKey),
}

impl RawSecret {
    /// The secret itself; only for handing it to its owner.
    pub fn expose(&self) -> &str {
        match self {
            Self::Client(secret) => secret.expose(),
            Self::ApiKey(key) => key.expose(),
        }
    }
}

impl StoredSecret {
    /// Whether the secret is accepted at `now`, as far as it is up to the secret.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

/// When and from where a credential was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When, to within a second or so.
    pub at: Timestamp,
    /// From where, if that is known.
    pub address: Option<IpAddr>,
}

impl LastUse {
    /// The later of two.
    pub fn latest(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        [first, second].into_iter().flatten().max_by_key(|used| used.at)
    }
}
