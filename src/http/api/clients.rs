//! `/api/v1/clients`.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde_json::{Value, json};

use super::fields::Fields;
use super::page::{Query, page};
use super::permitted::{ClientsRead, ClientsWrite, Permitted};
use super::repeated::{Repeated, repeated};
use super::{Answer, fields, private_json};
use crate::clock;
use crate::config::Issuers;
use crate::crypto::client_secret::ClientSecretText;
use crate::domain::client::Client;
use crate::domain::environment::Environment;
use crate::domain::ids::ClientId;
use crate::domain::scope::Scopes;
use crate::domain::time::{Duration, Timestamp};
use crate::http::SharedState;
use crate::http::error::ApiError;
use crate::service::clients::{ClientInput, Render, StateChange};
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::service::trail::Trail;
use crate::store::clients::ClientFilter;

/// A client as it is shown.
pub fn view(client: &Client, issuers: &Issuers, now: Timestamp) -> Value {
    let texts = |scopes: &Scopes| scopes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let audiences = client.effective_audiences(&issuers.of(client.environment).audiences);
    let secrets: Vec<Value> = client
        .secrets
        .iter()
        .map(|secret| {
            json!({
                "id": secret.id.as_str(),
                "last_four": secret.last_four,
                "created_at": secret.created_at.to_string(),
                "last_used_at": secret.last_used_at.map(|at| at.to_string()),
                "ends_at": secret.ends_at.map(|at| at.to_string()),
                "live": secret.is_live(now),
            })
        })
        .collect();
    json!({
        "id": client.id.as_str(),
        "client_id": client.id.as_str(),
        "environment": client.environment.as_str(),
        "name": client.name,
        "description": client.description,
        "status": client.status(now).as_str(),
        "scopes": texts(&client.scopes),
        "default_scopes": client.default_scopes.as_ref().map(texts),
        "audiences": audiences.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "resource_for": client.resource_for.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allowed_ips": client.allowed_ips.to_strings(),
        "token_lifetime": client.token_lifetime.as_seconds(),
        "signing_algorithm": client.signing_algorithm.map(crate::domain::signing_key::Algorithm::as_str),
        "rate_per_minute": client.limits.rate_per_minute,
        "burst_per_second": client.limits.burst_per_second,
        "expires_at": client.expires_at.map(|at| at.to_string()),
        "tokens_revoked_before": client.tokens_revoked_before.map(|at| at.to_string()),
        "created_at": client.created_at.to_string(),
        "updated_at": client.updated_at.to_string(),
        "last_used_at": client.secrets.iter().filter_map(|secret| secret.last_used_at).max().map(|at| at.to_string()),
        "secrets": secrets,
    })
}

/// A client with the secret that was just made, this once.
pub fn view_with_secret(client: &Client, secret: &ClientSecretText, issuers: &Issuers, now: Timestamp) -> Value {
    let mut view = view(client, issuers, now);
    view["client_secret"] = secret.expose().into();
    view
}

fn rendered(status: u16, issuers: &Issuers, client: &Client, secret: &ClientSecretText, now: Timestamp) -> Rendered {
    Rendered {
        status,
        whole: view_with_secret(client, secret, issuers, now).to_string(),
        bare: view(client, issuers, now).to_string(),
    }
}

fn input(fields: &mut Fields) -> ClientInput {
    ClientInput {
        name: fields.string("name"),
        description: fields.string("description"),
        scopes: fields.strings("scopes"),
        default_scopes: fields.strings("default_scopes"),
        audiences: fields.strings("audiences"),
        resource_for: fields.strings("resource_for"),
        allowed_ips: fields.strings("allowed_ips"),
        token_lifetime: fields.integer("token_lifetime"),
        signing_algorithm: fields.string("signing_algorithm"),
        rate_per_minute: fields.integer("rate_per_minute"),
        burst_per_second: fields.integer("burst_per_second"),
        expires_at: fields.string("expires_at"),
    }
}

