//! Clients as they are shown.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::config::Issuers;
use crate::crypto::client_secret::ClientSecretText;
use crate::domain::client::{Client, ClientSecret};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::signing_key::Algorithm;
use crate::domain::time::Timestamp;
use crate::http::api::schema::{self, Time};
use crate::service::idempotency::Rendered;

/// A client as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientView {
    /// Its one id.
    #[schema(examples("cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"))]
    id: String,
    /// The same, by the name that the protocol has for it.
    client_id: String,
    #[schema(value_type = schema::Environment)]
    environment: &'static str,
    name: String,
    description: String,
    #[schema(value_type = schema::Status)]
    status: &'static str,
    /// What it may at most be granted.
    #[schema(examples(json!(["orders:read"])))]
    scopes: Vec<String>,
    /// What it gets when it asks for no scope; null is its scopes.
    #[schema(required)]
    default_scopes: Option<Vec<String>>,
    /// Whom its tokens may be for. The first is what a request gets that names none.
    audiences: Vec<String>,
    /// Audiences whose tokens it may introspect, being their resource server.
    resource_for: Vec<String>,
    /// Addresses and CIDR blocks that it may be used from; anywhere, where there are none.
    allowed_ips: Vec<String>,
    /// Seconds.
    token_lifetime: i64,
    /// Null is its environment's algorithm.
    #[schema(required, value_type = Option<schema::Algorithm>)]
    signing_algorithm: Option<&'static str>,
    /// Requests a minute; null is unlimited.
    #[schema(required)]
    rate_per_minute: Option<u32>,
    /// Requests at once, refilled within a second; null is unlimited.
    #[schema(required)]
    burst_per_second: Option<u32>,
    #[schema(required)]
    expires_at: Option<Time>,
    /// Tokens that were issued before this are no longer active.
    #[schema(required)]
    tokens_revoked_before: Option<Time>,
    created_at: Time,
    updated_at: Time,
    /// The user whom it belongs to, and whose role cuts what it may; null is the organisation.
    #[schema(required)]
    owner: Option<String>,
    /// The customers that it is tied to; any, where there are none.
    customers: Vec<String>,
    /// When its newest secret was made.
    rotated_at: Time,
    /// Whether its secret is old enough to be replaced.
    rotation_due: bool,
    #[schema(required)]
    last_used_at: Option<Time>,
    /// Those that have not ended, newest first; at most two of them are live.
    secrets: Vec<SecretView>,
}

/// What is shown of a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientSecret)]
struct SecretView {
    id: String,
    last_four: String,
    created_at: Time,
    #[schema(required)]
    last_used_at: Option<Time>,
    #[schema(required)]
    ends_at: Option<Time>,
    live: bool,
}

/// A client with a secret that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientWithSecret)]
pub struct ClientWithSecretView {
    #[serde(flatten)]
    client: ClientView,
    /// Shown this once. Left out where an `Idempotency-Key` is used again after its answer has been destroyed.
    #[schema(required = false)]
    client_secret: String,
}

impl ClientView {
    fn of(client: &Client, is_due: bool, issuers: &Issuers, now: Timestamp) -> Self {
        let texts = |scopes: &Scopes| scopes.iter().map(Scope::to_string).collect::<Vec<_>>();
        let audiences = client.effective_audiences(&issuers.of(client.environment).audiences);
        Self {
            id: client.id.to_string(),
            client_id: client.id.to_string(),
            environment: client.environment.as_str(),
            name: client.name.clone(),
            description: client.description.clone(),
            status: client.status(now).as_str(),
            scopes: texts(&client.scopes),
            default_scopes: client.default_scopes.as_ref().map(texts),
            audiences: audiences.iter().map(ToString::to_string).collect(),
            resource_for: client.resource_for.iter().map(ToString::to_string).collect(),
            allowed_ips: client.allowed_ips.to_strings(),
            token_lifetime: client.token_lifetime.as_seconds(),
            signing_algorithm: client.signing_algorithm.map(Algorithm::as_str),
            rate_per_minute: client.limits.rate_per_minute,
            burst_per_second: client.limits.burst_per_second,
            expires_at: client.expires_at.map(Time::from),
            tokens_revoked_before: client.tokens_revoked_before.map(Time::from),
            created_at: client.created_at.into(),
            updated_at: client.updated_at.into(),
            owner: client.owner.as_ref().map(ToString::to_string),
            customers: client.customers.iter().map(ToString::to_string).collect(),
            rotated_at: client.rotated_at.into(),
            rotation_due: is_due,
            last_used_at: client.secrets.iter().filter_map(|secret| secret.last_used_at).max().map(Time::from),
            secrets: client.secrets.iter().map(|secret| SecretView::of(secret, now)).collect(),
        }
    }
}

impl SecretView {
    fn of(secret: &ClientSecret, now: Timestamp) -> Self {
        Self {
            id: secret.id.to_string(),
            last_four: secret.last_four.clone(),
            created_at: secret.created_at.into(),
            last_used_at: secret.last_used_at.map(Time::from),
            ends_at: secret.ends_at.map(Time::from),
            live: secret.is_live(now),
        }
    }
}

/// A client as it is shown; `is_due` says whether its secret is due to be replaced.
pub fn view(client: &Client, is_due: bool, issuers: &Issuers, now: Timestamp) -> Value {
    json!(ClientView::of(client, is_due, issuers, now))
}

/// A client with the secret that was just made, this once.
pub fn view_with_secret(client: &Client, secret: &ClientSecretText, issuers: &Issuers, now: Timestamp) -> Value {
    let client = ClientView::of(client, false, issuers, now);
    json!(ClientWithSecretView { client, client_secret: secret.expose().to_owned() })
}

/// The answer that has a secret, with and without it.
pub(super) fn rendered(
    status: u16,
    issuers: &Issuers,
    client: &Client,
    secret: &ClientSecretText,
    now: Timestamp,
) -> Rendered {
    Rendered {
        status,
        whole: view_with_secret(client, secret, issuers, now).to_string(),
        bare: view(client, false, issuers, now).to_string(),
    }
}
