//! Forward-auth: a gateway asks of every request whether it may pass, and who sends it. It is the twin of verification, for
//! keys and for tokens, where the request itself carries the credential.

use std::sync::Arc;

use super::Services;
use super::introspect_token::{NotInForce, TokenInForce};
use super::presented::{CredentialFields, NotOne, Presented, presented};
use super::trail::Trail;
use super::use_key::{KeyCode, Passing, Wanted};
use crate::clock;
use crate::domain::api_key::KeyText;
use crate::domain::audit::Origin;
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::rate::Standing;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// A request that a gateway asks about.
#[derive(Debug)]
pub struct ForwardedRequest<'r> {
    /// Its credentials.
    pub fields: CredentialFields<'r>,
    /// The environment of the API behind the gateway.
    pub environment: Environment,
    /// What is needed, all of it.
    pub scopes: Scopes,
    /// Whom a token must be for; anybody but the management API if `None`.
    pub audience: Option<String>,
    /// The customer whose data it is about, by either id.
    pub customer: Option<String>,
    /// Where it came from, and what it asks for.
    pub origin: Arc<Origin>,
}

/// Who sends a request that may pass.
#[derive(Debug)]
pub struct Identity {
    /// The owner, else the credential.
    pub subject: Arc<str>,
    /// The credential.
    pub credential: Arc<str>,
    /// `api_key` or `token`.
    pub kind: &'static str,
    /// What it may at this moment.
    pub scopes: Scopes,
    /// The customer that was asked for, or else those that the credential is tied to.
    pub customers: Vec<CustomerId>,
    /// Its environment.
    pub environment: Environment,
    /// How its limits stand.
    pub standing: Standing,
}

/// Why a request may not pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Denied {
    /// It has no credentials.
    Missing,
    /// It has several, or fields that cannot be read.
    Malformed,
    /// It has a credential that is not accepted.
    Invalid,
    /// It may not come from there, or not for that customer or audience: which of these.
    Forbidden(&'static str),
    /// It lacks one of these scopes.
    Insufficient(Scopes),
    /// It is over its limits.
    RateLimited(Standing),
    /// Too many failures come from one place; the seconds to wait.
    Guessing(u32),
    /// It cannot be known now.
    Unavailable,
}

impl Denied {
    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Missing | Self::Malformed | Self::Invalid => 401,
            Self::Forbidden(_) | Self::Insufficient(_) => 403,
            Self::RateLimited(_) | Self::Guessing(_) => 429,
            Self::Unavailable => 503,
        }
    }
}

