//! Verifies access tokens (RFC 9068) offline.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::Validation;
use serde::Deserialize;

use crate::caller::{Caller, CallerKind, Environment};
use crate::jwks::{Jwks, Key};
use crate::refusal::Reason;

/// The length of the longest token that is verified.
const TOKEN_MAX: usize = 8192;
/// The length of the longest key id that is looked up.
const KID_MAX: usize = 256;

pub(crate) struct TokenVerifier {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) environment: Environment,
    /// The seconds by which clocks may differ.
    pub(crate) leeway: i64,
    pub(crate) jwks: Arc<Jwks>,
}

/// The claims that are verified. A token without a required one, with a claim twice or with a claim of a wrong type is
/// malformed (RFC 9068 section 2.2, RFC 7519 section 4).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: OneOrMany,
    /// Required. With this grant it equals the client's id.
    #[serde(rename = "sub")]
    _sub: String,
    client_id: String,
    exp: i64,
    nbf: Option<i64>,
    #[serde(rename = "iat")]
    _iat: i64,
    jti: String,
    /// A token without scopes is well-formed and grants nothing.
    #[serde(default)]
    scope: String,
    #[serde(default)]
    customers: Customers,
    environment: Option<Environment>,
}

/// The external ids of customers. Absent for a client that is tied to none; an empty list must not pass for that.
#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Customers(Vec<String>);

impl TryFrom<Vec<String>> for Customers {
    type Error = &'static str;

    fn try_from(customers: Vec<String>) -> Result<Self, Self::Error> {
        if customers.is_empty() { Err("no customers") } else { Ok(Self(customers)) }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn contains(&self, expected: &str) -> bool {
        match self {
            Self::One(one) => one == expected,
            Self::Many(many) => many.iter().any(|one| one == expected),
        }
    }
}

impl TokenVerifier {
    /// Verifies a token (RFC 9068 section 4, RFC 8725 section 3). Returns the caller.
    pub(crate) async fn verify(&self, token: &str) -> Result<Caller, Reason> {
        if !is_compact(token) {
            return Err(refused("not a compact JWT"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| refused(&format!("{error:?}")))?;
        // Other JWTs of the same issuer are not access tokens, and have other types. Sealwright issues access tokens as
        // plain `JWT` only where its operator says so, and signs nothing else under that type.
        let typ = header.typ.unwrap_or_default().to_ascii_lowercase();
        if !matches!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt" | "jwt") {
            return Err(refused("another type"));
        }
        if header.crit.is_some() {
            return Err(refused("a critical extension (RFC 7515 section 4.1.11)"));
        }
        let kid = header.kid.filter(|kid| kid.len() <= KID_MAX).ok_or_else(|| refused("no key id"))?;
        let key = self.jwks.find(&kid).await?;
        // The key decides the algorithm. An attacker chooses what the token says.
        if header.alg != key.algorithm {
            return Err(refused("another algorithm than its key's"));
        }
        self.caller(verify_signature(token, &key)?, now())
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
            return Err(refused("not valid yet"));
        }
        if claims.environment.is_some_and(|environment| environment != self.environment) {
            return Err(refused("another environment"));
        }
        Ok(Caller {
            credential: claims.client_id,
            kind: CallerKind::Token,
            scopes: claims.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            customers: claims.customers.0,
            owner: None,
            environment: self.environment,
            token_id: Some(claims.jti),
        })
    }
}

/// Verifies the signature and returns the claims, which [`TokenVerifier::caller`] checks.
fn verify_signature(token: &str, key: &Key) -> Result<Claims, Reason> {
    let mut validation = Validation::new(key.algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let data = jsonwebtoken::decode(token, &key.key, &validation).map_err(|error| refused(&format!("{error:?}")))?;
    Ok(data.claims)
}

/// Returns whether a token has three parts of base64url (RFC 7515 section 7.1) and is not too long.
fn is_compact(token: &str) -> bool {
    token.len() <= TOKEN_MAX
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && token.bytes().filter(|b| *b == b'.').count() == 2
}

/// Returns the seconds since the epoch. With a clock before the epoch every token has expired.
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::MAX);
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// Logs why a token is refused. The response does not say why, and the log does not have the token.
fn refused(why: &str) -> Reason {
    log::debug!("token refused: {why}");
    Reason::InvalidToken
}
