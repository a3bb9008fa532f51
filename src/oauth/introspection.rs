//! What introspection answers (RFC 7662 §2.2).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::token::VerifiedClaims;

/// An answer about a token: all of it, or nothing but that it is not active.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Introspection {
    /// In force, and the caller may know.
    Active(Box<ActiveToken>),
    /// Anything else. Why is nobody's business (RFC 7662 §2.2).
    Inactive(InactiveToken),
}

/// All that is said of a token that is not in force, or not for the caller to know of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InactiveToken {
    /// Always false.
    active: bool,
}

impl Introspection {
    /// The answer for everything that is not an active token of the caller's.
    pub const INACTIVE: Self = Self::Inactive(InactiveToken { active: false });
}

/// An active token.
#[derive(Debug, Serialize, ToSchema)]
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
    pub aud: TokenAudience,
    /// Its issuer.
    pub iss: String,
    /// Its id.
    pub jti: String,
    /// Its environment.
    pub environment: &'static str,
}

/// Whom a token is for (RFC 7519 §4.1.3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum TokenAudience {
    /// The usual case.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl From<Vec<String>> for TokenAudience {
    fn from(audiences: Vec<String>) -> Self {
        match <[String; 1]>::try_from(audiences) {
            Ok([one]) => Self::One(one),
            Err(several) => Self::Several(several),
        }
    }
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
            aud: claims.aud.into(),
            iss: claims.iss,
            jti: claims.jti,
            environment,
        }
    }
}
