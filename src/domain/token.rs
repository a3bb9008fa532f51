//! Access tokens: the claims that Sealwright signs and verifies.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::audience::Audience;
use super::customer::Tenant;
use super::environment::Environment;
use super::ids::TokenId;

/// The `typ` in the header of an access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenTyp {
    /// As RFC 9068 §2.1 requires, so that no other JWT of the issuer passes for an access token.
    #[default]
    AtJwt,
    /// For verifiers that refuse every other type.
    Jwt,
}

impl TokenTyp {
    /// All types, the default first.
    pub const ALL: [Self; 2] = [Self::AtJwt, Self::Jwt];

    /// Returns the value of `typ`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "JWT",
        }
    }

    /// Returns `true` if `typ` is of an access token. Media types have no case and may omit `application/` (RFC 7515
    /// §4.1.9). Sealwright signs nothing but access tokens as plain `JWT`.
    pub fn is_of_access_token(typ: &str) -> bool {
        const PREFIX: &str = "application/";
        let (start, rest) = typ.split_at_checked(PREFIX.len()).unwrap_or_default();
        let short = if start.eq_ignore_ascii_case(PREFIX) { rest } else { typ };
        Self::ALL.iter().any(|known| known.as_str().eq_ignore_ascii_case(short))
    }
}

impl fmt::Display for TokenTyp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TokenTyp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|typ| typ.as_str() == text).ok_or("must be at+jwt or JWT")
    }
}

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Serialize)]
pub struct Claims<'a> {
    /// The environment's issuer identifier.
    pub iss: &'a str,
    /// The audiences of the token.
    pub aud: AudClaim<'a>,
    /// The client, which is its own subject in this grant (RFC 9068 §2.2).
    pub sub: &'a str,
    /// The id of the client.
    pub client_id: &'a str,
    /// Expiry, in seconds since the epoch.
    pub exp: i64,
    /// Time of issue, in seconds since the epoch.
    pub iat: i64,
    /// The token's id.
    pub jti: &'a str,
    /// Scope tokens, separated by spaces (RFC 8693 §4.2).
    pub scope: &'a str,
    /// The environment's name.
    pub environment: &'static str,
    /// The customers that the client serves; omitted if it is tied to none.
    #[serde(skip_serializing_if = "CustomersClaim::is_empty")]
    pub customers: CustomersClaim<'a>,
}

/// The claim `customers`: the external ids of the customers that a client serves.
#[derive(Clone, Copy, Debug)]
pub struct CustomersClaim<'a>(pub &'a [Arc<Tenant>]);

impl CustomersClaim<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for CustomersClaim<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|customer| customer.external_id.as_str()))
    }
}

/// The claim `aud`: a string for one audience, else an array (RFC 7519 §4.1.3).
#[derive(Debug)]
pub struct AudClaim<'a>(pub &'a [Audience]);

impl Serialize for AudClaim<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => serializer.serialize_str(one.as_str()),
            many => serializer.collect_seq(many.iter().map(Audience::as_str)),
        }
    }
}

/// The claims of a token that Sealwright signed, parsed strictly: required claims must be present, of their type, and
/// must not be repeated (RFC 7519 §4, RFC 9068 §2.2).
#[derive(Clone, Debug, Deserialize)]
pub struct VerifiedClaims {
    /// Issuer.
    pub iss: String,
    /// Audiences.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// Subject.
    pub sub: String,
    /// Client.
    pub client_id: String,
    /// Expiry, seconds since the epoch.
    pub exp: i64,
    /// Not before, seconds since the epoch.
    #[serde(default)]
    pub nbf: Option<i64>,
    /// Issued at, seconds since the epoch.
    pub iat: i64,
    /// Token id.
    pub jti: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// The external ids of the customers that it was issued for; any if empty.
    #[serde(default)]
    pub customers: Vec<String>,
}

/// A token whose signature and dates are valid.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The environment that signed it.
    pub environment: Environment,
    /// The key that it is signed with.
    pub kid: Arc<str>,
    /// Its claims.
    pub claims: VerifiedClaims,
    /// Its id, which contains the millisecond in which it was issued.
    pub jti: TokenId,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}