/// `GET /api/v1/clients`: filters `environment`, `name`.
pub(in crate::http) async fn list(
    request: HttpRequest,
    permitted: Permitted<ClientsRead>,
    state: SharedState,
) -> Answer {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let filter = ClientFilter {
        environment: query.get::<Environment>("environment"),
        name: query.get::<String>("name"),
        before: query.get::<ClientId>("cursor"),
    };
    query.finish()?;
    let rows = state.services.list_clients(&permitted.caller, filter, limit + 1, permitted.origin).await?;
    let now = clock::now();
    Ok(page(rows, limit, |client| client.id.to_string(), |client| view(client, &state.services.issuers, now)))
}

/// `POST /api/v1/clients`: 201 with the client and, this once, `client_secret`.
pub(in crate::http) async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |issuers, client, secret, now| rendered(201, issuers, client, secret, now);
    let Permitted { caller, origin, .. } = permitted;
    let (mut fields, body) = fields::read(&request, payload, &state).await?;
    let trail = Trail::of(&caller, "client.create", Arc::clone(&origin));
    let repeat = match repeated(&request, &body, &state, &caller, trail, render).await? {
        Repeated::Before(replay) => return Ok(private_json(replay.status, &replay.body)),
        Repeated::New(repeat) => repeat,
    };
    let environment = fields.string("environment").apply(None);
    let input = input(&mut fields);
    fields.finish()?;
    let services = &state.services;
    let (client, secret) = services.create_client(&caller, environment.as_deref(), input, repeat, origin).await?;
    let answer = render(&services.issuers, &client, &secret, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// `GET /api/v1/clients/{id}`.
pub(in crate::http) async fn show(id: Path<String>, permitted: Permitted<ClientsRead>, state: SharedState) -> Answer {
    Ok(shown(&state, &state.services.client(&permitted.caller, &id, permitted.origin).await?))
}

/// `PATCH /api/v1/clients/{id}`: `null` sets a field back, or to unlimited.
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

/// `POST /api/v1/clients/{id}/rotate-secret`: `{"grace": "24h"}`; 200 with the client and, this once, `client_secret`.
pub(in crate::http) async fn rotate_secret(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    let render: Render = |issuers, client, secret, now| rendered(200, issuers, client, secret, now);
    let Permitted { caller, origin, .. } = permitted;
    let (mut fields, body) = fields::read(&request, payload, &state).await?;
    let trail = Trail::of(&caller, "client.rotate_secret", Arc::clone(&origin));
    let repeat = match repeated(&request, &body, &state, &caller, trail, render).await? {
        Repeated::Before(replay) => return Ok(private_json(replay.status, &replay.body)),
        Repeated::New(repeat) => repeat,
    };
    let grace = fields.string("grace").apply(None);
    fields.finish()?;
    let grace: Duration = grace
        .map_or(Ok(Duration::ZERO), |text| text.parse())
        .map_err(|wrong| ApiError::Input(ServiceError::invalid("grace", wrong)))?;
    let services = &state.services;
    let (client, secret) = services.rotate_client_secret(&caller, &id, grace, repeat, origin).await?;
    let answer = render(&services.issuers, &client, &secret, clock::now());
    Ok(private_json(answer.status, &answer.whole))
}

/// `POST /api/v1/clients/{id}/disable`.
pub(in crate::http) async fn disable(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::Disable).await
}

/// `POST /api/v1/clients/{id}/enable`.
pub(in crate::http) async fn enable(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::Enable).await
}

/// `POST /api/v1/clients/{id}/revoke`.
pub(in crate::http) async fn revoke(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::Revoke).await
}

/// `POST /api/v1/clients/{id}/revoke-tokens`: ends all tokens that were issued before this moment.
pub(in crate::http) async fn revoke_tokens(
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> Answer {
    change_state(&id, permitted, &state, StateChange::RevokeTokens).await
}

async fn change_state(
    id: &str,
    permitted: Permitted<ClientsWrite>,
    state: &SharedState,
    change: StateChange,
) -> Answer {
    let changed = state.services.change_client_state(&permitted.caller, id, change, permitted.origin).await?;
    Ok(shown(state, &changed))
}

fn shown(state: &SharedState, client: &Client) -> actix_web::HttpResponse {
    private_json(200, &view(client, &state.services.issuers, clock::now()))
}
