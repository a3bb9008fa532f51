//! Decides whether an API key may be used: find (cache first) → status → environment → address → customer → rate limit
//! → scope. Verification, forward-auth and the management API all decide here.

use std::net::IpAddr;
use std::sync::Arc;

use super::Access;
use crate::crypto::digest::sha256;
use crate::domain::audit::{Claimed, Reason};
use crate::domain::caller::{Caller, are_within};
use crate::domain::change::{Basis, Position};
use crate::domain::credential::{Credential, LastUse, RawApiKey, Status};
use crate::domain::customer::{AllSuspended, Served, Tenant};
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, SecretId};
use crate::domain::key_code::KeyCode;
use crate::domain::rate::RateLimitStatus;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::service::audit_context::Subject;
use crate::service::recorder::Counted;
use crate::service::state::owners::Allowance;
use crate::store::StoreError;

/// The environments whose keys are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepting {
    /// Keys of the environment of the API that is called.
    Of(Environment),
    /// Keys of every environment: the key determines the one that it acts on.
    OfAny,
    /// No keys: the caller belongs to another environment than the one that it names.
    OfNone,
}

/// The request that a key is to be used for.
#[derive(Clone, Debug)]
pub struct KeyUseRequest<'r> {
    /// The environments whose keys are accepted.
    pub accepting: Accepting,
    /// The customers whose keys are visible to the caller; all, if empty.
    pub among: &'r [CustomerId],
    /// The address that it is used from, if known.
    pub address: Option<IpAddr>,
    /// The customer whose data the request is about, by id or external id.
    pub customer: Option<&'r str>,
    /// The number of requests that it counts as.
    pub cost: u32,
    /// The scopes that the request requires, all of them.
    pub scopes: &'r Scopes,
}

impl<'r> KeyUseRequest<'r> {
    /// A call of the management API from `address`, where the key determines what it acts on.
    pub fn of_caller(address: Option<IpAddr>, cost: u32, scopes: &'r Scopes) -> Self {
        Self { accepting: Accepting::OfAny, among: &[], address, customer: None, cost, scopes }
    }
}

/// The decision about a key.
#[derive(Debug)]
pub struct KeyUse {
    /// The outcome.
    pub code: KeyCode,
    /// The reason for the audit event.
    pub reason: Reason,
    /// The claim to be the key that was sent.
    claimed: Claimed,
    /// The key, if it is visible to the caller.
    pub key: Option<Arc<Credential>>,
    /// The scopes that it has at this moment.
    pub scopes: Scopes,
    /// The requested customer, if the key is tied to it.
    pub customer: Option<Arc<Tenant>>,
    /// The customers that it serves now, or that it is tied to if all of them are suspended; none if it is tied to
    /// none.
    pub customers: Vec<Arc<Tenant>>,
    /// Its rate limit status, if there is a key.
    pub rate_limit: Option<RateLimitStatus>,
    /// The use to note of its secret, where it is accepted.
    used: Option<(SecretId, LastUse)>,
    /// What the decision is based on.
    pub basis: Basis,
}

impl KeyUse {
    /// The decision about a key that does not exist.
    pub fn not_found(reason: Reason, claimed: Claimed) -> Self {
        let (code, scopes) = (KeyCode::NotFound, Scopes::default());
        Self {
            code,
            reason,
            claimed,
            key: None,
            scopes,
            customer: None,
            customers: vec![],
            rate_limit: None,
            used: None,
            basis: Basis::default(),
        }
    }

    /// Returns the decision as `caller` may see it: of a key that was not found, or is beyond the caller's reach, the
    /// code alone.
    pub(super) fn seen_by(self, caller: &Caller) -> Self {
        let is_within = |key: &Arc<Credential>| caller.sees(key.environment) && caller.sees_customers(&key.customers);
        if self.code != KeyCode::NotFound && self.key.as_ref().is_some_and(is_within) {
            return self;
        }
        Self { code: self.code, ..Self::not_found(self.reason, self.claimed) }
    }

    /// Returns the key as the subject of the audit event.
    pub fn subject(&self) -> Subject {
        let found = self.key.as_ref().map(|key| Subject::of(key).used_for(self.customer.as_deref()));
        Subject { claimed: Some(self.claimed), ..found.unwrap_or_default() }
    }
}

