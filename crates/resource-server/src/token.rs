//! Access tokens (RFC 9068), verified offline.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::Validation;
use serde::Deserialize;

use crate::caller::{Caller, CallerKind, Environment};
use crate::jwks::{Jwks, Key};
use crate::refusal::Reason;

/// Longest token that is looked at.
const TOKEN_MAX: usize = 8192;
/// Longest id of a key that is looked for.
const KID_MAX: usize = 256;

pub(crate) struct TokenVerifier {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) environment: Environment,
    /// Seconds by which clocks may differ.
    pub(crate) leeway: i64,
    pub(crate) jwks: Arc<Jwks>,
}

/// The claims that decide. Without one of these a token is none (RFC 9068 section 2.2); each stands once and has its type
/// (RFC 7519 section 4).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: OneOrMany,
    /// Required, and the same as the client's id in this grant.
    #[serde(rename = "sub")]
    _sub: String,
    client_id: String,
    exp: i64,
    nbf: Option<i64>,
    #[serde(rename = "iat")]
    _iat: i64,
    jti: String,
    /// Missing, it grants nothing, and the token falls short of what is required of it.
    #[serde(default)]
    scope: String,
    #[serde(default)]
    customers: Vec<String>,
    environment: Option<Environment>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

impl TokenVerifier {
    /// Whom a token speaks for (RFC 9068 section 4, RFC 8725 section 3).
    pub(crate) async fn verify(&self, token: &str) -> Result<Caller, Reason> {
        if !is_compact(token) {
            return Err(refused("not of the form of a token"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| refused(&format!("{error:?}")))?;
        // Keeps other JWTs of the same issuer from passing as access tokens.
        let typ = header.typ.unwrap_or_default().to_ascii_lowercase();
        if !matches!(typ.as_str(), "at+jwt" | "application/at+jwt") {
            return Err(refused("another type"));
        }
        if header.crit.is_some() {
            return Err(refused("an extension that must be understood (RFC 7515 section 4.1.11)"));
        }
        let kid = header.kid.filter(|kid| kid.len() <= KID_MAX).ok_or_else(|| refused("no id of a key"))?;
        let key = self.jwks.find(&kid).await?;
        // The algorithm is the key's, never the token's: what an attacker may choose protects nothing.
        if header.alg != key.algorithm {
            return Err(refused("not the algorithm of its key"));
        }
        self.caller(signed(token, &key)?, now())
    }

    fn caller(&self, claims: Claims, now: i64) -> Result<Caller, Reason> {
        if claims.iss != self.issuer {
            return Err(refused("another issuer"));
        }
        if !claims.aud.contains(&self.audience) {
            return Err(refused("another audience"));
        }
        if claims.exp.saturating_add(self.leeway) <= now {
            return Err(refused("expired"));
        }
        if claims.nbf.is_some_and(|nbf| nbf > now.saturating_add(self.leeway)) {
            return Err(refused("not yet in force"));
        }
        if claims.environment.is_some_and(|environment| environment != self.environment) {
            return Err(refused("another environment"));
        }
        Ok(Caller {
            credential: claims.client_id,
            kind: CallerKind::Token,
            scopes: claims.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            customers: claims.customers,
            owner: None,
            environment: self.environment,
            token_id: Some(claims.jti),
        })
    }
}

/// The claims, if the key signed them. What they say is judged by [`TokenVerifier::caller`].
fn signed(token: &str, key: &Key) -> Result<Claims, Reason> {
    let mut validation = Validation::new(key.algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let data = jsonwebtoken::decode(token, &key.key, &validation).map_err(|error| refused(&format!("{error:?}")))?;
    Ok(data.claims)
}

/// Three parts of base64url, and not too long (RFC 7515 section 7.1).
fn is_compact(token: &str) -> bool {
    token.len() <= TOKEN_MAX
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && token.bytes().filter(|b| *b == b'.').count() == 2
}

/// Seconds since the epoch. A clock that stands before it makes every token expired.
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::MAX);
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// The sender learns only that the token is refused; the operator may learn why, never by the token itself.
fn refused(why: &str) -> Reason {
    log::debug!("token refused: {why}");
    Reason::InvalidToken
}
