//! Verification of API keys.

// A member that is absent differs from one that is null.
#![allow(clippy::option_option)]

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::field::{Address, AnyScopes, Cost, Remark, SentSecret};
use super::input::{Optional, Required, input};
use crate::domain::credential::{Credential, KeyType};
use crate::domain::customer::{ExternalId, Tenant};
use crate::domain::environment::Environment;
use crate::domain::ids::{ApiKeyId, UserId};
use crate::domain::key_code::KeyCode;
use crate::domain::metadata::Metadata;
use crate::domain::rate::{BucketStatus, RateLimitStatus};
use crate::domain::reference::CustomerReference;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::text::Name;
use crate::domain::time::Timestamp;

/// The result of verifying an API key. The members that describe the key are there whatever the code, but for
/// `scopes`. They are absent if the key was not found, or if it is not of the caller's environment and customers.
#[derive(Serialize, ToSchema)]
pub struct Verdict<'v> {
    /// Whether the key may be used.
    valid: bool,
    /// The first code that applies.
    code: KeyCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = ApiKeyId)]
    id: Option<&'v str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Name)]
    name: Option<&'v Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = KeyType)]
    r#type: Option<KeyType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Environment)]
    environment: Option<Environment>,
    /// The user who owns it; null means the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<UserId>)]
    owner: Option<Option<&'v UserId>>,
    /// The customers that it may be used for now, by their external ids; if all of them are suspended, these. Empty for
    /// a key that is tied to none, and may be used for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Vec<ExternalId>)]
    customers: Option<Vec<&'v ExternalId>>,
    /// Its metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Metadata)]
    metadata: Option<&'v Metadata>,
    /// What it may do at this moment, limited by its owner's role. Only where the code is `VALID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Vec<Scope>)]
    scopes: Option<Vec<&'v Scope>>,
    /// When it stops being accepted; null means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<Timestamp>)]
    expires_at: Option<Option<Timestamp>>,
    /// The state of the key's rate limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = RateLimitView)]
    rate_limit: Option<RateLimitView>,
}

/// The rate limit that will refuse first.
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
struct RateLimitView {
    /// Requests at once; null means unlimited.
    #[schema(required)]
    limit: Option<u32>,
    /// Requests that are left; null means unlimited.
    #[schema(required)]
    remaining: Option<u32>,
    /// Seconds until all are available again.
    reset_after: u32,
    /// Seconds until a refused request is admitted: 0 if none was refused, null if it never is, because its cost is
    /// above a limit.
    #[schema(required)]
    retry_after: Option<u32>,
}

impl RateLimitView {
    fn new(status: &RateLimitStatus) -> Self {
        let tightest = status.tightest();
        Self {
            limit: tightest.map(|bucket| bucket.quota.limit),
            remaining: tightest.map(|bucket| bucket.remaining),
            reset_after: tightest.map_or(0, BucketStatus::reset_after_seconds),
            retry_after: status.retry_after_seconds(),
        }
    }
}

impl<'v> Verdict<'v> {
    /// The result `code` for `key`, whose scopes are `scopes` and which serves `customers` at this moment.
    pub fn new(
        code: KeyCode,
        key: Option<&'v Credential>,
        (scopes, customers): (&'v Scopes, &'v [Arc<Tenant>]),
        status: Option<&RateLimitStatus>,
    ) -> Self {
        let valid = code == KeyCode::Valid;
        Self {
            valid,
            code,
            id: key.map(|key| key.id.as_str()),
            name: key.map(|key| &key.name),
            r#type: key.and_then(Credential::key_type),
            environment: key.map(|key| key.environment),
            owner: key.map(|key| key.owner.as_ref()),
            customers: key.map(|_| customers.iter().map(|customer| &customer.external_id).collect()),
            metadata: key.map(|key| &key.metadata),
            scopes: key.filter(|_| valid).map(|_| scopes.iter().collect()),
            expires_at: key.map(|key| key.expires_at),
            rate_limit: status.map(RateLimitView::new),
        }
    }
}

input! {
    /// A key to verify, and the request that it came with.
    pub struct Verification {
        /// The key as it was sent.
        key: Required<SentSecret>,
        /// The environment of the API that is called.
        environment: Required<Environment>,
        /// Scopes that are needed, all of them.
        scopes: Optional<AnyScopes>,
        /// The customer whose data the request is about, by either id.
        customer: Optional<CustomerReference>,
        /// The address that the key is used from. Keys that have an allowlist need it.
        ip: Optional<Address>,
        /// How many requests this use counts as.
        cost: Optional<Cost>,
        /// The method of the request, for the audit log.
        method: Optional<Remark>,
        /// The path of the request, for the audit log. Its query is not recorded.
        path: Optional<Remark>,
        /// The user agent of the request, for the audit log.
        user_agent: Optional<Remark>,
        /// The request's id in your system, for the audit log.
        request_id: Optional<Remark>,
    }
}
