//! Strict verification of access tokens.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use super::jws_algorithm;
use crate::crypto::CryptoError;
use crate::domain::signing_key::{Algorithm, SigningKey};
use crate::domain::time::Timestamp;
use crate::domain::token::{TokenTyp, VerifiedClaims};

/// Longest token that is parsed, in bytes.
const TOKEN_MAX: usize = 8192;

/// A key that verifies access tokens of one algorithm.
pub struct TokenVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenVerifier({})", self.algorithm)
    }
}

impl TokenVerifier {
    /// Creates a verifier with the public half of `key`.
    ///
    /// # Errors
    /// The stored JWK is damaged.
    pub fn new(key: &SigningKey) -> Result<Self, CryptoError> {
        let jwk: Jwk = serde_json::from_str(key.public_jwk.as_str()).map_err(|_| CryptoError)?;
        let mut validation = Validation::new(jws_algorithm(key.algorithm));
        // `verify` checks the dates, with the time as an argument, and callers check the audiences.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(Self { algorithm: key.algorithm, key: DecodingKey::from_jwk(&jwk).map_err(|_| CryptoError)?, validation })
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not a JWT in the form that Sealwright issues.
    #[error("malformed token")]
    Malformed,
    /// No published key of this environment has its `kid`, or its `alg` is not that key's.
    #[error("unknown key")]
    UnknownKey,
    /// The signature is wrong, or the claims are malformed.
    #[error("bad signature")]
    BadSignature,
    /// It has another issuer.
    #[error("wrong issuer")]
    WrongIssuer,
    /// It has expired, or is not valid yet.
    #[error("expired token")]
    Expired,
}

/// The header of our tokens: these members and no other. An unknown member (`crit`, `jwk`, `jku`, …) is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

/// Verifies `token` against the keys of one environment (RFC 9068 §4, RFC 8725): its form and header, its signature by
/// the key that `kid` names with that key's algorithm, `typ`, `iss`, `exp` and `nbf`. There is no leeway, since
/// Sealwright set the dates itself.
///
/// # Errors
/// The first check that fails, as a [`TokenError`].
pub fn verify<'k>(
    token: &str,
    issuer: &str,
    now: Timestamp,
    key: impl FnOnce(&str) -> Option<&'k TokenVerifier>,
) -> Result<VerifiedClaims, TokenError> {
    use base64::Engine as _;
    let canonical = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.';
    if token.len() > TOKEN_MAX || !token.bytes().all(canonical) || token.bytes().filter(|b| *b == b'.').count() != 2 {
        return Err(TokenError::Malformed);
    }
    let header = token.split('.').next().unwrap_or_default();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenError::Malformed)?;
    let header: StrictHeader = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
    if !TokenTyp::is_of_access_token(&header.typ) {
        return Err(TokenError::Malformed);
    }
    let verifier = key(&header.kid).ok_or(TokenError::UnknownKey)?;
    if header.alg != verifier.algorithm.as_str() {
        return Err(TokenError::UnknownKey);
    }
    let claims: VerifiedClaims =
        jsonwebtoken::decode(token, &verifier.key, &verifier.validation).map_err(|_| TokenError::BadSignature)?.claims;
    if claims.iss != issuer {
        return Err(TokenError::WrongIssuer);
    }
    let seconds = now.seconds();
    if claims.exp <= seconds || claims.nbf.is_some_and(|nbf| nbf > seconds) {
        return Err(TokenError::Expired);
    }
    Ok(claims)
}
