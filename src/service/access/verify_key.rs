//! Verifies an API key for an API that received it.

use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Access;
use super::use_key::{Accepting, KeyUse, KeyUseRequest, digest_of};
use crate::domain::audit::{Action, Disposition, Origin, Reason};
use crate::domain::caller::Caller;
use crate::domain::change::{Basis, Position};
use crate::domain::credential::RawApiKey;
use crate::domain::environment::Environment;
use crate::domain::key_code::KeyCode;
use crate::domain::scope::Scopes;
use crate::service::audit_context::{AuditContext, claimed};
use crate::service::error::ServiceError;
use crate::service::recorder::{Counted, Decision};
use crate::store::StoreError;

/// The largest cost of one request.
pub const COST_MAX: u32 = 1_000;

/// A request to verify a key.
#[derive(Debug)]
pub struct KeyQuestion {
    /// The key as it was sent.
    pub key: Zeroizing<String>,
    /// The environment of the API that is called.
    pub environment: Environment,
    /// The scopes that the request requires, all of them.
    pub scopes: Scopes,
    /// The customer whose data the request is about, by id or external id.
    pub customer: Option<String>,
    /// The address that the key is used from.
    pub ip: Option<IpAddr>,
    /// The number of requests that it counts as.
    pub cost: u32,
    /// The request that the key came with, for the audit event.
    pub about: RequestAsked,
}

/// The request that a gateway or an API describes, as far as it does.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RequestAsked {
    /// Its method.
    pub method: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// Its id at the gateway or API.
    pub request_id: Option<String>,
}

impl RequestAsked {
    /// Returns the origin of the described request: from `address`, described in the request `asked`.
    pub fn origin(self, asked: &Arc<Origin>, address: Option<IpAddr>) -> Arc<Origin> {
        if self == Self::default() && address == asked.address {
            return Arc::clone(asked);
        }
        Arc::new(Origin {
            request_id: asked.request_id.clone(),
            method: self.method.map_or_else(|| asked.method.clone(), Into::into),
            path: self.path.unwrap_or_else(|| asked.path.clone()),
            address,
            user_agent: self.user_agent.unwrap_or_else(|| asked.user_agent.clone()),
            gateway_request_id: self.request_id,
            received_at: asked.received_at,
            started: asked.started,
        })
    }
}

impl Access {
    /// Verifies whether a key may be used, and says whose it is, whatever the result. The audit event is stored before
    /// this returns.
    ///
    /// # Errors
    /// The key cannot be verified now, or the event of an accepted key cannot be stored.
    pub async fn verify_key(
        &self,
        caller: &Caller,
        mut question: KeyQuestion,
        origin: &Arc<Origin>,
    ) -> Result<KeyUse, ServiceError> {
        let about = std::mem::take(&mut question.about).origin(origin, question.ip.or(origin.address));
        let context = AuditContext {
            credential: None,
            environment: Some(question.environment),
            ..AuditContext::of(caller, Action::KeyVerify, about)
        };
        let counted = Counted::default();
        let (mut calling, mut is_first) = (caller.clone(), true);
        let decided = self
            .recorder
            .decide(async |position| {
                if !std::mem::take(&mut is_first) {
                    match self.recorder.caller_again(&calling).await {
                        Ok(again) => calling = again,
                        Err(error) => return refused(error, context.clone(), Basis::default()),
                    }
                }
                // The caller was looked at first.
                let basis = calling.basis();
                match self.decide_verification(&calling, &question, (position, &counted)).await {
                    Ok(decision) => decided(decision, &context, basis),
                    Err(error) => refused(error.into(), context.clone(), basis),
                }
            })
            .await??;
        self.note_use(&decided);
        Ok(decided.seen_by(&calling))
    }

    async fn decide_verification(
        &self,
        caller: &Caller,
        question: &KeyQuestion,
        counting: (Position, &Counted),
    ) -> Result<KeyUse, StoreError> {
        // The checksum comes first: a text that fails it was never a key, and costs no query.
        let Some(raw) = RawApiKey::parse(&question.key) else {
            return Ok(KeyUse::not_found(Reason::MalformedKey, claimed(&question.key)));
        };
        let accepting =
            if caller.sees(question.environment) { Accepting::Of(question.environment) } else { Accepting::OfNone };
        let request = KeyUseRequest {
            accepting,
            among: caller.customers(),
            address: question.ip,
            customer: question.customer.as_deref(),
            cost: question.cost,
            scopes: &question.scopes,
        };
        self.use_key(&digest_of(&raw), &request, counting, self.recorder.now()).await
    }
}

type Verification = Decision<Result<KeyUse, ServiceError>>;

fn refused(error: ServiceError, context: AuditContext, basis: Basis) -> Verification {
    let event = (error.disposition(), error.reason());
    Decision::refused(Err(error), context, event, basis)
}

fn decided(decision: KeyUse, context: &AuditContext, basis: Basis) -> Verification {
    let (reason, is_valid) = (decision.reason, decision.code == KeyCode::Valid);
    let context = context.clone();
    let subject = decision.subject();
    let context = match decision.key {
        Some(_) => context.with_subject(subject),
        None => AuditContext { claimed: subject.claimed, ..context },
    };
    let basis = basis.and(decision.basis.clone());
    if is_valid {
        Decision::granted(Ok(decision), context, reason, basis)
    } else {
        Decision::refused(Ok(decision), context, (Disposition::Ok, reason), basis)
    }
}
