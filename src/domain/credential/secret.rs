//! Secrets: those of clients, and the values of API keys.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::RawApiKey;
use crate::domain::ids::SecretId;
use crate::domain::time::{Duration, Timestamp};

/// Most live secrets of a credential: the current one, and the one that it replaces.
pub const LIVE_SECRETS_MAX: usize = 2;
/// Longest time that a replaced secret remains valid.
pub const GRACE_MAX: Duration = Duration::days(30);

/// One secret of a client or one value of an API key, without the secret itself.
#[derive(Clone)]
pub struct StoredSecret {
    /// Its id.
    pub id: SecretId,
    /// The hash to check the secret against.
    pub hash: SecretHash,
    /// Its first characters, for people; empty for a client's secret, which always begins alike.
    pub prefix: String,
    /// Its last four characters, for people.
    pub last_four: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops being accepted, if that is set.
    pub ends_at: Option<Timestamp>,
    /// When and from where it was last accepted, accurate to about a second.
    pub last_use: Option<LastUse>,
}

/// The hash of a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretHash {
    /// The hashes of a client's secret.
    Client {
        /// Argon2id, as a PHC string.
        argon2id: String,
        /// The keyed digest of a secret that Sealwright generated, which has 256 random bits. `None` for one that
        /// people or other systems chose: a digest of it could be guessed by who has the key.
        digest: Option<KeyedDigest>,
    },
    /// SHA-256 of an API key's value, which carries 190 random bits: a slow hash would add no protection.
    Sha256([u8; 32]),
}

/// A keyed digest, with the name of its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyedDigest {
    /// The first bytes of a digest of the key, so that a digest under a key that was lost is not taken for another
    /// secret's.
    pub key: [u8; 4],
    /// HMAC-SHA-256 under that key.
    pub digest: [u8; 32],
}

impl KeyedDigest {
    /// Returns the name of the key and the digest, joined.
    pub fn to_bytes(self) -> Vec<u8> {
        [self.key.as_slice(), &self.digest].concat()
    }

    /// Reads what [`Self::to_bytes`] returned.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, digest) = bytes.split_first_chunk()?;
        Some(Self { key: *key, digest: digest.try_into().ok()? })
    }
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A client's secret in plain text. Blank in `Debug`, zeroed on drop.
#[derive(Clone)]
pub struct RawClientSecret(Zeroizing<String>);

impl RawClientSecret {
    /// Wraps the text of a secret, which has at least four ASCII characters.
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Returns the secret, only to hand it to its owner, to hash it and to compare it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the last four characters, for people.
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl std::fmt::Debug for RawClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawClientSecret")
    }
}

/// A secret that was just created, or is repeated to the caller who created it.
#[derive(Clone, Debug)]
pub enum RawSecret {
    /// A client's secret.
    Client(RawClientSecret),
    /// An API key.
    ApiKey(RawApiKey),
}

impl RawSecret {
    /// Returns the secret, only to hand it to its owner.
    pub fn expose(&self) -> &str {
        match self {
            Self::Client(secret) => secret.expose(),
            Self::ApiKey(key) => key.expose(),
        }
    }
}

impl StoredSecret {
    /// Returns `true` if the secret of a credential that was last rotated at `rotated_at` has not ended at `now`. The
    /// state of its credential is not considered. A secret that the rotation replaced at once stays ended when
    /// the clock steps back.
    pub fn is_live(&self, rotated_at: Timestamp, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| rotated_at < end && now < end)
    }
}

/// When and from where a credential was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The time, accurate to about a second.
    pub at: Timestamp,
    /// The address, if it is known.
    pub address: Option<IpAddr>,
}

impl LastUse {
    /// Returns the later of two uses.
    pub fn latest(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        [first, second].into_iter().flatten().max_by_key(|used| used.at)
    }
}
