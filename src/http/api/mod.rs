//! The management API below `/api/v1`: JSON, cursors, RFC 9457 problems.

pub mod audit_events;
pub mod clients;
mod credentials;
pub mod customers;
mod fields;
pub mod forward_auth;
pub mod keys;
mod page;
mod permitted;
mod repeated;
pub mod roles;
pub mod schema;
pub mod scopes;
pub mod signing_keys;
pub mod users;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};

pub use permitted::credential_fields;

use super::error::ApiError;

/// The document's names of how callers of this API authenticate: by a token, or by a key.
pub const BEARER: &str = "bearer";
/// The other.
pub const API_KEY: &str = "api_key";

/// What a handler of this API gives.
type Answer = Result<HttpResponse, ApiError>;

/// JSON that only its receiver may keep.
fn private_json(status: u16, body: &impl ToString) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(body.to_string())
}
