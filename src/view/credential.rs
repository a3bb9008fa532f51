//! Clients and API keys as they are shown. They share most of their fields, which are declared once.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::text::string;
use crate::domain::audience::{Audience, EnvironmentAudiences};
use crate::domain::credential::{Client, Credential, CredentialId, KeyType, Status, StoredSecret};
use crate::domain::customer::{Customer, ExternalId};
use crate::domain::environment::Environment;
use crate::domain::ids::{ApiKeyId, ClientId, CustomerId, SecretId, UserId};
use crate::domain::metadata::Metadata;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::signing_key::Algorithm;
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};
use crate::domain::token::TokenTyp;

/// The schema of an address or a CIDR block that a credential may be used from.
enum AllowedNetwork {}

impl PartialSchema for AllowedNetwork {
    fn schema() -> RefOr<Schema> {
        string("^[0-9a-f:.]+(/[0-9]{1,3})?$").examples(["203.0.113.7"]).into()
    }
}

impl ToSchema for AllowedNetwork {}

/// Fields that clients and API keys share.
#[derive(Serialize, ToSchema)]
struct CredentialFields {
    environment: Environment,
    name: Name,
    description: Description,
    status: Status,
    /// What it may carry at most, before its owner's role limits it.
    scopes: Vec<Scope>,
    /// The user who owns it, and whose role limits it; null means the organisation.
    #[schema(required)]
    owner: Option<UserId>,
    /// The customers that it is tied to, suspended ones included. Without any it serves all customers.
    customers: Vec<TiedCustomer>,
    metadata: Metadata,
    /// Addresses and CIDR blocks that it may be used from. Without any it may be used from anywhere.
    #[schema(value_type = Vec<AllowedNetwork>, max_items = 100)]
    allowed_ips: Vec<String>,
    /// Requests a minute; null means unlimited.
    #[schema(required)]
    rate_per_minute: Option<u32>,
    /// Requests at once, refilled within a second; null means unlimited.
    #[schema(required)]
    burst_per_second: Option<u32>,
    /// When it stops being accepted.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When its newest secret was created.
    rotated_at: Timestamp,
    /// Whether its newest secret is old enough to be replaced.
    rotation_due: bool,
    /// When it was last accepted, to within a second or so.
    #[schema(required)]
    last_used_at: Option<Timestamp>,
}

/// A customer that a credential is tied to.
#[derive(Serialize, ToSchema)]
struct TiedCustomer {
    id: CustomerId,
    /// What tokens, verification and gateways call it.
    external_id: ExternalId,
    name: Name,
}

impl From<&Customer> for TiedCustomer {
    fn from(customer: &Customer) -> Self {
        Self { id: customer.id.clone(), external_id: customer.external_id.clone(), name: customer.name.clone() }
    }
}

impl CredentialFields {
    fn new(credential: &Credential, customers: &[Customer], at: Moment) -> Self {
        Self {
            environment: credential.environment,
            name: credential.name.clone(),
            description: credential.description.clone(),
            status: credential.status(at.now),
            scopes: scopes(&credential.scopes),
            owner: credential.owner.clone(),
            customers: customers.iter().map(TiedCustomer::from).collect(),
            metadata: credential.metadata.clone(),
            allowed_ips: credential.allowed_ips.to_strings(),
            rate_per_minute: credential.limits.rate_per_minute,
            burst_per_second: credential.limits.burst_per_second,
            expires_at: credential.expires_at,
            created_at: credential.created_at,
            updated_at: credential.updated_at,
            rotated_at: credential.rotated_at,
            rotation_due: credential.is_rotation_due(at.rotation_age, at.now),
            last_used_at: credential.last_use().map(|used| used.at),
        }
    }
}

/// When a credential is shown, and how old a secret becomes before it is due to be replaced.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When.
    pub now: Timestamp,
    /// How old.
    pub rotation_age: Duration,
}

/// An OAuth client: a backend that gets tokens with its id and a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientView {
    #[schema(value_type = ClientId)]
    id: CredentialId,
    /// The same, under the name that the protocol has for it.
    #[schema(value_type = ClientId)]
    client_id: CredentialId,
    #[serde(flatten)]
    shared: CredentialFields,
    /// What it gets when it asks for no scope; null means all of its scopes.
    #[schema(required)]
    default_scopes: Option<Vec<Scope>>,
    /// The audiences of its tokens; the first is for requests that name none.
    audiences: Vec<Audience>,
    /// Audiences whose tokens it may introspect as their resource server.
    resource_for: Vec<Audience>,
    /// Seconds that its tokens live.
    #[schema(minimum = 1, maximum = 3600)]
    token_lifetime: i32,
    /// What its tokens are signed with; null means its environment's algorithm.
    #[schema(required)]
    signing_algorithm: Option<Algorithm>,
    /// The `typ` of its tokens; null means its environment's.
    #[schema(required)]
    token_typ: Option<TokenTyp>,
    /// Tokens that were issued before this time are not active any more.
    #[schema(required)]
    tokens_revoked_before: Option<Timestamp>,
    /// Its secrets that have not ended, newest first. At most two of them are live.
    secrets: Vec<SecretView>,
}

