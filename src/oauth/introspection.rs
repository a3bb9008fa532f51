//! What introspection answers (RFC 7662 §2.2).

use serde::Serialize;

use crate::domain::token::VerifiedClaims;

/// An answer about a token: all of it, or nothing but that it is not active.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Introspection {
    /// In force, and the caller may know.
    Active(Box<ActiveToken>),
    /// Anything else. Why is nobody's business (RFC 7662 §2.2).
    Inactive {
        /// Always false.
        active: bool,
    },
}

impl Introspection {
    /// The answer for everything that is not an active token of the caller's.
    pub const INACTIVE: Self = Self::Inactive { active: false };
}

/// An active token.
#[derive(Debug, Serialize)]
pub struct ActiveToken {
    /// Always true.
    pub active: bool,
    /// Its scopes, cut to what the client has now.
    pub scope: String,
    /// The client.
    pub client_id: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds since the epoch.
    pub exp: i64,
    /// Seconds since the epoch.
    pub iat: i64,
    /// The client.
    pub sub: String,
    /// Its audiences: one string, or several.
    pub aud: serde_json::Value,
    /// Its issuer.
    pub iss: String,
    /// Its id.
    pub jti: String,
    /// Its environment.
    pub environment: &'static str,
}

impl ActiveToken {
    /// The answer about a token with these claims, whose scopes are now `scope`.
    pub fn new(claims: VerifiedClaims, scope: String, environment: &'static str) -> Self {
        Self {
            active: true,
            scope,
            client_id: claims.client_id,
            token_type: "Bearer",
            exp: claims.exp,
            iat: claims.iat,
            sub: claims.sub,
            aud: match claims.aud.as_slice() {
                [one] => one.as_str().into(),
                many => many.into(),
            },
            iss: claims.iss,
            jti: claims.jti,
            environment,
        }
    }
}
