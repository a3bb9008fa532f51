//! Authorizes callers of the management API: an API key, or a bearer token of Sealwright's own (RFC 6750) for the
//! management API, in force, within its rate limit, with the permission among its scopes.

use std::sync::Arc;

use super::extract_credential::{CredentialFields, ExtractedCredential, NotExtracted, extract_credential};
use super::use_key::{Accepting, KeyUseRequest};
use super::{Access, Refused};
use crate::domain::audit::{Action, Disposition, Origin, Reason};
use crate::domain::caller::{Caller, CallingCredential};
use crate::domain::credential::RawApiKey;
use crate::domain::key_code::KeyCode;
use crate::domain::rate::RateLimitStatus;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::service::audit_context::{AuditContext, Subject};
use crate::service::tokens::{NotInForce, TokenInForce};
use crate::store::StoreError;

/// Why a call is refused before it reaches its use case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unauthorized {
    /// It has no credentials.
    Missing,
    /// It has several credentials, or fields that cannot be read.
    Malformed,
    /// Its key or token is not in force, or not for this API.
    InvalidToken,
    /// Its credential lacks this permission.
    Insufficient(&'static str),
    /// Its credential exceeds its rate limit.
    RateLimited(RateLimitStatus),
    /// Too many failed authentications come from one source.
    TooManyFailures {
        /// Seconds until another attempt is accepted.
        retry_after: u32,
    },
    /// The service cannot decide now.
    Unavailable,
}

impl Unauthorized {
    /// Returns the disposition of the call.
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::Missing | Self::InvalidToken => Disposition::Unauthenticated,
            Self::Malformed => Disposition::Malformed,
            Self::Insufficient(_) => Disposition::Forbidden,
            Self::RateLimited(_) | Self::TooManyFailures { .. } => Disposition::TooMany,
            Self::Unavailable => Disposition::Unavailable,
        }
    }
}

/// What a route requires of its caller.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// The permission that the credential must have.
    pub permission: &'static str,
    /// Whether the call counts towards the caller's rate limit.
    pub counts: bool,
}

/// A caller that has the required permission.
#[derive(Debug)]
pub struct Authorized {
    /// The authenticated caller.
    pub caller: Caller,
    /// Its rate limit status, if the call counts.
    pub rate_limit: Option<RateLimitStatus>,
}

/// A credential that has authenticated and is within its rate limit.
type Calling = (CallingCredential, RateLimitStatus, Subject);

fn unknowable(error: &StoreError) -> Refused<Unauthorized> {
    log::error!("{error}");
    Refused::new(Unauthorized::Unavailable, Reason::StoreUnavailable)
}

impl Access {
    /// Authorizes the caller that these fields name to do what is required. A refusal stores its audit event; the use
    /// case stores that of a success.
    ///
    /// # Errors
    /// The reason for which the call is refused.
    pub async fn authorize_caller(
        &self,
        fields: &CredentialFields<'_>,
        requirement: Requirement,
        origin: &Arc<Origin>,
    ) -> Result<Authorized, Unauthorized> {
        let now = self.recorder.now();
        let refused = match self.decide_caller(fields, requirement, origin, now).await {
            Ok(authorized) => return Ok(authorized),
            Err(refused) => refused,
        };
        let is_unknown = refused.error == Unauthorized::InvalidToken && refused.subject.credential.is_none();
        let failures = if is_unknown { self.failures.count_unknown(origin.address, now) } else { Ok(()) };
        let unauthorized = match failures {
            Ok(()) => refused.error,
            Err(retry_after) => Unauthorized::TooManyFailures { retry_after },
        };
        let context = AuditContext::anonymous(Action::ApiAuthorize, None, Arc::clone(origin));
        let context = context.with_subject(*refused.subject);
        self.recorder.record_refusal(&context, unauthorized.disposition(), refused.reason).await;
        Err(unauthorized)
    }

