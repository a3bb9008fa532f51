//! `/api/v1/clients`.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::fields::{Fields, read_body};
use super::page::{Query, page};
use super::permitted::{ClientsRead, ClientsWrite, Permitted};
use super::repeated::{Repeated, repeated, replayed};
use crate::clock;
use crate::config::Issuers;
use crate::crypto::client_secret::ClientSecretText;
use crate::domain::client::Client;
use crate::domain::environment::Environment;
use crate::domain::ids::ClientId;
use crate::domain::time::{Duration, Timestamp};
use crate::http::{SharedState, error};
use crate::service::clients::{ClientInput, Patch, Render, StateChange};
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::store::clients::ClientFilter;

/// A client as it is shown.
pub fn view(client: &Client, issuers: &Issuers, now: Timestamp) -> Value {
    let texts = |items: Vec<String>| items;
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
        "scopes": client.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "default_scopes": client.default_scopes.as_ref().map(|scopes| texts(scopes.iter().map(ToString::to_string).collect())),
        "audiences": audiences.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "resource_for": client.resource_for.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allowed_ips": client.allowed_ips.to_strings(),
        "token_lifetime": client.token_lifetime.as_seconds(),
        "signing_algorithm": client.signing_algorithm.map(|algorithm| algorithm.as_str()),
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

/// JSON that only its receiver may keep.
pub fn private_json(status: u16, body: String) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(body)
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
pub async fn list(request: HttpRequest, permitted: Permitted<ClientsRead>, state: SharedState) -> HttpResponse {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let filter = ClientFilter {
        environment: query.get::<Environment>("environment"),
        name: query.get::<String>("name"),
        before: query.get::<ClientId>("cursor"),
    };
    if let Err(error) = query.finish() {
        return permitted.refuse(&state, "client.list", None, &error).await;
    }
    let found = state.services.list_clients(&permitted.caller, filter, limit + 1, permitted.origin).await;
    let now = clock::now();
    match found {
        Ok(rows) => {
            page(rows, limit, |client| client.id.to_string(), |client| view(client, &state.services.issuers, now))
        }
        Err(error) => error::service(&error),
    }
}

/// `POST /api/v1/clients`: 201 with the client and, this once, `client_secret`.
pub async fn create(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> HttpResponse {
    let render: Render = |issuers, client, secret, now| rendered(201, issuers, client, secret, now);
    let read = async {
        let body = read_body(&request, payload, &state).await?;
        let mut fields = Fields::parse(&body)?;
        let repeat = repeated(&request, &body, &state, &permitted, render).await?;
        let environment = fields.string("environment").apply(None);
        let input = input(&mut fields);
        fields.finish()?;
        Ok((repeat, environment, input))
    };
    let (repeat, environment, input) = match read.await {
        Ok((Repeated::New(repeat), environment, input)) => (repeat, environment, input),
        Ok((Repeated::Before(replay), ..)) => return replayed(&state, &permitted, "client.create", replay).await,
        Err(error) => return permitted.refuse(&state, "client.create", None, &error).await,
    };
    let Permitted { caller, origin, .. } = permitted;
    let services = &state.services;
    let created = services.create_client(&caller, environment.as_deref(), input, repeat, origin).await;
    answer_with_secret(&state, created, render)
}

/// `GET /api/v1/clients/{id}`.
pub async fn show(id: Path<String>, permitted: Permitted<ClientsRead>, state: SharedState) -> HttpResponse {
    answer(&state, state.services.client(&permitted.caller, &id, permitted.origin).await)
}

/// `PATCH /api/v1/clients/{id}`: `null` sets a field back, or to unlimited.
pub async fn update(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> HttpResponse {
    let read = async {
        let mut fields = Fields::parse(&read_body(&request, payload, &state).await?)?;
        let input = input(&mut fields);
        fields.finish().map(|()| input)
    };
    let input = match read.await {
        Ok(input) => input,
        Err(error) => return permitted.refuse(&state, "client.update", Some(&id), &error).await,
    };
    answer(&state, state.services.update_client(&permitted.caller, &id, input, permitted.origin).await)
}

/// `POST /api/v1/clients/{id}/rotate-secret`: `{"grace": "24h"}`; 200 with the client and, this once, `client_secret`.
pub async fn rotate_secret(
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
    permitted: Permitted<ClientsWrite>,
    state: SharedState,
) -> HttpResponse {
    let render: Render = |issuers, client, secret, now| rendered(200, issuers, client, secret, now);
    let read = async {
        let body = read_body(&request, payload, &state).await?;
        let mut fields = Fields::parse(&body)?;
        let repeat = repeated(&request, &body, &state, &permitted, render).await?;
        let grace = match fields.string("grace") {
            Patch::Set(text) => text.parse::<Duration>().map_err(|wrong| ServiceError::invalid("grace", wrong))?,
            Patch::Keep | Patch::Clear => Duration::ZERO,
        };
        fields.finish()?;
        Ok((repeat, grace))
    };
    let (repeat, grace) = match read.await {
        Ok((Repeated::New(repeat), grace)) => (repeat, grace),
        Ok((Repeated::Before(replay), _)) => return replayed(&state, &permitted, "client.rotate_secret", replay).await,
        Err(error) => return permitted.refuse(&state, "client.rotate_secret", Some(&id), &error).await,
    };
    let Permitted { caller, origin, .. } = permitted;
    let rotated = state.services.rotate_client_secret(&caller, &id, grace, repeat, origin).await;
    answer_with_secret(&state, rotated, render)
}

/// `POST /api/v1/clients/{id}/disable`.
pub async fn disable(id: Path<String>, permitted: Permitted<ClientsWrite>, state: SharedState) -> HttpResponse {
    change_state(&id, permitted, &state, StateChange::Disable).await
}

/// `POST /api/v1/clients/{id}/enable`.
pub async fn enable(id: Path<String>, permitted: Permitted<ClientsWrite>, state: SharedState) -> HttpResponse {
    change_state(&id, permitted, &state, StateChange::Enable).await
}

/// `POST /api/v1/clients/{id}/revoke`.
pub async fn revoke(id: Path<String>, permitted: Permitted<ClientsWrite>, state: SharedState) -> HttpResponse {
    change_state(&id, permitted, &state, StateChange::Revoke).await
}

/// `POST /api/v1/clients/{id}/revoke-tokens`: ends all tokens that were issued before this moment.
pub async fn revoke_tokens(id: Path<String>, permitted: Permitted<ClientsWrite>, state: SharedState) -> HttpResponse {
    change_state(&id, permitted, &state, StateChange::RevokeTokens).await
}

async fn change_state(
    id: &str,
    permitted: Permitted<ClientsWrite>,
    state: &SharedState,
    change: StateChange,
) -> HttpResponse {
    let changed = state.services.change_client_state(&permitted.caller, id, change, permitted.origin).await;
    answer(state, changed)
}

fn answer(state: &SharedState, client: Result<Client, ServiceError>) -> HttpResponse {
    match client {
        Ok(client) => private_json(200, view(&client, &state.services.issuers, clock::now()).to_string()),
        Err(error) => error::service(&error),
    }
}

fn answer_with_secret(
    state: &SharedState,
    made: Result<(Client, ClientSecretText), ServiceError>,
    render: Render,
) -> HttpResponse {
    match made {
        Ok((client, secret)) => {
            let answer = render(&state.services.issuers, &client, &secret, clock::now());
            private_json(answer.status, answer.whole)
        }
        Err(error) => error::service(&error),
    }
}
