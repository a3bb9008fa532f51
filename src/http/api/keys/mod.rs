//! `/api/v1/keys`.

mod input;
mod verify;
mod view;

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde_json::Value;

use super::credentials::{CredentialParameters, Transfer, credential_filter, new_owner};
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{KeysRead, KeysWrite, Permitted};
use super::repeated::{Begun, begin};
use super::{Answer, fields, private_json, schema};
use crate::clock;
use crate::domain::api_key::{ApiKey, KeyType};
use crate::domain::credential::StateChange;
use crate::domain::ids::ApiKeyId;
use crate::domain::time::{Duration, Timestamp};
use crate::http::SharedState;
use crate::http::error::{ApiError, Conflict};
use crate::service::belonging::NewPlace;
use crate::service::error::ServiceError;
use crate::service::keys::Render;
use crate::store::credentials::CredentialFilter;
use input::{ApiKeySettings, Fixed, KeyStringRotation, NewApiKey, input, new_key, rotation};
pub use verify::verdict;
pub(in crate::http) use verify::{__path_verify, verify};
use view::{KeyView, KeyWithStringView, rendered};
pub use view::{view, view_with_string};

/// List API keys
///
/// Those of the caller's environment, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/keys",
    operation_id = "list_keys",
    tag = "API keys",
    params(
        CredentialParameters,
        ("type" = Option<schema::KeyType>, Query, description = "Only those of this type."),
        PageParameters,
    ),
    responses((status = 200, description = "A page of keys.", body = Page<KeyView>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<KeysRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let now = clock::now();
    let filter = credential_filter(&mut query, state.services.rotation_age, now);
    let kind = query.get::<KeyType>("type").map(KeyType::as_str);
    let before = query.get::<ApiKeyId>("cursor").map(|id| id.to_string());
    query.finish()?;
    let filter = CredentialFilter { kind, before, ..filter };
    let rows = state.services.list_keys(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |key| key.id.to_string(), |key| viewed(&state, key, now)))
}

/// Create an API key
///
/// The answer has the `key` itself, this once. The caller's own scopes must cover those of the key.
#[utoipa::path(
    post,
    path = "/api/v1/keys",
    operation_id = "create_key",
    tag = "API keys",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within one hour the first answer comes again, with its key; after that without it.")),
    request_body = NewApiKey,
    responses((status = 201, description = "The key, with its string.", body = KeyWithStringView), Conflict),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |key, text, now| rendered(201, key, text, now);
    let (mut fields, repeat) = match begin(&request, payload, &state, &permitted, "key.create", render).await? {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let Permitted { caller, origin, .. } = permitted;
    let (Fixed { environment, kind, owner }, input) = new_key(&mut fields);
    fields.finish()?;
    let place = NewPlace { environment: environment.as_deref(), owner: owner.as_deref() };
    let created = state.services.create_key(&caller, place, kind.as_deref(), input, repeat, origin).await?;
    let answer = render(&created.0, &created.1, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// Show an API key
#[utoipa::path(
    get,
    path = "/api/v1/keys/{id}",
    operation_id = "show_key",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The key.", body = KeyView)),
)]
pub(in crate::http) async fn show(id: Path<String>, permitted: Permitted<KeysRead>, state: SharedState) -> Answer {
    Ok(shown(&state, &state.services.key(&permitted.caller, &id, permitted.origin).await?))
}

/// Change an API key's settings
///
/// What is not named stays.
#[utoipa::path(
    patch,
    path = "/api/v1/keys/{id}",
    operation_id = "update_key",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    request_body = ApiKeySettings,
    responses((status = 200, description = "The key.", body = KeyView), Conflict),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let input = input(&mut fields);
    fields.finish()?;
    Ok(shown(&state, &state.services.update_key(&permitted.caller, &id, input, permitted.origin).await?))
}

/// Rotate an API key
///
/// The answer has the new string as `key`, this once. The old one ends at once, or after `grace`.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{id}/rotate",
    operation_id = "rotate_key",
    tag = "API keys",
    params(
        ("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within one hour the first answer comes again, with its key; after that without it."),
    ),
    request_body = Option<KeyStringRotation>,
    responses((status = 200, description = "The key, with its new string.", body = KeyWithStringView), Conflict),
)]
pub(in crate::http) async fn rotate(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |key, text, now| rendered(200, key, text, now);
    let (mut fields, repeat) = match begin(&request, payload, &state, &permitted, "key.rotate", render).await? {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let Permitted { caller, origin, .. } = permitted;
    let grace = rotation(&mut fields);
    fields.finish()?;
    let grace: Duration = grace
        .map_or(Ok(Duration::ZERO), |text| text.parse())
        .map_err(|wrong| ApiError::Input(ServiceError::invalid("grace", wrong)))?;
    let (key, text) = state.services.rotate_key(&caller, &id, grace, repeat, origin).await?;
    let answer = render(&key, &text, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// Stop an API key for now
///
/// It can be enabled again.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{id}/disable",
    operation_id = "disable_key",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The key.", body = KeyView), Conflict),
)]
pub(in crate::http) async fn disable(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, StateChange::Disable).await
}

/// Let a disabled API key go on
#[utoipa::path(
    post,
    path = "/api/v1/keys/{id}/enable",
    operation_id = "enable_key",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The key.", body = KeyView), Conflict),
)]
pub(in crate::http) async fn enable(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, StateChange::Enable).await
}

/// End an API key for good
///
/// Its record and its audit events stay.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{id}/revoke",
    operation_id = "revoke_key",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The key.", body = KeyView), Conflict),
)]
pub(in crate::http) async fn revoke(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, StateChange::Revoke).await
}

/// Give an API key to another owner
///
/// From then on that user's role cuts what it may do. Without an owner it belongs to the organisation.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{id}/transfer",
    operation_id = "transfer_key",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.", example = "key_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    request_body = Transfer,
    responses((status = 200, description = "The key.", body = KeyView), Conflict),
)]
pub(in crate::http) async fn transfer(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<KeysWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let owner = new_owner(&mut fields);
    fields.finish()?;
    let (caller, services) = (&permitted.caller, &state.services);
    Ok(shown(&state, &services.transfer_key(caller, &id, owner?.as_deref(), permitted.origin).await?))
}

async fn change_state(id: &str, permitted: Permitted<KeysWrite>, state: &SharedState, change: StateChange) -> Answer {
    Ok(shown(state, &state.services.change_key_state(&permitted.caller, id, change, permitted.origin).await?))
}

fn shown(state: &SharedState, key: &ApiKey) -> actix_web::HttpResponse {
    private_json(200, &viewed(state, key, clock::now()))
}

fn viewed(state: &SharedState, key: &ApiKey, now: Timestamp) -> Value {
    view(key, key.is_rotation_due(state.services.rotation_age, now), now)
}
