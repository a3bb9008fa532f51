//! May this API key be used for that? The life of a key, top to bottom: find (memory first) → status → environment → address
//! → customer → limit → scope. Verification and forward-auth ask it alike.

use std::net::IpAddr;
use std::sync::Arc;

use super::Services;
use super::keys_in_memory::KnownKey;
use super::owners::Allowance;
use crate::crypto::digest::sha256;
use crate::domain::api_key::{KeyText, LastUse};
use crate::domain::caller::are_within;
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::domain::ids::CustomerId;
use crate::domain::rate::Standing;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// What comes of asking; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCode {
    /// No key has this string, or none any more.
    NotFound,
    /// It was ended for good.
    Revoked,
    /// Its time is over.
    Expired,
    /// It is disabled, or its owner is not active.
    Disabled,
    /// It belongs to another environment.
    WrongEnvironment,
    /// It may not be used from there.
    IpNotAllowed,
    /// It is tied to other customers.
    WrongCustomer,
    /// It is over a limit.
    RateLimited,
    /// It lacks a scope.
    InsufficientScope,
    /// It may.
    Valid,
}

impl KeyCode {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::NotFound,
        Self::Revoked,
        Self::Expired,
        Self::Disabled,
        Self::WrongEnvironment,
        Self::IpNotAllowed,
        Self::WrongCustomer,
        Self::RateLimited,
        Self::InsufficientScope,
        Self::Valid,
    ];

    /// The name as it stands in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
            Self::Disabled => "DISABLED",
            Self::WrongEnvironment => "WRONG_ENVIRONMENT",
            Self::IpNotAllowed => "IP_NOT_ALLOWED",
            Self::WrongCustomer => "WRONG_CUSTOMER",
            Self::RateLimited => "RATE_LIMITED",
            Self::InsufficientScope => "INSUFFICIENT_SCOPE",
            Self::Valid => "VALID",
        }
    }
}

/// Which environment's keys pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Those of this one: that of the API that is called.
    Of(Environment),
    /// Those of each: the key itself says on which one it acts.
    OfAny,
    /// Those of none: who asks is of another environment than it asks for.
    OfNone,
}

/// What a credential is to be used for.
#[derive(Clone, Debug)]
pub struct Wanted<'w> {
    /// Which environment's keys pass.
    pub passing: Passing,
    /// The customers whose keys exist for who asks; all, if empty.
    pub among: &'w [CustomerId],
    /// Where it is called from, if that is known.
    pub address: Option<IpAddr>,
    /// The customer whose data it is about, by either id.
    pub customer: Option<&'w str>,
    /// How many requests it counts as.
    pub cost: u32,
    /// What is needed, all of it.
    pub scopes: &'w Scopes,
}

/// What came of asking about a key.
#[derive(Debug)]
pub struct KeyUse {
    /// The outcome.
    pub code: KeyCode,
    /// Why, for the audit event.
    pub reason: &'static str,
    /// The key, if there is one.
    pub known: Option<Arc<KnownKey>>,
    /// What it may at this moment.
    pub scopes: Scopes,
    /// The customer that was asked for, if it is one that the key is tied to.
    pub customer: Option<CustomerId>,
    /// How its limits stand, if there is a key.
    pub standing: Option<Standing>,
}

impl KeyUse {
    /// There is no such key.
    pub fn not_found(reason: &'static str) -> Self {
        Self { code: KeyCode::NotFound, reason, known: None, scopes: Scopes::default(), customer: None, standing: None }
    }
}

impl Services {
    /// Decides whether the key may be used for `wanted` at `now`, and counts that it is.
    ///
    /// # Errors
    /// The database fails: it cannot be known.
    pub async fn use_key(&self, text: &KeyText, wanted: &Wanted<'_>, now: Timestamp) -> Result<KeyUse, StoreError> {
        let digest = sha256(text.expose().as_bytes());
        let Some(known) = self.keys.get(&self.store, &digest).await? else {
            return Ok(KeyUse::not_found("unknown_key"));
        };
        let key = &known.key;
        let allowance = self.allowance(key.owner.as_ref()).await?;
        let mut used = KeyUse {
            known: Some(Arc::clone(&known)),
            scopes: allowance.of(&key.scopes),
            ..KeyUse::not_found("key_replaced")
        };
        if key.live_string(&digest, now).is_none() {
            return Ok(used);
        }
        if !are_within(&key.customers, wanted.among) {
            used.reason = "not_of_callers_customers";
            return Ok(used);
        }
        let customer = self.customer_of(&key.customers, wanted.customer).await?;
        (used.code, used.reason) = if let Some(refused) = standing_refusal(key.status(now), &allowance) {
            refused
        } else if ![Passing::Of(key.environment), Passing::OfAny].contains(&wanted.passing) {
            (KeyCode::WrongEnvironment, "wrong_environment")
        } else if !key.allowed_ips.admit(wanted.address) {
            (KeyCode::IpNotAllowed, "address_not_allowed")
        } else if customer.is_err() {
            (KeyCode::WrongCustomer, "wrong_customer")
        } else {
            let standing = self.limits.take(&known.id, key.limits, wanted.cost, now);
            used.standing = Some(standing);
            if !standing.is_admitted {
                (KeyCode::RateLimited, "rate_limited")
            } else if !key.scopes.cover_all(wanted.scopes) || !allowance.allows(wanted.scopes) {
                (KeyCode::InsufficientScope, "insufficient_scope")
            } else {
                self.in_use.note_key(&known.id, LastUse { at: now, address: wanted.address });
                (KeyCode::Valid, "ok")
            }
        };
        used.customer = customer.unwrap_or_default();
        used.standing.get_or_insert_with(|| self.limits.standing(&known.id, key.limits, now));
        Ok(used)
    }

    /// The one of a credential's `customers` that `wanted` names by either id. A credential that is tied to no customer passes
    /// for any.
    ///
    /// # Errors
    /// Outside: the database fails. Inside: it is tied to others.
    pub async fn customer_of(
        &self,
        customers: &[CustomerId],
        wanted: Option<&str>,
    ) -> Result<Result<Option<CustomerId>, OtherCustomer>, StoreError> {
        let Some(wanted) = wanted.filter(|_| !customers.is_empty()) else { return Ok(Ok(None)) };
        for customer in customers {
            if customer.as_str() == wanted || &*self.external_id(customer).await? == wanted {
                return Ok(Ok(Some(customer.clone())));
            }
        }
        Ok(Err(OtherCustomer))
    }
}

/// The credential is tied to other customers.
#[derive(Clone, Copy, Debug)]
pub struct OtherCustomer;

/// Why a credential is not accepted for what it is: final reasons first.
fn standing_refusal(status: Status, allowance: &Allowance) -> Option<(KeyCode, &'static str)> {
    match (status, allowance) {
        (Status::Revoked, _) => Some((KeyCode::Revoked, "key_revoked")),
        (Status::Expired, _) => Some((KeyCode::Expired, "key_expired")),
        (Status::Inactive, _) => Some((KeyCode::Disabled, "key_disabled")),
        (Status::Active, Allowance::Nothing) => Some((KeyCode::Disabled, "owner_inactive")),
        (Status::Active, Allowance::All | Allowance::Role(_)) => None,
    }
}
