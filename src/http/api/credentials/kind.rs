//! What distinguishes clients from API keys for callers: names of permissions, inputs and views.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::credential::{
    CredentialFilter, CredentialId, CredentialInput, CredentialKind, NewCredential, TiedCredential,
};
use crate::domain::ids::{ApiKeyId, ClientId};
use crate::http::permission::{ClientsRead, ClientsWrite, KeysRead, KeysWrite, Permission};
use crate::service::Services;
use crate::view::credential::{ApiKeyView, ApiKeyWithValueView, ClientView, ClientWithSecretView};
use crate::view::credential_fields::Moment;
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
    type Create: Input + Into<NewCredential> + 'static;
    /// Settings to change.
    type Update: Input + Into<CredentialInput> + 'static;
    /// One as it is shown.
    type View: Serialize + ToSchema + 'static;
    /// The same with a secret that was just created.
    type WithSecret: Serialize + ToSchema + 'static;

    /// The id as that of a credential.
    fn id(id: Self::Id) -> CredentialId;

    /// The filters that both kinds have, and a filter by those that only this one has.
    fn filters(filters: Self::Filters) -> (CredentialFilters, CredentialFilter);

    /// A credential of this kind as it is shown.
    fn view(tied: &TiedCredential, services: &Services) -> Option<Self::View>;

    /// The same with its new secret.
    fn with_secret(view: Self::View, secret: Option<&str>) -> Self::WithSecret;
}

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

    fn filters(filters: CredentialFilters) -> (CredentialFilters, CredentialFilter) {
        (filters, CredentialFilter::all(Self::KIND))
    }

    fn view(tied: &TiedCredential, services: &Services) -> Option<ClientView> {
        ClientView::of(tied, &services.issuers.of(tied.credential.environment).audiences, moment(services))
    }

    fn with_secret(view: ClientView, secret: Option<&str>) -> ClientWithSecretView {
        view.with_secret(secret)
    }
}

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

    fn filters(filters: ApiKeyFilters) -> (CredentialFilters, CredentialFilter) {
        let ApiKeyFilters { r#type: key_type, prefix, last_four, credentials } = filters;
        (credentials, CredentialFilter { key_type, prefix, last_four, ..CredentialFilter::all(Self::KIND) })
    }

    fn view(tied: &TiedCredential, services: &Services) -> Option<ApiKeyView> {
        ApiKeyView::of(tied, moment(services))
    }

    fn with_secret(view: ApiKeyView, secret: Option<&str>) -> ApiKeyWithValueView {
        view.with_value(secret)
    }
}

fn moment(services: &Services) -> Moment {
    Moment { now: services.recorder.now(), rotation_age: services.credentials.rotation_age }
}
