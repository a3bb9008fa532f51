//! For operators and their machines: health, readiness, metrics.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::envelope::{origin_of, was_forwarded};
use super::{SharedState, api, error};
use crate::clock;
use crate::domain::permission;
use crate::store::StoreError;

/// The process answers.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Tokens can be issued: the database answers and every signing key is at hand.
pub async fn readyz(state: SharedState) -> HttpResponse {
    let services = &state.services;
    let database = services
        .store
        .read(crate::store::ping_connection)
        .await
        .inspect_err(|error: &StoreError| log::warn!("{error}"));
    let keys = services.keyring.is_complete(&state.signing.algorithms, clock::now());
    let body = json!({
        "status": if database.is_ok() && keys { "ok" } else { "unavailable" },
        "database": database.is_ok(),
        "signing_keys": keys,
    });
    if database.is_ok() && keys { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

/// Metrics, for loopback peers that speak for themselves, and for `sealwright.metrics:read`.
pub async fn metrics(request: HttpRequest, state: SharedState) -> HttpResponse {
    let from_here = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    if !from_here || was_forwarded(request.headers()) {
        let fields = api::authorization(&request);
        let origin = origin_of(&request);
        if let Err(refused) = state.services.authorize_caller(&fields, permission::METRICS_READ, &origin).await {
            return error::unauthorized(refused);
        }
    }
    match state.metrics.render(&state.services) {
        Ok(text) => {
            HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
        }
        Err(_) => error::problem(500, "internal", "The service failed.", Value::Null),
    }
}
