//! `/api/v1/clients`.

mod input;
mod view;

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde_json::Value;

use super::credentials::{CredentialParameters, Transfer, credential_filter, new_owner};
use super::page::{Page, PageParameters, Query, page};
use super::permitted::{ClientsRead, ClientsWrite, Permitted};
use super::repeated::{Begun, begin};
use super::{Answer, fields, private_json};
use crate::clock;
use crate::domain::client::Client;
use crate::domain::credential::StateChange;
use crate::domain::ids::ClientId;
use crate::domain::time::{Duration, Timestamp};
use crate::http::SharedState;
use crate::http::error::{ApiError, Conflict};
use crate::http::reference::samples;
use crate::service::belonging::NewPlace;
use crate::service::clients::{ClientChange, Render};
use crate::service::error::ServiceError;
use crate::store::credentials::CredentialFilter;
use input::{ClientSettings, NewClient, SecretRotation, input, new_client, rotation};
use view::{ClientView, ClientWithSecretView, rendered};
pub use view::{view, view_with_secret};

/// List clients
///
/// Those of the caller's environment, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/clients",
    operation_id = "list_clients",
    tag = "Clients",
    params(
        CredentialParameters,
        PageParameters,
    ),
    responses((status = 200, description = "A page of clients.", body = Page<ClientView>)),
)]
pub(in crate::http) async fn list(mut query: Query, permitted: Permitted<ClientsRead>, state: SharedState) -> Answer {
    let limit = query.limit();
    let now = clock::now();
    let filter = credential_filter(&mut query, state.services.rotation_age, now);
    let before = query.get::<ClientId>("cursor").map(|id| id.to_string());
    query.finish()?;
    let filter = CredentialFilter { before, ..filter };
    let rows = state.services.list_clients(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    Ok(page(rows, limit, |client| client.id.to_string(), |client| viewed(&state, client, now)))
}

/// Create a client
///
/// The answer has its `client_secret`, this once. The caller's own scopes must cover those of the client.
#[utoipa::path(
    post,
    path = "/api/v1/clients",
    operation_id = "create_client",
    tag = "Clients",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within one hour the first answer comes again, with its secret; after that without it.")),
    request_body = NewClient,
    responses(
        (status = 201, description = "The client, with its secret.", body = ClientWithSecretView),
        Conflict,
    ),
    extensions(("x-codeSamples" = json!(samples::CREATE_CLIENT))),
)]
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |issuers, client, secret, now| rendered(201, issuers, client, secret, now);
    let begun = begin(&request, payload, &state, &permitted, "client.create", render).await?;
    let (mut fields, repeat) = match begun {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let Permitted { caller, origin, .. } = permitted;
    let (environment, owner, input) = new_client(&mut fields);
    fields.finish()?;
    let services = &state.services;
    let place = NewPlace { environment: environment.as_deref(), owner: owner.as_deref() };
    let (client, secret) = services.create_client(&caller, place, input, repeat, origin).await?;
    let answer = render(&services.issuers, &client, &secret, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// Show a client
#[utoipa::path(
    get,
    path = "/api/v1/clients/{id}",
    operation_id = "show_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView)),
)]
pub(in crate::http) async fn show(id: Path<String>, permitted: Permitted<ClientsRead>, state: SharedState) -> Answer {
    Ok(shown(&state, &state.services.client(&permitted.caller, &id, permitted.origin).await?))
}

/// Change a client's settings
///
/// What is not named stays.
#[utoipa::path(
    patch,
    path = "/api/v1/clients/{id}",
    operation_id = "update_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    request_body = ClientSettings,
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn update(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let input = input(&mut fields);
    fields.finish()?;
    let client = state.services.update_client(&permitted.caller, &id, input, permitted.origin).await?;
    Ok(shown(&state, &client))
}

/// Replace a client's secret
///
/// The answer has the new `client_secret`, this once. The old one ends at once, or after `grace`.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/rotate-secret",
    operation_id = "rotate_client_secret",
    tag = "Clients",
    params(
        ("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: within one hour the first answer comes again, with its secret; after that without it."),
    ),
    request_body = Option<SecretRotation>,
    responses((status = 200, description = "The client, with its new secret.", body = ClientWithSecretView), Conflict),
)]
pub(in crate::http) async fn rotate_secret(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |issuers, client, secret, now| rendered(200, issuers, client, secret, now);
    let begun = begin(&request, payload, &state, &permitted, "client.rotate_secret", render).await?;
    let (mut fields, repeat) = match begun {
        Begun::Before(answer) => return Ok(answer),
        Begun::New(fields, repeat) => (fields, repeat),
    };
    let Permitted { caller, origin, .. } = permitted;
    let grace = rotation(&mut fields);
    fields.finish()?;
    let grace: Duration = grace
        .map_or(Ok(Duration::ZERO), |text| text.parse())
        .map_err(|wrong| ApiError::Input(ServiceError::invalid("grace", wrong)))?;
    let services = &state.services;
    let (client, secret) = services.rotate_client_secret(&caller, &id, grace, repeat, origin).await?;
    let answer = render(&services.issuers, &client, &secret, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// Stop a client for now
///
/// It can be enabled again.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/disable",
    operation_id = "disable_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn disable(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, ClientChange::State(StateChange::Disable)).await
}

/// Let a disabled client go on
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/enable",
    operation_id = "enable_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn enable(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, ClientChange::State(StateChange::Enable)).await
}

/// End a client for good
///
/// Its record and its audit events stay.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/revoke",
    operation_id = "revoke_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn revoke(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, ClientChange::State(StateChange::Revoke)).await
}

/// End the tokens of a client
///
/// All that were issued before this moment, to the millisecond.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/revoke-tokens",
    operation_id = "revoke_client_tokens",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn revoke_tokens(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    fields::read_nothing(&request, payload, &state).await?;
    change_state(&id, permitted, &state, ClientChange::RevokeTokens).await
}

async fn change_state(
    id: &str,
    permitted: Permitted<ClientsWrite>,
    state: &SharedState,
    change: ClientChange,
) -> Answer {
    let changed = state.services.change_client_state(&permitted.caller, id, change, permitted.origin).await?;
    Ok(shown(state, &changed))
}

/// Give a client to another owner
///
/// From then on that user's role cuts what it may do. Without an owner it belongs to the organisation.
#[utoipa::path(
    post,
    path = "/api/v1/clients/{id}/transfer",
    operation_id = "transfer_client",
    tag = "Clients",
    params(("id" = String, Path, description = "The client's id.", example = "cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")),
    request_body = Transfer,
    responses((status = 200, description = "The client.", body = ClientView), Conflict),
)]
pub(in crate::http) async fn transfer(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let (mut fields, _) = fields::read(&request, payload, &state).await?;
    let owner = new_owner(&mut fields);
    fields.finish()?;
    let (caller, services) = (&permitted.caller, &state.services);
    let client = services.transfer_client(caller, &id, owner?.as_deref(), permitted.origin).await?;
    Ok(shown(&state, &client))
}

fn shown(state: &SharedState, client: &Client) -> actix_web::HttpResponse {
    private_json(200, &viewed(state, client, clock::now()))
}

fn viewed(state: &SharedState, client: &Client, now: Timestamp) -> Value {
    let services = &state.services;
    view(client, client.is_rotation_due(services.rotation_age, now), &services.issuers, now)
}
