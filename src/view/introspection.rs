//! Introspection of tokens (RFC 7662 §2.2).

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::customer::{ExternalId, Tenant};
use crate::domain::environment::Environment;
use crate::domain::token::VerifiedClaims;

/// The introspection response. For a token that is not active, or not visible to the caller, it has only `active`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Introspection {
    /// Whether the token is in force and visible to the caller.
    active: bool,
    /// Its scopes, limited by what the client has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    scope: Option<String>,
    /// The client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    client_id: Option<String>,
    /// Always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    token_type: Option<&'static str>,
    /// When it expires, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = i64)]
    exp: Option<i64>,
    /// When it was issued, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = i64)]
    iat: Option<i64>,
    /// The client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    sub: Option<String>,
    /// Its audiences: one string, or a list of strings (RFC 7519 §4.1.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = serde_json::Value)]
    aud: Option<TokenAudience>,
    /// Its issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    iss: Option<String>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    jti: Option<String>,
    /// Its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Environment)]
    environment: Option<Environment>,
    /// The customers that it may be used for now, by their external ids. Absent for a token that is tied to none, and
    /// may be used for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    customers: Vec<ExternalId>,
}

/// The audiences of a token. Clients that are generated have no good type for the choice: the document leaves it open.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TokenAudience {
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

impl Introspection {
    /// The response for a token in force with these claims, whose scopes are `scope` and which serves `customers` at
    /// this moment.
    pub fn active(claims: VerifiedClaims, scope: String, customers: &[Arc<Tenant>], environment: Environment) -> Self {
        Self {
            active: true,
            scope: Some(scope),
            client_id: Some(claims.client_id),
            token_type: Some("Bearer"),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            sub: Some(claims.sub),
            aud: Some(claims.aud.into()),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
            environment: Some(environment),
            customers: customers.iter().map(|customer| customer.external_id.clone()).collect(),
        }
    }

    /// The response for every other token.
    pub fn inactive() -> Self {
        Self::default()
    }
}
