//! `/api/v1/clients` and `/api/v1/keys`: the same operations on both kinds of credentials.

mod kind;

use crate::domain::credential::{CredentialFilter, Due, RawSecret, StateChange, TiedCredential};
use crate::domain::ids::ClientId;
use crate::domain::reference::UserReference;
use crate::domain::time::Duration;
use crate::http::SharedState;
use crate::http::call::{Call, Repeatable};
use crate::http::named::Named;
use crate::http::permission::{ClientsWrite, KeysRead};
use crate::http::response::{ApiResult, Created, Paged, Shown, Updated};
use crate::http::said::Query;
use crate::service::Services;
use crate::service::credentials::Issued;
use crate::service::error::ServiceError;
use crate::view::credential::{ApiKeyView, ClientView};
use crate::view::credential_input::{KeySearch, SecretRotation, Transfer};
use crate::view::page::{List, Page};
pub use kind::{ApiKeys, Clients, Kind};

/// The credential as its kind is shown.
fn view<K: Kind>(tied: &TiedCredential, services: &Services) -> ApiResult<K::View> {
    Ok(K::view(tied, services).ok_or(ServiceError::NotFound(K::KIND.noun()))?)
}

/// The same with its new secret.
fn issued_view<K: Kind>(issued: &Issued, services: &Services) -> ApiResult<K::WithSecret> {
    let secret = issued.secret.as_ref().map(RawSecret::expose);
    Ok(K::with_secret(view::<K>(&issued.tied, services)?, secret))
}

/// The filters of a list, and where it continues.
type Listing<K> = Query<List<<K as Kind>::Filters, <K as Kind>::Id>>;

pub async fn list<K: Kind>(call: Call<K::Read, Listing<K>>, state: SharedState) -> ApiResult<Paged<K::View>> {
    let Query(List { filters, limit, cursor, .. }) = call.input;
    let (credentials, now) = (&state.services.credentials, state.services.recorder.now());
    let (filters, of_keys) = K::filters(filters);
    let filter = CredentialFilter {
        environment: filters.environment,
        name: filters.name.map(|name| name.to_string()),
        owner: filters.owner,
        customer: filters.customer.map(|customer| customer.to_string()),
        status: filters.status.map(|status| (status, now)),
        due: filters.rotation_due.map(|is_due| Due::at(now, credentials.rotation_age, is_due)),
        before: cursor.map(K::id),
        ..of_keys
    };
    let limit = usize::try_from(limit).unwrap_or(1);
    let listing = credentials.list(&call.caller, filter, limit, call.origin).await?;
    let views = listing.rows.iter().filter_map(|row| K::view(row, &state.services));
    Shown::of(&Page::of(views.collect(), listing.rest.map(|rest| rest.to_string())))
}

pub async fn create<K: Kind>(
    call: Call<K::Write, K::Create, Repeatable>,
    state: SharedState,
) -> ApiResult<Created<K::WithSecret>> {
    let services = &state.services;
    let issued = services.credentials.create(&call.caller, call.input.into(), call.repeat, call.origin).await?;
    Created::of(&issued_view::<K>(&issued, services)?)
}

pub async fn show<K: Kind>(call: Call<K::Read>, id: Named<K::Id>, state: SharedState) -> ApiResult<Shown<K::View>> {
    let credential = state.services.credentials.get(&call.caller, K::KIND, &id, call.origin).await?;
    Shown::of(&view::<K>(&credential, &state.services)?)
}

pub async fn find(call: Call<KeysRead, KeySearch>, state: SharedState) -> ApiResult<Shown<ApiKeyView>> {
    let key = state.services.credentials.find_key(&call.caller, call.input.key.expose(), call.origin).await?;
    Shown::of(&view::<ApiKeys>(&key, &state.services)?)
}

pub async fn update<K: Kind>(
    call: Call<K::Write, K::Update>,
    id: Named<K::Id>,
    state: SharedState,
) -> ApiResult<Updated<K::View>> {
    let services = &state.services;
    let changes = call.input.into();
    let credential = services.credentials.update(&call.caller, K::KIND, &id, changes, call.origin).await?;
    Updated::of(&view::<K>(&credential, services)?)
}

pub async fn rotate<K: Kind>(
    call: Call<K::Write, SecretRotation, Repeatable>,
    id: Named<K::Id>,
    state: SharedState,
) -> ApiResult<Updated<K::WithSecret>> {
    let (services, grace) = (&state.services, call.input.grace.unwrap_or(Duration::ZERO));
    let issued = services.credentials.rotate(&call.caller, K::KIND, &id, grace, call.repeat, call.origin).await?;
    Updated::of(&issued_view::<K>(&issued, services)?)
}

pub async fn disable<K: Kind>(
    call: Call<K::Write>,
    id: Named<K::Id>,
    state: SharedState,
) -> ApiResult<Updated<K::View>> {
    change_state::<K>(call, &id, &state, StateChange::Disable).await
}

pub async fn enable<K: Kind>(
    call: Call<K::Write>,
    id: Named<K::Id>,
    state: SharedState,
) -> ApiResult<Updated<K::View>> {
    change_state::<K>(call, &id, &state, StateChange::Enable).await
}

pub async fn revoke<K: Kind>(
    call: Call<K::Write>,
    id: Named<K::Id>,
    state: SharedState,
) -> ApiResult<Updated<K::View>> {
    change_state::<K>(call, &id, &state, StateChange::Revoke).await
}

async fn change_state<K: Kind>(
    call: Call<K::Write>,
    id: &str,
    state: &SharedState,
    change: StateChange,
) -> ApiResult<Updated<K::View>> {
    let credential = state.services.credentials.change_state(&call.caller, K::KIND, id, change, call.origin).await?;
    Updated::of(&view::<K>(&credential, &state.services)?)
}

pub async fn transfer<K: Kind>(
    call: Call<K::Write, Transfer>,
    id: Named<K::Id>,
    state: SharedState,
) -> ApiResult<Updated<K::View>> {
    let owner = call.input.owner.as_ref().map(UserReference::to_string);
    let credential = state.services.credentials.transfer(&call.caller, K::KIND, &id, owner, call.origin).await?;
    Updated::of(&view::<K>(&credential, &state.services)?)
}

pub async fn revoke_tokens(
    call: Call<ClientsWrite>,
    id: Named<ClientId>,
    state: SharedState,
) -> ApiResult<Updated<ClientView>> {
    let credential = state.services.credentials.revoke_tokens(&call.caller, &id, call.origin).await?;
    Updated::of(&view::<Clients>(&credential, &state.services)?)
}
