//! What every request goes through, one concern a file: where it came from, bounds on its head, transport security, a
//! last resort for faults, the event of a refusal, the log line and metrics.

mod access_log;
mod forwarded;
mod head;
mod origin;
mod panics;
mod refusal;
mod transport;

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpResponse, web};

use super::{State, error};
use crate::domain::environment::Environment;

pub use forwarded::{asked_about, bounded, was_forwarded};
pub use origin::origin_of;
pub use refusal::Unrecorded;

/// Where gateways ask.
pub const FORWARD_AUTH: &str = "/api/v1/forward-auth";

/// The middleware around all routes.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let Some(origin) = origin::of(&request, &state, started).map(Arc::new) else {
        let kind = path_kind(request.path());
        return Ok(request.into_response(error::internal(kind)));
    };
    request.extensions_mut().insert(Arc::clone(&origin));
    let response = match head::refuse(&request).or_else(|| transport::refuse(&request, &state)) {
        Some(refusal) => request.into_response(refusal),
        // No copy of the request may be held here: actix-web needs it to itself for routing.
        None => panics::caught(next.call(request), &origin).await?.map_into_boxed_body(),
    };
    refusal::record(&response, &state, &origin).await;
    Ok(access_log::finish(response, &state, &origin, started))
}

/// Which error format a path has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// RFC 6749 errors.
    OAuth,
    /// RFC 9457 problems.
    Problem,
}

/// The error format of `path`.
pub fn path_kind(path: &str) -> PathKind {
    if path.contains("/api/oauth/") { PathKind::OAuth } else { PathKind::Problem }
}

/// The issuer of one of the protocol's endpoints.
fn environment_of(path: &str) -> Option<Environment> {
    let (before, _) = path.split_once("/api/oauth/")?;
    Environment::ALL.into_iter().find(|environment| environment.path_prefix() == before)
}