/// A secret of a client, by its last characters.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientSecret)]
struct SecretView {
    id: SecretId,
    #[schema(min_length = 4, max_length = 4)]
    last_four: String,
    created_at: Timestamp,
    #[schema(required)]
    last_used_at: Option<Timestamp>,
    #[schema(required)]
    ends_at: Option<Timestamp>,
    live: bool,
}

/// A client, with the secret that was just created.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientWithSecret)]
pub struct ClientWithSecretView {
    #[serde(flatten)]
    client: ClientView,
    /// Shown this once. Absent where an `Idempotency-Key` is used again more than an hour later.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// An API key: a value that its holder sends with each request.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Its id, which stays the same when its value is rotated.
    #[schema(value_type = ApiKeyId)]
    id: CredentialId,
    r#type: KeyType,
    #[serde(flatten)]
    shared: CredentialFields,
    /// The address that it was last accepted from, if that is known.
    #[schema(required)]
    last_used_address: Option<String>,
    /// How its newest value begins. Empty if no value is left.
    #[schema(examples("sw_live_Ab3d"), pattern = "^([a-z][a-z0-9]{0,15}_(live|stg|dev)_[0-9A-Za-z]{4})?$")]
    prefix: String,
    /// The last four characters of its newest value. Empty if no value is left.
    #[schema(pattern = "^([0-9A-Za-z]{4})?$")]
    last_four: String,
    /// Its values that have not been removed, newest first. At most two of them are live.
    values: Vec<ValueView>,
}

/// A value of an API key, by its first and last characters.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyValue)]
struct ValueView {
    #[schema(pattern = "^[a-z][a-z0-9]{0,15}_(live|stg|dev)_[0-9A-Za-z]{4}$")]
    prefix: String,
    #[schema(pattern = "^[0-9A-Za-z]{4}$")]
    last_four: String,
    created_at: Timestamp,
    #[schema(required)]
    ends_at: Option<Timestamp>,
    live: bool,
}

/// An API key, with the value that was just created.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyWithValue)]
pub struct ApiKeyWithValueView {
    #[serde(flatten)]
    key: ApiKeyView,
    /// The value. Shown this once. Absent where an `Idempotency-Key` is used again more than an hour later.
    #[serde(rename = "key", skip_serializing_if = "Option::is_none")]
    #[schema(examples("sw_live_…"))]
    value: Option<String>,
}

fn scopes(scopes: &Scopes) -> Vec<Scope> {
    scopes.iter().cloned().collect()
}

impl ClientView {
    /// The client, which is tied to `customers`. `audiences` are its environment's.
    pub fn new(client: Client<'_>, customers: &[Customer], audiences: &EnvironmentAudiences, at: Moment) -> Self {
        let Client { credential, details } = client;
        Self {
            id: credential.id.clone(),
            client_id: credential.id.clone(),
            shared: CredentialFields::new(credential, customers, at),
            default_scopes: details.default_scopes.as_ref().map(scopes),
            audiences: client.effective_audiences(audiences),
            resource_for: details.resource_for.clone(),
            token_lifetime: i32::try_from(details.token_lifetime.as_seconds()).unwrap_or(i32::MAX),
            signing_algorithm: details.signing_algorithm,
            token_typ: details.token_typ,
            tokens_revoked_before: details.tokens_revoked_before,
            secrets: credential.secrets.iter().map(|secret| SecretView::new(secret, credential, at.now)).collect(),
        }
    }

    /// The same with the secret that was just created, if it may be shown.
    pub fn with_secret(self, client_secret: Option<&str>) -> ClientWithSecretView {
        ClientWithSecretView { client: self, client_secret: client_secret.map(str::to_owned) }
    }
}

impl SecretView {
    fn new(secret: &StoredSecret, client: &Credential, now: Timestamp) -> Self {
        Self {
            id: secret.id.clone(),
            last_four: secret.last_four.clone(),
            created_at: secret.created_at,
            last_used_at: secret.last_use.map(|used| used.at),
            ends_at: secret.ends_at,
            live: client.is_secret_live(secret, now),
        }
    }
}

impl ApiKeyView {
    /// The key, which is of this type and tied to `customers`.
    pub fn new(key: &Credential, key_type: KeyType, customers: &[Customer], at: Moment) -> Self {
        let newest = key.secrets.first();
        Self {
            id: key.id.clone(),
            r#type: key_type,
            shared: CredentialFields::new(key, customers, at),
            last_used_address: key.last_use().and_then(|used| used.address).map(|address| address.to_string()),
            prefix: newest.map(|value| value.prefix.clone()).unwrap_or_default(),
            last_four: newest.map(|value| value.last_four.clone()).unwrap_or_default(),
            values: key.secrets.iter().map(|value| ValueView::new(value, key, at.now)).collect(),
        }
    }

    /// The same with the value that was just created, if it may be shown.
    pub fn with_value(self, value: Option<&str>) -> ApiKeyWithValueView {
        ApiKeyWithValueView { key: self, value: value.map(str::to_owned) }
    }
}

impl ValueView {
    fn new(value: &StoredSecret, key: &Credential, now: Timestamp) -> Self {
        Self {
            prefix: value.prefix.clone(),
            last_four: value.last_four.clone(),
            created_at: value.created_at,
            ends_at: value.ends_at,
            live: key.is_secret_live(value, now),
        }
    }
}
