//! `Idempotency-Key`: requests that come again.

use std::sync::Arc;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::fields::{self, Fields};
use super::permitted::Permitted;
use super::private_json;
use crate::clock;
use crate::http::State;
use crate::http::error::ApiError;
use crate::service::error::ServiceError;
use crate::service::idempotency::Repeatable;
use crate::service::trail::Trail;

/// A request that makes something, as far as it is read.
pub enum Begun<R> {
    /// It was answered before; this is the answer once more.
    Before(HttpResponse),
    /// It is new: its fields, and how its answer is to be kept if it has an `Idempotency-Key`.
    New(Fields, Option<(Repeatable, R)>),
}

/// Reads a request that does `action`; `render` is how a new one's answer is written. An answer that is given once more has
/// an event of its own.
///
/// # Errors
/// The body cannot be read; the key cannot be one, or was used for another request; the database fails.
pub async fn begin<R, P>(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
    permitted: &Permitted<P>,
    action: &'static str,
    render: R,
) -> Result<Begun<R>, ApiError> {
    let (fields, body) = fields::read(request, payload, state).await?;
    let keys: Vec<_> = request.headers().get_all("idempotency-key").collect();
    let key = match keys.as_slice() {
        [] => return Ok(Begun::New(fields, None)),
        [key] => key.to_str().unwrap_or_default(),
        _ => return Err(ApiError::Input(ServiceError::invalid("Idempotency-Key", "must stand once"))),
    };
    let (caller, target) = (&permitted.caller, (request.method().as_str(), request.path()));
    let repeatable =
        Repeatable::new(&state.services.repeat_key, caller, key, target, &body).map_err(ApiError::Input)?;
    let trail = Trail::of(&permitted.caller, action, Arc::clone(&permitted.origin));
    Ok(match state.services.replay(caller, &repeatable, trail, clock::now()).await.map_err(ApiError::Input)? {
        Some(replay) => Begun::Before(private_json(replay.status, &replay.body)),
        None => Begun::New(fields, Some((repeatable, render))),
    })
}
