//! Who calls the management API, and may they? A bearer token of Sealwright's own (RFC 6750), for the management API, in
//! force, with the permission among its scopes.

use std::sync::Arc;

use super::Services;
use super::introspect_token::NotInForce;
use super::trail::Trail;
use crate::clock;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::scope::Scope;

/// Why a call to the management API is turned away before it reaches its verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// No credentials at all.
    Missing,
    /// More than one, or not of a form that can be one.
    Malformed,
    /// Not a token in force, or not one for this API.
    InvalidToken,
    /// A token in force that lacks the permission.
    Insufficient(&'static str),
    /// It cannot be decided now.
    Unavailable,
}

impl Unauthorized {
    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Missing | Self::InvalidToken => 401,
            Self::Malformed => 400,
            Self::Insufficient(_) => 403,
            Self::Unavailable => 503,
        }
    }
}

impl Services {
    /// The caller that the `Authorization` fields name, provided it may do what needs `permission`. A refusal has its audit
    /// event; what is then done has its own.
    ///
    /// # Errors
    /// Why not.
    pub async fn authorize_caller(
        &self,
        authorization: &[&[u8]],
        permission: &'static str,
        origin: &Arc<Origin>,
    ) -> Result<Caller, Unauthorized> {
        let mut trail = Trail::anonymous("api.authorize", None, Arc::clone(origin));
        let (unauthorized, reason) = match self.decide_caller(authorization, permission, &mut trail).await {
            Ok(caller) => return Ok(caller),
            Err(refused) => refused,
        };
        self.witness_refusal(&trail, unauthorized.status(), reason).await;
        Err(unauthorized)
    }

    async fn decide_caller(
        &self,
        authorization: &[&[u8]],
        permission: &'static str,
        trail: &mut Trail,
    ) -> Result<Caller, (Unauthorized, &'static str)> {
        let token = match authorization {
            [] => return Err((Unauthorized::Missing, "no_credentials")),
            [field] => bearer(field).ok_or((Unauthorized::Malformed, "malformed_authorization"))?,
            _ => return Err((Unauthorized::Malformed, "two_credentials")),
        };
        let now = clock::now();
        // Which issuer a token is of stands inside it; the one whose key verifies it is the one that counts.
        let mut refused = "unknown_key";
        for environment in Environment::ALL {
            let claims = match self.verified_claims(environment, token, now) {
                Ok(claims) => claims,
                Err("unknown_key") => continue,
                Err(reason) => {
                    refused = reason;
                    continue;
                }
            };
            let id: Arc<str> = claims.client_id.as_str().into();
            trail.credential = Some(Arc::clone(&id));
            trail.environment = Some(environment);
            trail.jti = Some(claims.jti.as_str().into());
            let in_force = match self.token_in_force(claims, now).await {
                Ok(in_force) => in_force,
                Err(NotInForce::Refused(reason)) => return Err((Unauthorized::InvalidToken, reason)),
                Err(NotInForce::Unknowable(error)) => {
                    log::error!("{error}");
                    return Err((Unauthorized::Unavailable, "store_unavailable"));
                }
            };
            trail.authenticated(&id);
            let audience = &self.issuers.of(environment).audiences.management;
            if !in_force.claims.aud.iter().any(|aud| aud == audience.as_str()) {
                return Err((Unauthorized::InvalidToken, "wrong_audience"));
            }
            let allowed = match self.clients.get(&self.store, &id).await {
                Ok(known) => known.is_some_and(|known| known.client.admits(trail.origin.address)),
                Err(_) => return Err((Unauthorized::Unavailable, "store_unavailable")),
            };
            if !allowed {
                return Err((Unauthorized::InvalidToken, "address_not_allowed"));
            }
            let caller = Caller::Client { id, environment, scopes: in_force.scopes };
            let required: Scope = permission.parse().map_err(|_| (Unauthorized::Unavailable, "internal"))?;
            return if caller.may(&required) {
                Ok(caller)
            } else {
                Err((Unauthorized::Insufficient(permission), "permission_denied"))
            };
        }
        Err((Unauthorized::InvalidToken, refused))
    }
}

/// RFC 6750 §2.1; the scheme is case-insensitive.
fn bearer(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}
