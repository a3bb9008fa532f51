//! What every response gets: its request's id, rate limits, a line in the log, and its place in the metrics.

use std::time::Instant;

use actix_web::HttpMessage as _;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderValue;

use super::origin::REQUEST_ID;
use crate::domain::audit::Origin;
use crate::domain::rate::RateLimitStatus;
use crate::http::{State, rate_limit};

/// Adds them to `response`, and logs and counts it.
pub fn finish(
    mut response: ServiceResponse<BoxBody>,
    state: &State,
    origin: &Origin,
    started: Instant,
) -> ServiceResponse<BoxBody> {
    let status = response.status().as_u16();
    let id = origin.request_id.as_str();
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let rate_limits = response.request().extensions().get::<RateLimitStatus>().copied();
    if let Some(rate_limits) = rate_limits {
        rate_limit::add_fields(response.headers_mut(), &rate_limits);
    }
    let elapsed = started.elapsed();
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    state.metrics.count_request(&route, status, elapsed);
    log::info!(
        target: "sealwright::access",
        request_id = id,
        method:% = origin.method,
        path = origin.path.as_str(),
        status = status,
        address:% = origin.address.map(|address| address.to_string()).unwrap_or_default(),
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        "request"
    );
    response
}
