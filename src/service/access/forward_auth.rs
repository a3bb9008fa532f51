//! Forward-auth: decides for a gateway whether a request may pass, and who sends it. It decides as verification does,
//! for keys and tokens that the request itself carries.

use std::sync::Arc;

use super::use_key::{Accepting, KeyUse, KeyUseRequest, digest_of};
use super::{About, Access, Refused};
use crate::domain::audit::{Action, Disposition, Origin, Reason};
use crate::domain::change::{Basis, Position};
use crate::domain::credential::{Credential, RawApiKey};
use crate::domain::customer::Tenant;
use crate::domain::environment::Environment;
use crate::domain::key_code::KeyCode;
use crate::domain::rate::RateLimitStatus;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::oauth::extract_credential::{CredentialFields, ExtractedCredential, NotExtracted, extract_credential};
use crate::service::audit_context::{AuditContext, Subject};
use crate::service::recorder::{Counted, Decision};
use crate::service::tokens::{NotInForce, TokenInForce};
use crate::store::StoreError;

/// A request that a gateway has received.
#[derive(Debug)]
pub struct ForwardedRequest<'r> {
    /// The fields that carry its credentials.
    pub fields: CredentialFields<'r>,
    /// The environment of the API behind the gateway.
    pub environment: Environment,
    /// The scopes that the request requires, all of them.
    pub scopes: Scopes,
    /// The audience that a token must have; any but the management API if `None`.
    pub audience: Option<String>,
    /// The customer whose data the request is about, by id or external id.
    pub customer: Option<String>,
    /// The origin of the request.
    pub origin: Arc<Origin>,
}

/// The sender of a request that may pass.
#[derive(Debug)]
pub struct Identity {
    /// The credential of the request.
    pub credential: Arc<Credential>,
    /// The scopes that it has at this moment.
    pub scopes: Scopes,
    /// The requested customer, or else those that the credential serves now.
    pub customers: Vec<Arc<Tenant>>,
    /// Its rate limit status.
    pub rate_limit: RateLimitStatus,
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
    /// Its credential may not be used for this.
    Forbidden(Forbidden),
    /// Its credential lacks one of these scopes.
    Insufficient(Scopes),
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

/// What a credential may not be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Forbidden {
    /// Requests from this address.
    Address,
    /// Data of this customer.
    Customer,
    /// This audience.
    Audience,
}

impl Denied {
    /// Returns the disposition of the request.
    pub const fn disposition(&self) -> Disposition {
        match self {
            Self::Missing | Self::Malformed | Self::Invalid => Disposition::Unauthenticated,
            Self::Forbidden(_) | Self::Insufficient(_) => Disposition::Forbidden,
            Self::RateLimited(_) | Self::TooManyFailures { .. } => Disposition::TooMany,
            Self::Unavailable => Disposition::Unavailable,
        }
    }
}

/// A request that may pass: its sender, its event's subject, what that is based on, and the use to note of a key.
struct Passing {
    identity: Identity,
    subject: Subject,
    basis: Basis,
    used: Option<KeyUse>,
}

type Passed = Result<Passing, Refused<Denied>>;

fn unknowable(error: &StoreError) -> Refused<Denied> {
    log::error!("{error}");
    Refused::new(Denied::Unavailable, Reason::StoreUnavailable)
}

/// What deciding about a request needs beside the request.
struct Asked<'a> {
    position: Position,
    counted: &'a Counted,
    now: Timestamp,
}

impl Access {
    /// Decides whether a request may pass. The audit event is stored before this returns.
    ///
    /// # Errors
    /// The reason for which the request may not pass.
    pub async fn forward_auth(&self, request: &ForwardedRequest<'_>) -> Result<Identity, Denied> {
        let (counted, now) = (Counted::default(), self.recorder.now());
        let decided = self
            .recorder
            .decide(async |position| {
                self.decide_forward_auth(request, &Asked { position, counted: &counted, now }).await
            })
            .await;
        let (identity, used) = decided.map_err(|_| Denied::Unavailable)??;
        if let Some(used) = used {
            self.note_use(&used);
        }
        Ok(identity)
    }

    async fn decide_forward_auth(
        &self,
        request: &ForwardedRequest<'_>,
        asked: &Asked<'_>,
    ) -> Decision<Result<(Identity, Option<KeyUse>), Denied>> {
        let context =
            AuditContext::anonymous(Action::ForwardAuth, Some(request.environment), Arc::clone(&request.origin));
        let refused = match self.pass(request, asked).await {
            Ok(Passing { identity, subject, basis, used }) => {
                return Decision::granted(Ok((identity, used)), context.with_subject(subject), Reason::Ok, basis);
            }
            Err(refused) => refused,
        };
        let is_unknown = refused.error == Denied::Invalid && refused.about.subject.credential.is_none();
        let count = || self.failures.count_unknown(request.origin.address, asked.now);
        let denied = match if is_unknown { asked.counted.failure(count) } else { Ok(()) } {
            Ok(()) => refused.error,
            Err(retry_after) => Denied::TooManyFailures { retry_after },
        };
        let event = (denied.disposition(), refused.reason);
        let About { subject, basis } = *refused.about;
        Decision::refused(Err(denied), context.with_subject(subject), event, basis)
    }

