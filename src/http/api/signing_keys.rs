//! `/api/v1/signing-keys`. Private halves are never shown.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::clients::private_json;
use super::fields::{Fields, read_body};
use super::page::{Query, page};
use super::permitted::{Permitted, SigningKeysRead, SigningKeysWrite};
use super::repeated::{Repeated, repeated, replayed};
use crate::clock;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::{Duration, Timestamp};
use crate::http::{SharedState, error};
use crate::service::clients::Patch;
use crate::service::error::ServiceError;
use crate::service::idempotency::Rendered;

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
pub async fn list(request: HttpRequest, permitted: Permitted<SigningKeysRead>, state: SharedState) -> HttpResponse {
    let mut query = Query::of(&request);
    let limit = query.limit();
    let environment = query.get::<Environment>("environment");
    let algorithm = query.get::<Algorithm>("algorithm");
    let status = query.get::<KeyStatus>("status");
    let cursor = query.get::<String>("cursor");
    if let Err(error) = query.finish() {
        return permitted.refuse(&state, "signing_key.list", None, &error).await;
    }
    let found = state.services.list_signing_keys(&permitted.caller, cursor, permitted.origin).await;
    let now = clock::now();
    match found {
        Ok(keys) => {
            // There are few: pages are cut here.
            let matching = keys
                .into_iter()
                .filter(|key| environment.is_none_or(|wanted| key.environment == wanted))
                .filter(|key| algorithm.is_none_or(|wanted| key.algorithm == wanted))
                .filter(|key| status.is_none_or(|wanted| key.status(now) == wanted));
            page(matching.collect(), limit, |key| key.kid.to_string(), |key| view(key, now))
        }
        Err(error) => error::service(&error),
    }
}

/// `POST /api/v1/signing-keys/rotate`: `environment`, `algorithm`, `lead`; 201 with the pending key.
pub async fn rotate(
    request: HttpRequest,
    payload: Payload,
    permitted: Permitted<SigningKeysWrite>,
    state: SharedState,
) -> HttpResponse {
    let render: fn(&SigningKey, Timestamp) -> Rendered = |key, now| Rendered::plain(201, view(key, now).to_string());
    let read = async {
        let body = read_body(&request, payload, &state).await?;
        let mut fields = Fields::parse(&body)?;
        let repeat = repeated(&request, &body, &state, &permitted, render).await?;
        let own = permitted.caller.environment();
        let environment = parsed::<Environment>(&mut fields, "environment")?.or(own);
        let environment = environment.ok_or_else(|| ServiceError::invalid("environment", "is required"))?;
        let algorithm = parsed::<Algorithm>(&mut fields, "algorithm")?
            .unwrap_or_else(|| state.services.issuers.of(environment).algorithm);
        let lead = parsed::<Duration>(&mut fields, "lead")?;
        fields.finish()?;
        Ok((repeat, environment, algorithm, lead))
    };
    let (repeat, environment, algorithm, lead) = match read.await {
        Ok((Repeated::New(repeat), environment, algorithm, lead)) => (repeat, environment, algorithm, lead),
        Ok((Repeated::Before(replay), ..)) => return replayed(&state, &permitted, "signing_key.rotate", replay).await,
        Err(error) => return permitted.refuse(&state, "signing_key.rotate", None, &error).await,
    };
    let Permitted { caller, origin, .. } = permitted;
    answer(201, state.services.rotate_signing_key(&caller, environment, algorithm, lead, repeat, origin).await)
}

/// `POST /api/v1/signing-keys/{kid}/destroy`.
pub async fn destroy(kid: Path<String>, permitted: Permitted<SigningKeysWrite>, state: SharedState) -> HttpResponse {
    answer(200, state.services.destroy_signing_key(&permitted.caller, &kid, permitted.origin).await)
}

fn parsed<T: std::str::FromStr<Err = &'static str>>(
    fields: &mut Fields,
    name: &str,
) -> Result<Option<T>, ServiceError> {
    match fields.string(name) {
        Patch::Set(text) => text.parse().map(Some).map_err(|wrong| ServiceError::invalid(name, wrong)),
        Patch::Keep | Patch::Clear => Ok(None),
    }
}

fn answer(status: u16, key: Result<SigningKey, ServiceError>) -> HttpResponse {
    match key {
        Ok(key) => private_json(status, view(&key, clock::now()).to_string()),
        Err(error) => error::service(&error),
    }
}
