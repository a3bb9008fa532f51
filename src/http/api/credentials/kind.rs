//! What distinguishes clients from API keys for callers: names of permissions, inputs and views.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::credential::{Changes, Credential, CredentialId, CredentialKind, KeyType};
use crate::domain::environment::Environment;
use crate::domain::field_error::FieldError;
use crate::domain::ids::{ApiKeyId, ClientId};
use crate::domain::patch::Patch;
use crate::domain::reference::{CustomerReference, UserReference};
use crate::domain::time::Timestamp;
use crate::http::error::ApiError;
use crate::http::permission::{ClientsRead, ClientsWrite, KeysRead, KeysWrite, Permission};
use crate::service::Services;
use crate::service::credentials::{CredentialInput, NewCredential, NewKind};
use crate::view::credential::{ApiKeyView, ApiKeyWithValueView, ClientView, ClientWithSecretView, Moment};
use crate::view::credential_input::{
    ApiKeyCreate, ApiKeyFilters, ApiKeyUpdate, ClientCreate, ClientUpdate, CredentialFilters,
};
use crate::view::input::{Field, Input};

/// A kind of credentials.
pub trait Kind: 'static {
    /// Which.
    const KIND: CredentialKind;
    /// The permission to read them.
    type Read: Permission;
    /// The permission to create and change them.
    type Write: Permission;
    /// Their ids.
    type Id: Field<Value = Self::Id> + 'static;
    /// What a list can be narrowed to.
    type Filters: Input + 'static;
    /// One to create.
    type Create: Input + 'static;
    /// Settings to change.
    type Update: Input + 'static;
    /// One as it is shown.
    type View: Serialize + ToSchema + 'static;
    /// The same with a secret that was just created.
    type WithSecret: Serialize + ToSchema + 'static;

    /// The id as that of a credential.
    fn id(id: Self::Id) -> CredentialId;

    /// The filters, and the type of the keys to list.
    fn filters(filters: Self::Filters) -> (CredentialFilters, Option<KeyType>);

    /// One to create at `now`.
    ///
    /// # Errors
    /// The fields that are invalid at `now`, or do not go together.
    fn new(input: Self::Create, now: Timestamp) -> Result<NewCredential, ApiError>;

    /// Changes at `now`.
    ///
    /// # Errors
    /// The fields that are invalid at `now`, or do not go together.
    fn changes(input: Self::Update, now: Timestamp) -> Result<CredentialInput, ApiError>;

    /// A credential of this kind as it is shown.
    fn view(credential: &Credential, services: &Services) -> Option<Self::View>;

    /// The same with its new secret.
    fn with_secret(view: Self::View, secret: Option<&str>) -> Self::WithSecret;
}

/// OAuth clients.
pub enum Clients {}

impl Kind for Clients {
    const KIND: CredentialKind = CredentialKind::Client;
    type Read = ClientsRead;
    type Write = ClientsWrite;
    type Id = ClientId;
    type Filters = CredentialFilters;
    type Create = ClientCreate;
    type Update = ClientUpdate;
    type View = ClientView;
    type WithSecret = ClientWithSecretView;

    fn id(id: ClientId) -> CredentialId {
        CredentialId::Client(id)
    }

    fn filters(filters: CredentialFilters) -> (CredentialFilters, Option<KeyType>) {
        (filters, None)
    }

    fn new(input: ClientCreate, now: Timestamp) -> Result<NewCredential, ApiError> {
        new_client(input, now).map_err(ApiError::Fields)
    }

    fn changes(input: ClientUpdate, now: Timestamp) -> Result<CredentialInput, ApiError> {
        client_changes(input, now).map_err(ApiError::Fields)
    }

    fn view(credential: &Credential, services: &Services) -> Option<ClientView> {
        let audiences = &services.issuers.of(credential.environment).audiences;
        Some(ClientView::new(credential.as_client()?, audiences, moment(services)))
    }

    fn with_secret(view: ClientView, secret: Option<&str>) -> ClientWithSecretView {
        view.with_secret(secret)
    }
}

