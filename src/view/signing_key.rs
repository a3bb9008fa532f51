//! Signing keys. Private halves are never shown.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::field::Lead;
use super::input::{Optional, input};
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Timestamp;

/// A key pair that tokens of one environment are signed with.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    /// The RFC 7638 thumbprint of its public half.
    id: String,
    /// The same, under the name that tokens and JWKS have for it.
    kid: String,
    environment: Environment,
    algorithm: Algorithm,
    status: KeyStatus,
    /// RFC 7517.
    #[schema(value_type = Object)]
    public_jwk: Value,
    created_at: Timestamp,
    /// When it begins to sign.
    activates_at: Timestamp,
    /// When it stops signing.
    #[schema(required)]
    retires_at: Option<Timestamp>,
    /// How long it is published for the tokens that it signed.
    #[schema(required)]
    published_until: Option<Timestamp>,
    #[schema(required)]
    destroyed_at: Option<Timestamp>,
}

impl SigningKeyView {
    /// The key at `now`.
    pub fn new(key: &SigningKey, now: Timestamp) -> Self {
        Self {
            id: key.kid.to_string(),
            kid: key.kid.to_string(),
            environment: key.environment,
            algorithm: key.algorithm,
            status: key.status(now),
            public_jwk: serde_json::from_str(key.public_jwk.as_json()).unwrap_or_default(),
            created_at: key.created_at,
            activates_at: key.activates_at,
            retires_at: key.retires_at,
            published_until: key.retires_at.map(|at| at.plus(SigningKey::PUBLISHED_AFTER_RETIRING)),
            destroyed_at: key.destroyed_at,
        }
    }
}

input! {
    /// Which signing key to replace, and when.
    pub struct SigningKeyRotation {
        /// The caller's own, unless given.
        environment: Optional<Environment>,
        /// The environment's own, unless given.
        algorithm: Optional<Algorithm>,
        /// How long the new key is published before it signs: an integer and `s`, `m`, `h` or `d`; at most 30 days. The
        /// setting `signing_key_lead`, unless given.
        lead: Optional<Lead>,
    }

    /// Which signing keys to list.
    pub struct SigningKeyFilters {
        /// Only keys of this environment.
        environment: Optional<Environment>,
        /// Only keys of this algorithm.
        algorithm: Optional<Algorithm>,
        /// Only keys with this status.
        status: Optional<KeyStatus>,
    }
}