    async fn pass(&self, request: &ForwardedRequest<'_>, asked: &Asked<'_>) -> Passed {
        match extract_credential(&request.fields) {
            Ok(ExtractedCredential::Key(raw)) => self.pass_key(request, &raw, asked).await,
            Ok(ExtractedCredential::Token(token)) => self.pass_token(request, token, asked).await,
            Err(NotExtracted::Missing) => Err(Refused::new(Denied::Missing, Reason::NoCredentials)),
            Err(NotExtracted::Malformed(reason)) => Err(Refused::new(Denied::Malformed, reason)),
            Err(NotExtracted::Foreign) => Err(Refused::new(Denied::Invalid, Reason::MalformedCredential)),
        }
    }

    async fn pass_key(&self, request: &ForwardedRequest<'_>, raw: &RawApiKey, asked: &Asked<'_>) -> Passed {
        let key_request = KeyUseRequest {
            accepting: Accepting::Of(request.environment),
            among: &[],
            address: request.origin.address,
            customer: request.customer.as_deref(),
            cost: 1,
            scopes: &request.scopes,
        };
        let used = self.use_key(&digest_of(raw), &key_request, (asked.position, asked.counted), asked.now).await;
        let used = used.map_err(|error| unknowable(&error))?;
        let subject = used.subject();
        let refuse = |denied| Err(Refused::new(denied, used.reason).of(subject.clone()).based_on(used.basis.clone()));
        let (Some(key), Some(rate_limit)) = (&used.key, used.rate_limit) else { return refuse(Denied::Invalid) };
        match used.code {
            KeyCode::Valid => {
                let customers = used.customer.clone().map_or_else(|| used.customers.clone(), |customer| vec![customer]);
                let scopes = used.scopes.clone();
                let identity = Identity { credential: Arc::clone(key), scopes, customers, rate_limit };
                let (subject, basis) = (subject.authenticated(), used.basis.clone());
                Ok(Passing { identity, subject, basis, used: Some(used) })
            }
            KeyCode::IpNotAllowed => refuse(Denied::Forbidden(Forbidden::Address)),
            KeyCode::WrongCustomer => refuse(Denied::Forbidden(Forbidden::Customer)),
            KeyCode::RateLimited => refuse(Denied::RateLimited(rate_limit)),
            KeyCode::InsufficientScope => refuse(Denied::Insufficient(request.scopes.clone())),
            KeyCode::NotFound | KeyCode::Revoked | KeyCode::Expired | KeyCode::Disabled | KeyCode::WrongEnvironment => {
                refuse(Denied::Invalid)
            }
        }
    }

    async fn pass_token(&self, request: &ForwardedRequest<'_>, token: &str, asked: &Asked<'_>) -> Passed {
        let token = self.verifier.verify_anywhere(token, asked.now);
        let keys = Basis::at(asked.position).on_all_signing_keys();
        let token = token.map_err(|reason| Refused::new(Denied::Invalid, reason).based_on(keys))?;
        let subject = Subject::of_token(&token);
        if token.environment != request.environment {
            return Err(Refused::new(Denied::Invalid, Reason::WrongEnvironment).of(subject));
        }
        let (basis, in_force) = self.verifier.in_force(token, Basis::at(asked.position), asked.now).await;
        let in_force = in_force.map_err(|error| match error {
            NotInForce::Refused(reason) => {
                Refused::new(Denied::Invalid, reason).of(subject.clone()).based_on(basis.clone())
            }
            NotInForce::Unknowable(error) => unknowable(&error).of(subject.clone()),
        })?;
        match self.admit_token(request, &in_force, asked) {
            Ok((customer, rate_limit)) => {
                let subject = in_force.subject().used_for(customer.as_deref());
                let customers = customer.map_or_else(|| in_force.served.into_customers(), |customer| vec![customer]);
                let identity = Identity { credential: in_force.client, scopes: in_force.scopes, customers, rate_limit };
                Ok(Passing { identity, subject, basis, used: None })
            }
            Err(refused) => Err(refused.of(subject.tied_to(&in_force.served.ids())).based_on(basis)),
        }
    }

    /// Decides whether a token in force may be used for `request`, and returns the requested customer, if any.
    fn admit_token(
        &self,
        request: &ForwardedRequest<'_>,
        in_force: &TokenInForce,
        asked: &Asked<'_>,
    ) -> Result<(Option<Arc<Tenant>>, RateLimitStatus), Refused<Denied>> {
        let client = &in_force.client;
        let forbidden = |what, reason| Refused::new(Denied::Forbidden(what), reason);
        if !client.allowed_ips.admit(request.origin.address) {
            return Err(forbidden(Forbidden::Address, Reason::AddressNotAllowed));
        }
        let customer = in_force.served.find(request.customer.as_deref());
        let customer = customer.map_err(|_| forbidden(Forbidden::Customer, Reason::WrongCustomer))?;
        if !is_for_audience(&in_force.token.claims.aud, request, self.issuers.management(request.environment)) {
            return Err(forbidden(Forbidden::Audience, Reason::WrongAudience));
        }
        let take = || self.limits.take(client.id.shared(), client.limits, 1, asked.now);
        let rate_limit = asked.counted.rate_limit(take);
        if !rate_limit.is_admitted {
            return Err(Refused::new(Denied::RateLimited(rate_limit), Reason::RateLimited));
        }
        if !in_force.covers(&request.scopes) {
            let denied = Denied::Insufficient(request.scopes.clone());
            return Err(Refused::new(denied, Reason::InsufficientScope));
        }
        Ok((customer, rate_limit))
    }
}

/// Returns whether a token for `audiences` has the requested audience or, without one, any but the management API.
fn is_for_audience(audiences: &[String], request: &ForwardedRequest<'_>, management: &str) -> bool {
    match &request.audience {
        Some(audience) => audiences.contains(audience),
        None => !audiences.iter().any(|audience| audience == management),
    }
}