/// A denial, and why it is so for the audit event.
type Refused = (Denied, &'static str);

fn unknowable(error: &StoreError) -> Refused {
    log::error!("{error}");
    (Denied::Unavailable, "store_unavailable")
}

impl Services {
    /// Decides whether a request may pass. Its audit event is stored before this returns.
    ///
    /// # Errors
    /// Why it may not.
    pub async fn forward_auth(&self, request: &ForwardedRequest<'_>) -> Result<Identity, Denied> {
        let mut trail = Trail::anonymous("forward_auth", Some(request.environment), Arc::clone(&request.origin));
        let (mut denied, reason) = match self.decide_forward_auth(request, &mut trail).await {
            Ok(identity) => {
                return match self.witness(&trail, 200, "ok").await {
                    Ok(()) => Ok(identity),
                    Err(_) => Err(Denied::Unavailable),
                };
            }
            Err(refused) => refused,
        };
        if denied == Denied::Invalid
            && trail.credential.is_none()
            && let Err(seconds) = self.guessing.failed_by_nobody(request.origin.address, clock::now())
        {
            denied = Denied::Guessing(seconds);
        }
        self.witness_refusal(&trail, denied.status(), reason).await;
        Err(denied)
    }

    async fn decide_forward_auth(
        &self,
        request: &ForwardedRequest<'_>,
        trail: &mut Trail,
    ) -> Result<Identity, Refused> {
        let now = clock::now();
        match presented(&request.fields) {
            Ok(Presented::Key(key)) => self.pass_key(request, &key, trail, now).await,
            Ok(Presented::Token(token)) => self.pass_token(request, token, trail, now).await,
            Err(NotOne::Missing) => Err((Denied::Missing, "no_credentials")),
            Err(NotOne::Malformed(reason)) => Err((Denied::Malformed, reason)),
            Err(NotOne::NoKey) => Err((Denied::Invalid, "malformed_credential")),
        }
    }

    async fn pass_key(
        &self,
        request: &ForwardedRequest<'_>,
        text: &KeyText,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<Identity, Refused> {
        let wanted = Wanted {
            passing: Passing::Of(request.environment),
            among: &[],
            address: request.origin.address,
            customer: request.customer.as_deref(),
            cost: 1,
            scopes: &request.scopes,
        };
        let used = self.use_key(text, &wanted, now).await.map_err(|error| unknowable(&error))?;
        let Some(known) = used.known else { return Err((Denied::Invalid, used.reason)) };
        trail.about_key(&known, used.customer.as_ref());
        let Some(standing) = used.standing else { return Err((Denied::Invalid, used.reason)) };
        let denied = match used.code {
            KeyCode::Valid => {
                trail.authenticated(&known.id);
                return Ok(Identity {
                    subject: subject(known.key.owner.as_ref(), &known.id),
                    credential: Arc::clone(&known.id),
                    kind: "api_key",
                    scopes: used.scopes,
                    customers: used.customer.map_or_else(|| known.key.customers.clone(), |customer| vec![customer]),
                    environment: known.key.environment,
                    standing,
                });
            }
            KeyCode::IpNotAllowed => Denied::Forbidden("address"),
            KeyCode::WrongCustomer => Denied::Forbidden("customer"),
            KeyCode::RateLimited => Denied::RateLimited(standing),
            KeyCode::InsufficientScope => Denied::Insufficient(request.scopes.clone()),
            KeyCode::NotFound | KeyCode::Revoked | KeyCode::Expired | KeyCode::Disabled | KeyCode::WrongEnvironment => {
                Denied::Invalid
            }
        };
        Err((denied, used.reason))
    }

    async fn pass_token(
        &self,
        request: &ForwardedRequest<'_>,
        token: &str,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<Identity, Refused> {
        let in_force = self.forwarded_token(request, token, trail, now).await?;
        let (claims, known, customers) = (&in_force.claims, &in_force.known, &in_force.customers);
        let client = &known.client;
        if !client.allowed_ips.admit(request.origin.address) {
            return Err((Denied::Forbidden("address"), "address_not_allowed"));
        }
        let customer = self
            .customer_of(customers, request.customer.as_deref())
            .await
            .map_err(|error| unknowable(&error))?
            .map_err(|_| (Denied::Forbidden("customer"), "wrong_customer"))?;
        trail.of_customers(customers, customer.as_ref());
        let management = &self.issuers.of(request.environment).audiences.management;
        let is_for_it = match &request.audience {
            Some(audience) => claims.aud.contains(audience),
            None => !claims.aud.iter().any(|audience| audience == management.as_str()),
        };
        if !is_for_it {
            return Err((Denied::Forbidden("audience"), "wrong_audience"));
        }
        let standing = self.limits.take(&known.id, client.limits, 1, now);
        if !standing.is_admitted {
            return Err((Denied::RateLimited(standing), "rate_limited"));
        }
        if !in_force.covers(&request.scopes) {
            return Err((Denied::Insufficient(request.scopes.clone()), "insufficient_scope"));
        }
        trail.authenticated(&known.id);
        Ok(Identity {
            subject: subject(client.owner.as_ref(), &known.id),
            credential: Arc::clone(&known.id),
            kind: "token",
            customers: customer.map_or_else(|| customers.clone(), |customer| vec![customer]),
            environment: client.environment,
            scopes: in_force.scopes,
            standing,
        })
    }

    /// The token, verified by the keys of the environment that is asked for, and in force.
    async fn forwarded_token(
        &self,
        request: &ForwardedRequest<'_>,
        token: &str,
        trail: &mut Trail,
        now: Timestamp,
    ) -> Result<TokenInForce, Refused> {
        let (environment, claims) = self.verified_anywhere(token, now).map_err(|reason| (Denied::Invalid, reason))?;
        // What is done with a token of another environment is its client's and that environment's business.
        trail.environment = Some(environment);
        trail.credential = Some(claims.client_id.as_str().into());
        trail.jti = Some(claims.jti.as_str().into());
        if environment != request.environment {
            return Err((Denied::Invalid, "wrong_environment"));
        }
        self.token_in_force(claims, now).await.map_err(|error| match error {
            NotInForce::Refused(reason) => (Denied::Invalid, reason),
            NotInForce::Unknowable(error) => unknowable(&error),
        })
    }
}

/// The owner, else the credential.
fn subject(owner: Option<&UserId>, credential: &Arc<str>) -> Arc<str> {
    owner.map_or_else(|| Arc::clone(credential), |owner| owner.as_str().into())
}
