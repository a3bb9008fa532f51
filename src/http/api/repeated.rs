//! `Idempotency-Key`: requests that come again.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::clients::private_json;
use super::permitted::Permitted;
use crate::clock;
use crate::http::{SharedState, error};
use crate::service::error::ServiceError;
use crate::service::idempotency::{Repeatable, Replay};

/// What became of the `Idempotency-Key` of a request.
pub enum Repeated<R> {
    /// The request was answered before.
    Before(Replay),
    /// It is new; its answer is to be kept if it has a key.
    New(Option<(Repeatable, R)>),
}

/// Looks for the answer that a request with the same key got; `render` is how a new one's answer is written.
///
/// # Errors
/// The key cannot be one, or was used for another request; the database fails.
pub async fn repeated<P, R>(
    request: &HttpRequest,
    body: &[u8],
    state: &SharedState,
    permitted: &Permitted<P>,
    render: R,
) -> Result<Repeated<R>, ServiceError> {
    let mut keys = request.headers().get_all("idempotency-key");
    let (first, second) = (keys.next(), keys.next());
    let Some(key) = first else { return Ok(Repeated::New(None)) };
    let key = match (key.to_str(), second) {
        (Ok(key), None) => key,
        _ => return Err(ServiceError::invalid("Idempotency-Key", "must stand once, in visible ASCII")),
    };
    let repeatable = Repeatable::new(&permitted.caller, key, request.method().as_str(), request.path(), body)?;
    match state.services.replay(&repeatable, clock::now()).await? {
        Some(replay) => Ok(Repeated::Before(replay)),
        None => Ok(Repeated::New(Some((repeatable, render)))),
    }
}

/// An answer given once more, with an event of its own: it may hand out a secret.
pub async fn replayed<P>(
    state: &SharedState,
    permitted: &Permitted<P>,
    action: &'static str,
    replay: Replay,
) -> HttpResponse {
    let shown: Value = serde_json::from_str(&replay.body).unwrap_or_default();
    let trail = permitted.trail(action, shown["id"].as_str().or(shown["name"].as_str()));
    match state.services.witness(&trail, replay.status, "replayed").await {
        Ok(()) => private_json(replay.status, replay.body),
        Err(error) => error::service(&ServiceError::Unavailable(error.to_string())),
    }
}
