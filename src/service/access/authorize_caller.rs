//! Authorizes callers of the management API: an API key, or a bearer token of Sealwright's own (RFC 6750) for the
//! management API, in force, within its rate limit, with the permission among its scopes.

use std::sync::Arc;

use super::use_key::{KeyUseRequest, digest_of};
use super::{About, Access, Refused};
use crate::domain::audit::{Action, Origin, Reason};
use crate::domain::caller::{Authority, Caller, CallingCredential, Proof};
use crate::domain::change::{Basis, Position};
use crate::domain::credential::RawApiKey;
use crate::domain::key_code::KeyCode;
use crate::domain::rate::RateLimitStatus;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::oauth::extract_credential::{CredentialFields, ExtractedCredential, NotExtracted, extract_credential};
use crate::service::audit_context::{AuditContext, Subject};
use crate::service::authority::Unauthorized;
use crate::service::recorder::{Counted, Decision};
use crate::service::tokens::{NotInForce, TokenInForce};
use crate::store::StoreError;

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

/// The credential of a call, as far as it has one.
type Extracted<'f> = Result<ExtractedCredential<'f>, NotExtracted>;

/// What authorizing a call needs.
struct Call<'c> {
    requirement: Requirement,
    origin: &'c Origin,
    counted: &'c Counted,
    now: Timestamp,
}

