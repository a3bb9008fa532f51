//! `Idempotency-Key`: requests that come again.

use actix_web::HttpRequest;

use crate::clock;
use crate::domain::caller::Caller;
use crate::http::State;
use crate::http::error::ApiError;
use crate::service::error::ServiceError;
use crate::service::idempotency::{Repeatable, Replay};
use crate::service::trail::Trail;

/// What became of the `Idempotency-Key` of a request.
pub enum Repeated<R> {
    /// The request was answered before.
    Before(Replay),
    /// It is new; its answer is to be kept if it has a key.
    New(Option<(Repeatable, R)>),
}

/// Looks for the answer that a request with the same key got; `render` is how a new one's answer is written. An answer that
/// is given once more has an event of its own, on `trail`.
///
/// # Errors
/// The key cannot be one, or was used for another request; the database fails.
pub async fn repeated<R>(
    request: &HttpRequest,
    body: &[u8],
    state: &State,
    caller: &Caller,
    trail: Trail,
    render: R,
) -> Result<Repeated<R>, ApiError> {
    let keys: Vec<_> = request.headers().get_all("idempotency-key").collect();
    let key = match keys.as_slice() {
        [] => return Ok(Repeated::New(None)),
        [key] => key.to_str().unwrap_or_default(),
        _ => return Err(ApiError::Input(ServiceError::invalid("Idempotency-Key", "must stand once"))),
    };
    let (method, path) = (request.method().as_str(), request.path());
    let repeatable = Repeatable::new(caller, key, method, path, body).map_err(ApiError::Input)?;
    Ok(match state.services.replay(&repeatable, trail, clock::now()).await.map_err(ApiError::Input)? {
        Some(replay) => Repeated::Before(replay),
        None => Repeated::New(Some((repeatable, render))),
    })
}
