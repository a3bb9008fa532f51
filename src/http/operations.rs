//! For operators and their machines: health, readiness, metrics.

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, ResponseBuilder};

use super::call::credential_fields;
use super::describe::{Describe, OperationDoc};
use super::error::ApiError;
use super::middleware::{origin_of, was_forwarded};
use super::{BEARER, SharedState};
use crate::domain::permission;
use crate::service::access::Requirement;
use crate::view::operation::{Health, Readiness};

/// Whether the process responds.
pub struct HealthResponse;

impl Responder for HealthResponse {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(Health { status: "ok" })
    }
}

impl Describe for HealthResponse {
    fn describe(doc: &mut OperationDoc) {
        let response = doc.json::<Health>("application/json");
        doc.respond("200", response);
        doc.operation.security = Some(vec![SecurityRequirement::default()]);
        doc.problems(&["default"]);
    }
}

/// Shows whether the process responds.
pub async fn healthz() -> HealthResponse {
    HealthResponse
}

/// Whether tokens can be issued.
pub struct ReadinessResponse(Readiness);

impl Responder for ReadinessResponse {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        let is_ready = self.0.database && self.0.audit && self.0.signing_keys;
        if is_ready { HttpResponse::Ok().json(self.0) } else { HttpResponse::ServiceUnavailable().json(self.0) }
    }
}

impl Describe for ReadinessResponse {
    fn describe(doc: &mut OperationDoc) {
        for status in ["200", "503"] {
            let response = doc.json::<Readiness>("application/json");
            doc.respond(status, response);
        }
        doc.operation.security = Some(vec![SecurityRequirement::default()]);
        doc.problems(&["default"]);
    }
}

/// Shows whether tokens can be issued.
pub async fn readyz(request: HttpRequest, state: SharedState) -> ReadinessResponse {
    let readiness = state.services.operations.readiness(origin_of(&request)).await;
    let is_ready = readiness.database && readiness.audit && readiness.signing_keys;
    ReadinessResponse(Readiness {
        status: if is_ready { "ok" } else { "unavailable" },
        database: readiness.database,
        audit: readiness.audit,
        signing_keys: readiness.signing_keys,
    })
}

/// Metrics in the OpenMetrics text format.
pub struct MetricsResponse(String);

impl Responder for MetricsResponse {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        HttpResponse::Ok().content_type(content_type).body(self.0)
    }
}

impl Describe for MetricsResponse {
    fn describe(doc: &mut OperationDoc) {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let content = ContentBuilder::new().schema(Some(utoipa::openapi::schema::Schema::from(text))).build();
        let response =
            ResponseBuilder::new().description("OpenMetrics text.").content("application/openmetrics-text", content);
        doc.respond("200", response.build());
        let by_token = SecurityRequirement::new(BEARER, [permission::METRICS_READ]);
        doc.operation.security = Some(vec![SecurityRequirement::default(), by_token]);
        doc.problems(&["400", "401", "403", "429", "503", "default"]);
    }
}

/// Shows metrics to callers on the same machine, and to those with the permission.
pub async fn metrics(request: HttpRequest, state: SharedState) -> Result<MetricsResponse, ApiError> {
    let from_here = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    if !from_here || was_forwarded(request.headers()) {
        let requirement = Requirement { permission: permission::METRICS_READ, counts: true };
        let (fields, origin) = (credential_fields(&request), origin_of(&request));
        let authorized = state.services.access.authorize_caller(&fields, requirement, &origin).await;
        authorized.map_err(ApiError::Unauthorized)?;
    }
    let text = state.metrics.render(&state.services);
    text.map(MetricsResponse).map_err(|error| ApiError::Internal(error.to_string()))
}
