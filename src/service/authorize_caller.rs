//! Who calls the management API, and may they? An API key, or a bearer token of Sealwright's own (RFC 6750) for the management
//! API: in force, within its limits, with the permission among its scopes.

use std::sync::Arc;

use super::Services;
use super::introspect_token::NotInForce;
use super::presented::{CredentialFields, NotOne, Presented, presented};
use super::trail::Trail;
use super::use_key::{KeyCode, Passing, Wanted};
use crate::clock;
use crate::domain::api_key::KeyText;
use crate::domain::audit::Origin;
use crate::domain::caller::{Caller, CallingCredential};
use crate::domain::rate::Standing;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;

/// Why a call to the management API is turned away before it reaches its verb.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unauthorized {
    /// No credentials at all.
    Missing,
    /// More than one, or not of a form that can be one.
    Malformed,
    /// Not a key or token in force, or not one for this API.
    InvalidToken,
    /// A credential in force that lacks the permission.
    Insufficient(&'static str),
    /// A credential that is over its limits.
    RateLimited(Standing),
    /// Too many failures come from one place; the seconds to wait.
    Guessing(u32),
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
            Self::RateLimited(_) | Self::Guessing(_) => 429,
            Self::Unavailable => 503,
        }
    }
}

/// A refusal, and why it is so for the audit event.
type Refused = (Unauthorized, &'static str);

const UNAVAILABLE: Refused = (Unauthorized::Unavailable, "store_unavailable");

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// The permission.
    pub permission: &'static str,
    /// Whether the call counts towards the caller's limits.
    pub counts: bool,
}

/// A caller that may, and how its limits stand, if the call counts.
#[derive(Debug)]
pub struct Authorized {
    /// Who calls.
    pub caller: Caller,
    /// How its limits stand.
    pub standing: Option<Standing>,
}

impl Services {
    /// The caller that these fields name, provided it may do what is required. A refusal has its audit event; what is then
    /// done has its own.
    ///
    /// # Errors
    /// Why not.
    pub async fn authorize_caller(
        &self,
        fields: &CredentialFields<'_>,
        requirement: Requirement,
        origin: &Arc<Origin>,
    ) -> Result<Authorized, Unauthorized> {
        let mut trail = Trail::anonymous("api.authorize", None, Arc::clone(origin));
        let (mut unauthorized, reason) = match self.decide_caller(fields, requirement, &mut trail).await {
            Ok(authorized) => return Ok(authorized),
            Err(refused) => refused,
        };
        if unauthorized == Unauthorized::InvalidToken
            && trail.credential.is_none()
            && let Err(seconds) = self.guessing.failed_by_nobody(origin.address, clock::now())
        {
            unauthorized = Unauthorized::Guessing(seconds);
        }
        self.witness_refusal(&trail, unauthorized.status(), reason).await;
        Err(unauthorized)
    }

    async fn decide_caller(
        &self,
        fields: &CredentialFields<'_>,
        requirement: Requirement,
        trail: &mut Trail,
    ) -> Result<Authorized, Refused> {
        let now = clock::now();
        // What does not count costs nothing, which every limit admits.
        let cost = u32::from(requirement.counts);
        let (credential, standing) = match presented(fields) {
            Ok(Presented::Key(key)) => self.calling_key(&key, cost, trail, now).await?,
            Ok(Presented::Token(token)) => self.calling_client(token, cost, trail, now).await?,
            Err(NotOne::Missing) => return Err((Unauthorized::Missing, "no_credentials")),
            Err(NotOne::Malformed(reason)) => return Err((Unauthorized::Malformed, reason)),
            Err(NotOne::NoKey) => return Err((Unauthorized::InvalidToken, "malformed_credential")),
        };
        let caller = Caller::Credential(credential);
        if caller.may(requirement.permission) {
            Ok(Authorized { caller, standing: requirement.counts.then_some(standing) })
        } else {
            Err((Unauthorized::Insufficient(requirement.permission), "permission_denied"))
        }
    }

    /// The key as a caller.
    async fn calling_key(
        &self,
        text: &KeyText,
        cost: u32,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<(CallingCredential, Standing), Refused> {
        let wanted = Wanted {
            passing: Passing::OfAny,
            among: &[],
            address: trail.origin.address,
            customer: None,
            cost,
            scopes: &Scopes::default(),
        };
        let used = self.use_key(text, &wanted, now).await.map_err(|error| {
            log::error!("{error}");
            UNAVAILABLE
        })?;
        let Some(known) = used.known else { return Err((Unauthorized::InvalidToken, used.reason)) };
        trail.about_key(&known, None);
        let standing = match (used.code, used.standing) {
            (KeyCode::Valid, Some(standing)) => standing,
            (KeyCode::RateLimited, Some(standing)) => {
                trail.authenticated(&known.id);
                return Err((Unauthorized::RateLimited(standing), used.reason));
            }
            _ => return Err((Unauthorized::InvalidToken, used.reason)),
        };
        trail.authenticated(&known.id);
        let key = &known.key;
        let credential = CallingCredential {
            id: Arc::clone(&known.id),
            environment: key.environment,
            scopes: used.scopes,
            owner: key.owner.clone(),
            customers: key.customers.clone(),
        };
        Ok((credential, standing))
    }

    /// The client of a bearer token as a caller.
    async fn calling_client(
        &self,
        token: &str,
        cost: u32,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<(CallingCredential, Standing), Refused> {
        let (environment, claims) =
            self.verified_anywhere(token, now).map_err(|reason| (Unauthorized::InvalidToken, reason))?;
        trail.credential = Some(claims.client_id.as_str().into());
        trail.environment = Some(environment);
        trail.jti = Some(claims.jti.as_str().into());
        let in_force = self.token_in_force(claims, now).await.map_err(|error| match error {
            NotInForce::Refused(reason) => (Unauthorized::InvalidToken, reason),
            NotInForce::Unknowable(error) => {
                log::error!("{error}");
                UNAVAILABLE
            }
        })?;
        let id = &in_force.known.id;
        trail.authenticated(id);
        let client = &in_force.known.client;
        trail.of_customers(&in_force.customers, None);
        let audience = &self.issuers.of(environment).audiences.management;
        if !in_force.claims.aud.iter().any(|aud| aud == audience.as_str()) {
            return Err((Unauthorized::InvalidToken, "wrong_audience"));
        }
        if !client.allowed_ips.admit(trail.origin.address) {
            return Err((Unauthorized::InvalidToken, "address_not_allowed"));
        }
        let standing = self.limits.take(id, client.limits, cost, now);
        if !standing.is_admitted {
            return Err((Unauthorized::RateLimited(standing), "rate_limited"));
        }
        let credential = CallingCredential {
            id: Arc::clone(id),
            environment,
            scopes: in_force.scopes,
            owner: client.owner.clone(),
            customers: in_force.customers,
        };
        Ok((credential, standing))
    }
}
