//! API keys as they are shown. The string itself is shown once.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::api_key::{ApiKey, KeyText, StoredString};
use crate::domain::credential::State;
use crate::domain::time::Timestamp;
use crate::http::api::schema::{self, Time};
use crate::service::idempotency::Rendered;

/// A key as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyView {
    /// Its id, whatever string it has.
    #[schema(examples("key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"))]
    id: String,
    #[schema(value_type = schema::Environment)]
    environment: &'static str,
    /// Its purpose, in a few words.
    name: String,
    description: String,
    #[schema(value_type = schema::KeyType)]
    r#type: &'static str,
    #[schema(value_type = schema::Status)]
    status: &'static str,
    /// What it may do; its owner's role may cut that.
    #[schema(examples(json!(["orders:read"])))]
    scopes: Vec<String>,
    /// The user whom it belongs to, and whose role cuts what it may; null is the organisation.
    #[schema(required)]
    owner: Option<String>,
    /// The customers that it is tied to; any, where there are none.
    customers: Vec<String>,
    /// Addresses and CIDR blocks that it may be used from; anywhere, where there are none.
    allowed_ips: Vec<String>,
    /// Requests a minute; null is unlimited.
    #[schema(required)]
    rate_per_minute: Option<u32>,
    /// Requests at once, refilled within a second; null is unlimited.
    #[schema(required)]
    burst_per_second: Option<u32>,
    #[schema(required)]
    expires_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
    /// When its newest string was made.
    rotated_at: Time,
    /// Whether it is old enough to be rotated.
    rotation_due: bool,
    /// When it was last accepted, to within a second or so.
    #[schema(required)]
    last_used_at: Option<Time>,
    /// From where, if that is known.
    #[schema(required)]
    last_used_address: Option<String>,
    /// How its newest string begins.
    #[schema(examples("sw_live_Ab3d"))]
    prefix: String,
    /// The last four characters of its newest string.
    last_four: String,
    /// Its strings that have not been removed, newest first; at most two of them are live.
    strings: Vec<StringView>,
}

/// What is shown of a key's string.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyString)]
struct StringView {
    prefix: String,
    last_four: String,
    created_at: Time,
    #[schema(required)]
    ends_at: Option<Time>,
    live: bool,
}

/// A key with a string that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyWithString)]
pub struct KeyWithStringView {
    #[serde(flatten)]
    settings: KeyView,
    /// Shown this once. Left out where an `Idempotency-Key` is used again after its answer has been destroyed.
    #[schema(required = false, examples("sw_live_…"))]
    key: String,
}

impl KeyView {
    fn of(key: &ApiKey, is_due: bool, now: Timestamp) -> Self {
        let newest = key.strings.first();
        Self {
            id: key.id.to_string(),
            environment: key.environment.as_str(),
            name: key.name.clone(),
            description: key.description.clone(),
            r#type: key.kind.as_str(),
            status: key.status(now).as_str(),
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            owner: key.owner.as_ref().map(ToString::to_string),
            customers: key.customers.iter().map(ToString::to_string).collect(),
            allowed_ips: key.allowed_ips.to_strings(),
            rate_per_minute: key.limits.rate_per_minute,
            burst_per_second: key.limits.burst_per_second,
            expires_at: key.expires_at.map(Time::from),
            created_at: key.created_at.into(),
            updated_at: key.updated_at.into(),
            rotated_at: key.rotated_at.into(),
            rotation_due: is_due,
            last_used_at: key.last_use.map(|used| used.at.into()),
            last_used_address: key.last_use.and_then(|used| used.address).map(|address| address.to_string()),
            prefix: newest.map(|string| string.prefix.clone()).unwrap_or_default(),
            last_four: newest.map(|string| string.last_four.clone()).unwrap_or_default(),
            strings: key.strings.iter().map(|string| StringView::of(string, key, now)).collect(),
        }
    }
}

impl StringView {
    fn of(string: &StoredString, key: &ApiKey, now: Timestamp) -> Self {
        Self {
            prefix: string.prefix.clone(),
            last_four: string.last_four.clone(),
            created_at: string.created_at.into(),
            ends_at: string.ends_at.map(Time::from),
            live: string.is_live(now) && key.state != State::Revoked,
        }
    }
}

/// A key as it is shown; `is_due` says whether it is due to be rotated.
pub fn view(key: &ApiKey, is_due: bool, now: Timestamp) -> Value {
    json!(KeyView::of(key, is_due, now))
}

/// A key with the string that was just made, this once.
pub fn view_with_string(key: &ApiKey, text: &KeyText, now: Timestamp) -> Value {
    json!(KeyWithStringView { settings: KeyView::of(key, false, now), key: text.expose().to_owned() })
}

/// The answer that has a string, with and without it.
pub(super) fn rendered(status: u16, key: &ApiKey, text: &KeyText, now: Timestamp) -> Rendered {
    Rendered { status, whole: view_with_string(key, text, now).to_string(), bare: view(key, false, now).to_string() }
}
