//! Signing keys. Private halves are never shown.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::closed::one_of;
use super::field::Lead;
use super::input::{NamedSchema, Optional, input};
use super::text::string;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Timestamp;

/// A thumbprint: 32 bytes in base64url without padding.
const THUMBPRINT: &str = "^[A-Za-z0-9_-]{43}$";
/// A number or a coordinate in base64url without padding.
const BASE64URL: &str = "^[A-Za-z0-9_-]+$";

/// The schema of a public key, as `crypto` writes it.
pub enum Jwk {}

impl PartialSchema for Jwk {
    fn schema() -> RefOr<Schema> {
        let number = |meaning: &str| string(BASE64URL).description(Some(meaning));
        let curve = one_of(["P-256", "Ed25519"], &["The curve, of `EC` and `OKP`."]);
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("A public key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2)."))
            .property("kty", one_of(["EC", "RSA", "OKP"], &["The type of the key."]))
            .property("use", one_of(["sig"], &["What it is for."]))
            .property("alg", Ref::from_schema_name(Algorithm::name()))
            .property("kid", string(THUMBPRINT).description(Some("Its RFC 7638 thumbprint.")))
            .property("crv", curve)
            .property("x", number("A coordinate, or all, of `EC` and `OKP`."))
            .property("y", number("The other coordinate, of `EC`."))
            .property("n", number("The modulus, of `RSA`."))
            .property("e", number("The exponent, of `RSA`."))
            .required("kty")
            .required("use")
            .required("alg")
            .required("kid")
            .into()
    }
}

impl ToSchema for Jwk {
    fn schemas(schemas: &mut Vec<NamedSchema>) {
        schemas.push((Algorithm::name().into_owned(), <Algorithm as PartialSchema>::schema()));
    }
}

/// A key pair that tokens of one environment are signed with.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    /// The RFC 7638 thumbprint of its public half.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    id: String,
    /// The same, under the name that tokens and JWKS have for it.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    kid: String,
    environment: Environment,
    algorithm: Algorithm,
    status: KeyStatus,
    #[schema(value_type = Jwk)]
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
            public_jwk: serde_json::from_str(key.public_jwk.as_str()).unwrap_or_default(),
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