impl Call<'_> {
    /// A call that does not count costs 0, which every rate limit admits.
    fn cost(&self) -> u32 {
        u32::from(self.requirement.counts)
    }

    fn authority(&self, proof: Proof, basis: Basis) -> Authority {
        Authority { proof, address: self.origin.address, permission: self.requirement.permission, basis }
    }
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
        let (counted, now) = (Counted::default(), self.recorder.now());
        let extracted = extract_credential(fields);
        // Verification is decided as a whole, and decided again. Other calls are not.
        if requirement.counts && extracted.is_ok() {
            let context = AuditContext::anonymous(Action::ApiAuthorize, None, Arc::clone(origin));
            self.recorder.catch_up(&context).await.map_err(|_| Unauthorized::Unavailable)?;
        }
        let call = Call { requirement, origin, counted: &counted, now };
        let decided =
            self.recorder.decide(async |position| self.decide_call(&extracted, &call, position, origin).await);
        decided.await.unwrap_or(Err(Unauthorized::Unavailable))
    }

    async fn decide_call(
        &self,
        extracted: &Extracted<'_>,
        call: &Call<'_>,
        position: Position,
        origin: &Arc<Origin>,
    ) -> Decision<Result<Authorized, Unauthorized>> {
        let context = AuditContext::anonymous(Action::ApiAuthorize, None, Arc::clone(origin));
        let refused = match self.decide_caller(extracted, call, position).await {
            Ok(authorized) => return Decision::pending(Ok(authorized), context),
            Err(refused) => refused,
        };
        let is_unknown = refused.error == Unauthorized::InvalidToken && refused.about.subject.credential.is_none();
        let count = || self.failures.count_unknown(origin.address, call.now);
        let unauthorized = match if is_unknown { call.counted.failure(count) } else { Ok(()) } {
            Ok(()) => refused.error,
            Err(retry_after) => Unauthorized::TooManyFailures { retry_after },
        };
        let About { subject, basis } = *refused.about;
        let event = (unauthorized.disposition(), refused.reason);
        Decision::refused(Err(unauthorized), context.with_subject(subject), event, basis)
    }

    async fn decide_caller(
        &self,
        extracted: &Extracted<'_>,
        call: &Call<'_>,
        position: Position,
    ) -> Result<Authorized, Refused<Unauthorized>> {
        let (credential, rate_limit, subject) = match extracted {
            Ok(ExtractedCredential::Key(raw)) => self.calling_key(raw, call, position).await?,
            Ok(ExtractedCredential::Token(token)) => self.calling_client(token, call, position).await?,
            Err(NotExtracted::Missing) => return Err(Refused::new(Unauthorized::Missing, Reason::NoCredentials)),
            Err(NotExtracted::Malformed(reason)) => return Err(Refused::new(Unauthorized::Malformed, *reason)),
            Err(NotExtracted::Foreign) => {
                return Err(Refused::new(Unauthorized::InvalidToken, Reason::MalformedCredential));
            }
        };
        let caller = Caller::Credential(credential);
        let Requirement { permission, counts } = call.requirement;
        if caller.may(permission) {
            Ok(Authorized { caller, rate_limit: counts.then_some(rate_limit) })
        } else {
            let refused = Refused::new(Unauthorized::Insufficient(permission), Reason::PermissionDenied);
            Err(refused.of(subject).based_on(caller.basis()))
        }
    }

    /// Authorizes an API key as the caller.
    async fn calling_key(
        &self,
        raw: &RawApiKey,
        call: &Call<'_>,
        position: Position,
    ) -> Result<Calling, Refused<Unauthorized>> {
        let (digest, scopes) = (digest_of(raw), Scopes::default());
        let request = KeyUseRequest::of_caller(call.origin.address, call.cost(), &scopes);
        let used = self.use_key(&digest, &request, (position, call.counted), call.now).await;
        let used = used.map_err(|error| unknowable(&error))?;
        let subject = used.subject();
        let refuse = |unauthorized, subject| {
            Err(Refused::new(unauthorized, used.reason).of(subject).based_on(used.basis.clone()))
        };
        let (Some(key), Some(rate_limit)) = (&used.key, used.rate_limit) else {
            return refuse(Unauthorized::InvalidToken, subject);
        };
        match used.code {
            KeyCode::Valid => {}
            KeyCode::RateLimited => return refuse(Unauthorized::RateLimited(rate_limit), subject.authenticated()),
            _ => return refuse(Unauthorized::InvalidToken, subject),
        }
        self.note_use(&used);
        let credential = CallingCredential {
            id: Arc::clone(key.id.shared()),
            environment: key.environment,
            scopes: used.scopes.clone(),
            owner: key.owner.clone(),
            customers: used.customers.iter().map(|customer| customer.id.clone()).collect(),
            authority: call.authority(Proof::Value(digest), used.basis.clone()),
        };
        Ok((credential, rate_limit, subject.authenticated()))
    }

    /// Authorizes the client of a bearer token as the caller.
    async fn calling_client(
        &self,
        token: &str,
        call: &Call<'_>,
        position: Position,
    ) -> Result<Calling, Refused<Unauthorized>> {
        let token = self.verifier.verify_anywhere(token, call.now);
        let keys = Basis::at(position).on_all_signing_keys();
        let token = token.map_err(|reason| Refused::new(Unauthorized::InvalidToken, reason).based_on(keys))?;
        let subject = Subject::of_token(&token);
        let (basis, in_force) = self.verifier.in_force(token, Basis::at(position), call.now).await;
        let in_force = in_force.map_err(|error| match error {
            NotInForce::Refused(reason) => {
                Refused::new(Unauthorized::InvalidToken, reason).of(subject.clone()).based_on(basis.clone())
            }
            NotInForce::Unknowable(error) => unknowable(&error).of(subject.clone()),
        })?;
        let subject = in_force.subject();
        match self.admit_caller(&in_force, call) {
            Ok(rate_limit) => {
                let credential = CallingCredential {
                    id: Arc::clone(in_force.client.id.shared()),
                    environment: in_force.token.environment,
                    scopes: in_force.scopes,
                    owner: in_force.client.owner.clone(),
                    customers: in_force.served.ids(),
                    authority: call.authority(Proof::Token(Box::new(in_force.token)), basis),
                };
                Ok((credential, rate_limit, subject))
            }
            Err(refused) => Err(refused.of(subject).based_on(basis)),
        }
    }

    /// Decides whether a token in force may call the management API.
    fn admit_caller(&self, in_force: &TokenInForce, call: &Call<'_>) -> Result<RateLimitStatus, Refused<Unauthorized>> {
        let (client, token) = (&in_force.client, &in_force.token);
        let management = self.issuers.management(token.environment);
        if !token.claims.aud.iter().any(|audience| audience == management) {
            return Err(Refused::new(Unauthorized::InvalidToken, Reason::WrongAudience));
        }
        if !client.allowed_ips.admit(call.origin.address) {
            return Err(Refused::new(Unauthorized::InvalidToken, Reason::AddressNotAllowed));
        }
        let take = || self.limits.take(client.id.shared(), client.limits, call.cost(), call.now);
        let rate_limit = call.counted.rate_limit(take);
        if !rate_limit.is_admitted {
            return Err(Refused::new(Unauthorized::RateLimited(rate_limit), Reason::RateLimited));
        }
        Ok(rate_limit)
    }
}
