//! Clients and API keys as they are shown. They share most of their fields, which are declared once.

use serde::Serialize;
use utoipa::ToSchema;

use super::credential_fields::{CredentialFields, Moment, list};
use crate::domain::audience::{Audience, EnvironmentAudiences};
use crate::domain::credential::{Credential, CredentialId, KeyType, StoredSecret, TiedCredential};
use crate::domain::ids::{ApiKeyId, ClientId, SecretId};
use crate::domain::scope::Scope;
use crate::domain::signing_key::Algorithm;
use crate::domain::time::Timestamp;
use crate::domain::token::TokenTyp;

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

impl ClientView {
    /// The client; `None` if it is an API key. `audiences` are its environment's.
    pub fn of(tied: &TiedCredential, audiences: &EnvironmentAudiences, at: Moment) -> Option<Self> {
        let client = tied.credential.as_client()?;
        let (credential, details) = (client.credential, client.details);
        Some(Self {
            id: credential.id.clone(),
            client_id: credential.id.clone(),
            shared: CredentialFields::new(tied, at),
            default_scopes: details.default_scopes.as_ref().map(list),
            audiences: client.effective_audiences(audiences),
            resource_for: details.resource_for.clone(),
            token_lifetime: i32::try_from(details.token_lifetime.as_seconds()).unwrap_or(i32::MAX),
            signing_algorithm: details.signing_algorithm,
            token_typ: details.token_typ,
            tokens_revoked_before: details.tokens_revoked_before,
            secrets: credential.secrets.iter().map(|secret| SecretView::new(secret, credential, at.now)).collect(),
        })
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
    /// The key; `None` if it is a client.
    pub fn of(tied: &TiedCredential, at: Moment) -> Option<Self> {
        let key = &tied.credential;
        let newest = key.secrets.first();
        Some(Self {
            id: key.id.clone(),
            r#type: key.key_type()?,
            shared: CredentialFields::new(tied, at),
            last_used_address: key.last_use().and_then(|used| used.address).map(|address| address.to_string()),
            prefix: newest.map(|value| value.prefix.clone()).unwrap_or_default(),
            last_four: newest.map(|value| value.last_four.clone()).unwrap_or_default(),
            values: key.secrets.iter().map(|value| ValueView::new(value, key, at.now)).collect(),
        })
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
