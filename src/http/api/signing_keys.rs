//! `/api/v1/signing-keys`. Private halves are never shown.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{Path, Payload};
use serde_json::{Value, json};

use super::fields::Fields;
use super::page::{Query, page};
use super::permitted::{Permitted, SigningKeysRead, SigningKeysWrite};
use super::repeated::{Repeated, repeated};
use super::{Answer, fields, private_json};
use crate::clock;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::{Duration, Timestamp};
use crate::http::SharedState;
use crate::http::error::ApiError;
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;
use crate::service::trail::Trail;

/// A key as it is shown.
pub fn view(key: &SigningKey, now: Timestamp) -> Value {
    json!({
        "id": &*key.kid,
        "kid": &*key.kid,
        "environment": key.environment.as_str(),
        "algorithm": key.algorithm.as_str(),
        "status": key.status(now).as_str(),
        "public_jwk": key.public_jwk,
        "created_at": key.created_at.to_string(),
        "activates_at": key.activates_at.to_string(),
        "retires_at": key.retires_at.map(|at| at.to_string()),
        "published_until": key.retires_at.map(|at| at.plus(SigningKey::PUBLISHED_AFTER_RETIRING).to_string()),
        "destroyed_at": key.destroyed_at.map(|at| at.to_string()),
    })
}

/// `GET /api/v1/signing-keys`: filters `environment`, `algorithm`, `status`.
pub(in crate::http) async fn list(
    request: HttpRequest,
    permitted: Permitted<SigningKeysRead>,
    state: SharedState,
) -> Answer {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let environment = query.get::<Environment>("environment");
    let algorithm = query.get::<Algorithm>("algorithm");
    let status = query.get::<KeyStatus>("status");
    let cursor = query.get::<String>("cursor");
    query.finish()?;
    let keys = state.services.list_signing_keys(&permitted.caller, cursor, permitted.origin).await?;
    let now = clock::now();
    // There are few: pages are cut here.
    let matching = keys
        .into_iter()
        .filter(|key| environment.is_none_or(|wanted| key.environment == wanted))
        .filter(|key| algorithm.is_none_or(|wanted| key.algorithm == wanted))
        .filter(|key| status.is_none_or(|wanted| key.status(now) == wanted));
    Ok(page(matching.collect(), limit, |key| key.kid.to_string(), |key| view(key, now)))
}

/// `POST /api/v1/signing-keys/rotate`: `environment`, `algorithm`, `lead`; 201 with the pending key.
pub(in crate::http) async fn rotate(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<SigningKeysWrite>,
    state: SharedState,
) -> Answer {
    let render: fn(&SigningKey, Timestamp) -> Rendered = |key, now| Rendered::plain(201, view(key, now).to_string());
    let Permitted { caller, origin, .. } = permitted;
    let (mut fields, body) = fields::read(&request, payload, &state).await?;
    let trail = Trail::of(&caller, "signing_key.rotate", Arc::clone(&origin));
    let repeat = match repeated(&request, &body, &state, &caller, trail, render).await? {
        Repeated::Before(replay) => return Ok(private_json(replay.status, &replay.body)),
        Repeated::New(repeat) => repeat,
    };
    let environment = parsed::<Environment>(&mut fields, "environment")?
        .or(caller.environment())
        .ok_or_else(|| ApiError::Input(ServiceError::invalid("environment", "is required")))?;
    let algorithm = parsed::<Algorithm>(&mut fields, "algorithm")?
        .unwrap_or_else(|| state.services.issuers.of(environment).algorithm);
    let lead = parsed::<Duration>(&mut fields, "lead")?;
    fields.finish()?;
    let key = state.services.rotate_signing_key(&caller, environment, algorithm, lead, repeat, origin).await?;
    Ok(private_json(201, &view(&key, clock::now())))
}

/// `POST /api/v1/signing-keys/{kid}/destroy`.
pub(in crate::http) async fn destroy(
    kid: Path<String>,
    permitted: Permitted<SigningKeysWrite>,
    state: SharedState,
) -> Answer {
    let key = state.services.destroy_signing_key(&permitted.caller, &kid, permitted.origin).await?;
    Ok(private_json(200, &view(&key, clock::now())))
}

fn parsed<T: std::str::FromStr<Err = &'static str>>(fields: &mut Fields, name: &str) -> Result<Option<T>, ApiError> {
    let text = fields.string(name).apply(None);
    text.map(|text| text.parse().map_err(|wrong| ApiError::Input(ServiceError::invalid(name, wrong)))).transpose()
}