    async fn decide_caller(
        &self,
        fields: &CredentialFields<'_>,
        requirement: Requirement,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Authorized, Refused<Unauthorized>> {
        // A call that does not count costs 0, which every rate limit admits.
        let cost = u32::from(requirement.counts);
        let (credential, rate_limit, subject) = match extract_credential(fields) {
            Ok(ExtractedCredential::Key(raw)) => self.calling_key(&raw, cost, origin, now).await?,
            Ok(ExtractedCredential::Token(token)) => self.calling_client(token, cost, origin, now).await?,
            Err(NotExtracted::Missing) => return Err(Refused::new(Unauthorized::Missing, Reason::NoCredentials)),
            Err(NotExtracted::Malformed(reason)) => return Err(Refused::new(Unauthorized::Malformed, reason)),
            Err(NotExtracted::Foreign) => {
                return Err(Refused::new(Unauthorized::InvalidToken, Reason::MalformedCredential));
            }
        };
        let caller = Caller::Credential(credential);
        if caller.may(requirement.permission) {
            Ok(Authorized { caller, rate_limit: requirement.counts.then_some(rate_limit) })
        } else {
            let unauthorized = Unauthorized::Insufficient(requirement.permission);
            Err(Refused::new(unauthorized, Reason::PermissionDenied).of(subject))
        }
    }

    /// Authorizes an API key as the caller.
    async fn calling_key(
        &self,
        raw: &RawApiKey,
        cost: u32,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Calling, Refused<Unauthorized>> {
        let scopes = Scopes::default();
        let request = KeyUseRequest {
            accepting: Accepting::OfAny,
            among: &[],
            address: origin.address,
            customer: None,
            cost,
            scopes: &scopes,
        };
        let used = self.use_key(raw, &request, now).await.map_err(|error| unknowable(&error))?;
        let subject = used.subject();
        let refuse = |unauthorized, subject| Err(Refused::new(unauthorized, used.reason).of(subject));
        let (Some(key), Some(rate_limit)) = (&used.key, used.rate_limit) else {
            return refuse(Unauthorized::InvalidToken, subject);
        };
        match used.code {
            KeyCode::Valid => {}
            KeyCode::RateLimited => return refuse(Unauthorized::RateLimited(rate_limit), subject.authenticated()),
            _ => return refuse(Unauthorized::InvalidToken, subject),
        }
        let credential = CallingCredential {
            id: Arc::clone(key.id.shared()),
            environment: key.environment,
            scopes: used.scopes,
            owner: key.owner.clone(),
            customers: used.customers.iter().map(|customer| customer.id.clone()).collect(),
        };
        Ok((credential, rate_limit, subject.authenticated()))
    }

    /// Authorizes the client of a bearer token as the caller.
    async fn calling_client(
        &self,
        token: &str,
        cost: u32,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Calling, Refused<Unauthorized>> {
        let token = self.verifier.verify_anywhere(token, now);
        let token = token.map_err(|reason| Refused::new(Unauthorized::InvalidToken, reason))?;
        let subject = token.subject();
        let in_force = self.verifier.in_force(token, now).await.map_err(|error| match error {
            NotInForce::Refused(reason) => Refused::new(Unauthorized::InvalidToken, reason).of(subject.clone()),
            NotInForce::Unknowable(error) => unknowable(&error).of(subject.clone()),
        })?;
        let subject = in_force.subject();
        match self.admit_caller(&in_force, cost, origin, now) {
            Ok(rate_limit) => {
                let credential = CallingCredential {
                    id: Arc::clone(in_force.client.id.shared()),
                    environment: in_force.token.environment,
                    scopes: in_force.scopes,
                    owner: in_force.client.owner.clone(),
                    customers: in_force.served.ids(),
                };
                Ok((credential, rate_limit, subject))
            }
            Err(refused) => Err(refused.of(subject)),
        }
    }

    /// Decides whether a token in force may call the management API.
    fn admit_caller(
        &self,
        in_force: &TokenInForce,
        cost: u32,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<RateLimitStatus, Refused<Unauthorized>> {
        let (client, token) = (&in_force.client, &in_force.token);
        let management = self.issuers.management(token.environment);
        if !token.claims.aud.iter().any(|audience| audience == management) {
            return Err(Refused::new(Unauthorized::InvalidToken, Reason::WrongAudience));
        }
        if !client.allowed_ips.admit(origin.address) {
            return Err(Refused::new(Unauthorized::InvalidToken, Reason::AddressNotAllowed));
        }
        let rate_limit = self.limits.take(client.id.shared(), client.limits, cost, now);
        if !rate_limit.is_admitted {
            return Err(Refused::new(Unauthorized::RateLimited(rate_limit), Reason::RateLimited));
        }
        Ok(rate_limit)
    }
}
