//! For operators and their machines: health, readiness, metrics.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::envelope::{origin_of, was_forwarded};
use super::error::Problem;
use super::{SharedState, api, error};
use crate::clock;
use crate::domain::permission;
use crate::service::authorize_caller::Requirement;
use crate::store::StoreError;

/// Whether the service works.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `unavailable`.
    status: &'static str,
}

/// Whether tokens can be issued.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// `ok`, or `unavailable`.
    status: &'static str,
    /// The database answers.
    database: bool,
    /// Audit events can be stored, without which nothing is granted.
    audit: bool,
    /// Every environment has a signing key of every algorithm at hand.
    signing_keys: bool,
}

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "Operations",
    security(()),
    responses((status = 200, description = "The process answers.", body = Health)),
)]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!(Health { status: "ok" }))
}

/// Can tokens be issued?
///
/// They can where the database answers and every signing key is at hand.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "Operations",
    security(()),
    responses(
        (status = 200, description = "They can.", body = Readiness),
        (status = 503, description = "They cannot.", body = Readiness),
    ),
)]
pub async fn readyz(request: HttpRequest, state: SharedState) -> HttpResponse {
    let services = &state.services;
    let database = services
        .store
        .read(crate::store::ping_connection)
        .await
        .inspect_err(|error: &StoreError| log::warn!("{error}"));
    let keys = services.keyring.is_complete(&state.signing.algorithms, clock::now());
    let audit = database.is_ok() && services.can_witness(origin_of(&request)).await;
    let ready = database.is_ok() && audit && keys;
    let body = json!(Readiness {
        status: if ready { "ok" } else { "unavailable" },
        database: database.is_ok(),
        audit,
        signing_keys: keys,
    });
    if ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

/// Read metrics
///
/// For callers on the same machine whose request carries no forwarding header, and for `sealwright.metrics:read`.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Operations",
    security((), ("bearer" = [permission::METRICS_READ])),
    responses(
        (status = 200, description = "OpenMetrics text.", body = String,
            content_type = "application/openmetrics-text"),
        (status = 401, description = "There is no bearer token, or not one that is in force and for this API.",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The caller lacks the permission.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub async fn metrics(request: HttpRequest, state: SharedState) -> HttpResponse {
    let from_here = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    if !from_here || was_forwarded(request.headers()) {
        let fields = api::credential_fields(&request);
        let requirement = Requirement { permission: permission::METRICS_READ, counts: true };
        let origin = origin_of(&request);
        if let Err(refused) = state.services.authorize_caller(&fields, requirement, &origin).await {
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
