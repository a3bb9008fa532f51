//! Signing keys: their algorithms, and their status as a pure function of their dates.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::environment::Environment;
use super::time::{Duration, Timestamp};

/// A signature algorithm, by its registered JWS name (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 and a 2048-bit key.
    Rs256,
    /// Ed25519, under the name that most verifiers know.
    EdDsa,
}

impl Algorithm {
    /// All algorithms, the default first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    /// Returns the JWS `alg` value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or("must be ES256, RS256 or EdDSA")
    }
}

/// The status of a key at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Published, but not signing yet.
    Pending,
    /// Signing.
    Active,
    /// Published for the tokens that it signed, no longer signing.
    Retired,
    /// No longer published, and its private half is erased.
    Destroyed,
}

impl KeyStatus {
    /// Returns the name in responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Destroyed => "destroyed",
        }
    }
}

impl FromStr for KeyStatus {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Pending, Self::Active, Self::Retired, Self::Destroyed]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or("must be pending, active, retired or destroyed")
    }
}

/// The public half of a signing key as the text of a JWK (RFC 7517), which `crypto` writes and reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk(Arc<str>);

impl PublicJwk {
    /// Wraps `text`, which must be a JSON object.
    pub fn from_json(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the JSON object.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A signing key without its private half.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// RFC 7638 thumbprint of the public key.
    pub kid: Arc<str>,
    /// The only environment that it signs for.
    pub environment: Environment,
    /// The only algorithm that it signs with.
    pub algorithm: Algorithm,
    /// Its number among the keys of its environment and algorithm, from 1.
    pub generation: i64,
    /// Its public half, with `kid`, `use` and `alg`.
    pub public_jwk: PublicJwk,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it starts to sign.
    pub activates_at: Timestamp,
    /// When its successor starts to sign.
    pub retires_at: Option<Timestamp>,
    /// When it was destroyed, or its private half was erased because no token needed it any longer.
    pub destroyed_at: Option<Timestamp>,
}

impl SigningKey {
    /// How long a retired key stays published: the longest lifetime of a token, and a minute for clocks that differ.
    pub const PUBLISHED_AFTER_RETIRING: Duration = Duration::seconds(super::credential::LIFETIME_MAX + 60);

    /// Returns the status at `now`. A destroyed key stays destroyed, whatever the clock says.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.destroyed_at.is_some() {
            return KeyStatus::Destroyed;
        }
        match self.retires_at {
            Some(at) if at.plus(Self::PUBLISHED_AFTER_RETIRING) <= now => KeyStatus::Destroyed,
            Some(at) if at <= now => KeyStatus::Retired,
            _ if self.activates_at <= now => KeyStatus::Active,
            _ => KeyStatus::Pending,
        }
    }

    /// Returns `true` if the key is in the JWKS at `now`.
    pub fn is_published(&self, now: Timestamp) -> bool {
        self.status(now) != KeyStatus::Destroyed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_from_pending_over_active_and_retired_to_destroyed() {
        let at = Timestamp::from_seconds;
        let mut key = SigningKey {
            kid: "k".into(),
            environment: Environment::Production,
            algorithm: Algorithm::Es256,
            generation: 1,
            public_jwk: PublicJwk::from_json("{}"),
            created_at: at(0),
            activates_at: at(100),
            retires_at: Some(at(200)),
            destroyed_at: None,
        };
        for (now, expected) in [
            (0, KeyStatus::Pending),
            (99, KeyStatus::Pending),
            (100, KeyStatus::Active),
            (199, KeyStatus::Active),
            (200, KeyStatus::Retired),
            (200 + 3659, KeyStatus::Retired),
            (200 + 3660, KeyStatus::Destroyed),
        ] {
            assert_eq!(key.status(at(now)), expected, "at {now}");
        }
        key.destroyed_at = Some(at(150));
        for now in [149, 150] {
            assert_eq!(key.status(at(now)), KeyStatus::Destroyed, "also after the clock stepped back");
        }
    }
}