impl Access {
    /// Decides whether the key whose value has this digest may be used for `request` at `now`, and counts the use once
    /// for a request, however often it is decided.
    ///
    /// # Errors
    /// The database cannot be read: it cannot be known.
    pub(super) async fn use_key(
        &self,
        digest: &[u8; 32],
        request: &KeyUseRequest<'_>,
        (position, counted): (Position, &Counted),
        now: Timestamp,
    ) -> Result<KeyUse, StoreError> {
        let claimed = Claimed::of(digest);
        let Some(key) = self.credentials.key_by_digest(digest).await? else {
            return Ok(KeyUse::not_found(Reason::UnknownKey, claimed));
        };
        let allowance = self.owners.allowance(key.owner.as_ref()).await?;
        let basis = Basis::at(position).on_credential(&key).on_role(allowance.role());
        let mut decision =
            KeyUse { scopes: allowance.cut(&key.scopes), basis, ..KeyUse::not_found(Reason::KeyReplaced, claimed) };
        let live = key.live_secret_with_digest(digest, now);
        if live.is_some() && !are_within(&key.customers, request.among) {
            decision.reason = Reason::NotOfCallersCustomers;
        } else if let Some(secret) = live {
            let served = self.customers.served(&key.customers).await?;
            let refused = refusal(&key, &allowance, request, served.as_ref(), now);
            (decision.code, decision.reason) = refused.unwrap_or_else(|| {
                let take = || self.limits.take(key.id.shared(), key.limits, request.cost, now);
                let rate_limit = counted.rate_limit(take);
                decision.rate_limit = Some(rate_limit);
                admission(&key, &allowance, request, rate_limit)
            });
            let use_now = || (secret.id.clone(), LastUse { at: now, address: request.address });
            decision.used = (decision.code == KeyCode::Valid).then(use_now);
            decision.customer = served.as_ref().ok().and_then(|served| served.find(request.customer).ok().flatten());
            decision.customers = served.map_or_else(|AllSuspended(all)| all, Served::into_customers);
            decision.rate_limit.get_or_insert_with(|| self.limits.status(key.id.shared(), key.limits, now));
        }
        decision.key = Some(key);
        Ok(decision)
    }

    /// Notes the use of an accepted key, once its event is stored.
    pub(super) fn note_use(&self, decision: &KeyUse) {
        if let Some((secret, last_use)) = &decision.used {
            self.last_used.note(secret, *last_use);
        }
    }
}

/// The SHA-256 that a key's value is stored as.
pub fn digest_of(raw: &RawApiKey) -> [u8; 32] {
    sha256(raw.expose().as_bytes())
}

/// Decides about limit and scopes, once the rate limit has counted the request.
fn admission(
    key: &Credential,
    allowance: &Allowance,
    request: &KeyUseRequest<'_>,
    rate_limit: RateLimitStatus,
) -> (KeyCode, Reason) {
    if !rate_limit.is_admitted {
        let is_for_later = rate_limit.retry_after().is_some();
        (KeyCode::RateLimited, if is_for_later { Reason::RateLimited } else { Reason::CostExceedsLimit })
    } else if !key.scopes.cover_all(request.scopes) || !allowance.allows(request.scopes) {
        (KeyCode::InsufficientScope, Reason::InsufficientScope)
    } else {
        (KeyCode::Valid, Reason::Ok)
    }
}

/// Returns why a key is not accepted, before its rate limit counts. Permanent reasons come first.
pub fn refusal(
    key: &Credential,
    allowance: &Allowance,
    request: &KeyUseRequest<'_>,
    served: Result<&Served, &AllSuspended>,
    now: Timestamp,
) -> Option<(KeyCode, Reason)> {
    match key.status(now) {
        Status::Revoked => return Some((KeyCode::Revoked, Reason::KeyRevoked)),
        Status::Expired => return Some((KeyCode::Expired, Reason::KeyExpired)),
        Status::Inactive => return Some((KeyCode::Disabled, Reason::KeyDisabled)),
        Status::Active => {}
    }
    if matches!(allowance, Allowance::Nothing) {
        return Some((KeyCode::Disabled, Reason::OwnerInactive));
    }
    let Ok(served) = served else { return Some((KeyCode::Disabled, Reason::CustomerSuspended)) };
    if ![Accepting::Of(key.environment), Accepting::OfAny].contains(&request.accepting) {
        Some((KeyCode::WrongEnvironment, Reason::WrongEnvironment))
    } else if !key.allowed_ips.admit(request.address) {
        Some((KeyCode::IpNotAllowed, Reason::AddressNotAllowed))
    } else if served.find(request.customer).is_err() {
        Some((KeyCode::WrongCustomer, Reason::WrongCustomer))
    } else {
        None
    }
}