/// API keys.
pub enum ApiKeys {}

impl Kind for ApiKeys {
    const KIND: CredentialKind = CredentialKind::ApiKey;
    type Read = KeysRead;
    type Write = KeysWrite;
    type Id = ApiKeyId;
    type Filters = ApiKeyFilters;
    type Create = ApiKeyCreate;
    type Update = ApiKeyUpdate;
    type View = ApiKeyView;
    type WithSecret = ApiKeyWithValueView;

    fn id(id: ApiKeyId) -> CredentialId {
        CredentialId::ApiKey(id)
    }

    fn filters(filters: ApiKeyFilters) -> (CredentialFilters, Option<KeyType>) {
        (filters.credentials, filters.r#type)
    }

    fn new(input: ApiKeyCreate, now: Timestamp) -> Result<NewCredential, ApiError> {
        new_key(input, now).map_err(ApiError::Fields)
    }

    fn changes(input: ApiKeyUpdate, now: Timestamp) -> Result<CredentialInput, ApiError> {
        key_changes(input, now).map_err(ApiError::Fields)
    }

    fn view(credential: &Credential, services: &Services) -> Option<ApiKeyView> {
        Some(ApiKeyView::new(credential, credential.key_type()?, moment(services)))
    }

    fn with_secret(view: ApiKeyView, secret: Option<&str>) -> ApiKeyWithValueView {
        view.with_value(secret)
    }
}

fn moment(services: &Services) -> Moment {
    Moment { now: services.recorder.now(), rotation_age: services.credentials.rotation_age }
}

/// A client to create at `now`, for the use case.
///
/// # Errors
/// The fields that are invalid at `now`, or do not go together.
pub fn new_client(mut input: ClientCreate, now: Timestamp) -> Result<NewCredential, Vec<FieldError>> {
    let customers = std::mem::take(&mut input.settings.customers);
    let (environment, owner) = (input.environment, input.owner.take());
    Ok(new(NewKind::Client, environment, owner.as_ref(), settings(input.changes(now)?, customers)))
}

/// An API key to create at `now`, for the use case.
///
/// # Errors
/// The fields that are invalid at `now`, or do not go together.
pub fn new_key(mut input: ApiKeyCreate, now: Timestamp) -> Result<NewCredential, Vec<FieldError>> {
    let customers = std::mem::take(&mut input.settings.customers);
    let (environment, owner) = (input.environment, input.owner.take());
    let key_type = input.r#type.unwrap_or(KeyType::Partner);
    Ok(new(NewKind::ApiKey(key_type), environment, owner.as_ref(), settings(input.changes(now)?, customers)))
}

/// Changes to a client at `now`, for the use case.
///
/// # Errors
/// The fields that are invalid at `now`, or do not go together.
pub fn client_changes(mut input: ClientUpdate, now: Timestamp) -> Result<CredentialInput, Vec<FieldError>> {
    let customers = std::mem::take(&mut input.settings.customers);
    Ok(settings(input.changes(now)?, customers))
}

/// Changes to an API key at `now`, for the use case.
///
/// # Errors
/// The fields that are invalid at `now`, or do not go together.
pub fn key_changes(mut input: ApiKeyUpdate, now: Timestamp) -> Result<CredentialInput, Vec<FieldError>> {
    let customers = std::mem::take(&mut input.settings.customers);
    Ok(settings(input.changes(now)?, customers))
}

fn new(
    kind: NewKind,
    environment: Option<Environment>,
    owner: Option<&UserReference>,
    input: CredentialInput,
) -> NewCredential {
    NewCredential { kind, environment, owner: owner.map(UserReference::to_string), input }
}

fn settings(changes: Changes, customers: Patch<Vec<CustomerReference>>) -> CredentialInput {
    let names = |customers: Vec<CustomerReference>| customers.iter().map(CustomerReference::to_string).collect();
    let customers = match customers {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(customers) => Patch::Set(names(customers)),
    };
    CredentialInput { changes, customers }
}
