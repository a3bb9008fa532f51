//! Errors of the protocol's endpoints (RFC 6749 §5.2).

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{REALM, status_of};
use crate::http::body::BodyError;
use crate::http::describe::{OperationDoc, header};
use crate::oauth::error::{OAuthError, UnreadableBody};
use crate::view::closed::one_of;

/// An error of the protocol's endpoints (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthError)]
struct OAuthErrorView {
    #[schema(value_type = Code, examples("invalid_client"))]
    error: &'static str,
    /// One sentence for developers.
    error_description: &'static str,
}

/// The closed list of codes in the document.
enum Code {}

/// An error for each code.
const CODES: [OAuthError; 7] = [
    OAuthError::InvalidRequest(""),
    OAuthError::InvalidClient,
    OAuthError::UnsupportedGrantType,
    OAuthError::InvalidScope,
    OAuthError::InvalidTarget,
    OAuthError::Unavailable,
    OAuthError::ServerError,
];

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let meaning = "A registered error code (RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2).";
        one_of(CODES.map(OAuthError::code), &[meaning])
    }
}

impl ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "OAuthErrorCode".into()
    }
}

/// The response: never cached, and for a failed authentication with a challenge.
pub fn oauth(error: OAuthError) -> HttpResponse {
    respond(error, status_of(error.disposition()))
}

/// The same, with a status that only this layer knows.
pub fn respond(error: OAuthError, status: u16) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((WWW_AUTHENTICATE, format!("Basic realm=\"{REALM}\", charset=\"UTF-8\"")));
    }
    if let Some(seconds) = error.retry_after() {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    response.json(OAuthErrorView { error: error.code(), error_description: error.description() })
}

/// A body that could not be read.
pub fn oauth_body(error: BodyError) -> UnreadableBody {
    match error {
        BodyError::TooLarge => UnreadableBody::TooLarge,
        BodyError::TooSlow => UnreadableBody::TooSlow,
        BodyError::Broken => UnreadableBody::Broken,
    }
}

/// The errors that the document lists for the protocol's endpoints: status, when it is sent.
const ERRORS: [(&str, &str); 7] = [
    ("400", "The request is malformed, or asks for what the client does not have; `error` says which."),
    (
        "401",
        "`invalid_client`: the client is unknown here, its secret is wrong, or it is not active. Nothing tells which.",
    ),
    ("408", "`invalid_request`: the body did not arrive in time."),
    ("413", "`invalid_request`: the body is larger than 16 KiB."),
    ("429", "`temporarily_unavailable`: too many requests, or too many failures."),
    ("503", "`temporarily_unavailable`: the service cannot decide or record this now."),
    ("default", "Any other error."),
];

/// Adds them to an operation.
pub fn describe(doc: &mut OperationDoc) {
    for (status, description) in ERRORS {
        let mut response = doc.json::<OAuthErrorView>("application/json");
        description.clone_into(&mut response.description);
        let field = match status {
            "401" => Some(("WWW-Authenticate", Type::String, "`Basic`.")),
            "429" | "503" => Some(("Retry-After", Type::Integer, "Seconds.")),
            _ => None,
        };
        if let Some((name, of_type, meaning)) = field {
            response.headers.insert(name.to_owned(), header(of_type, Some(meaning)));
        }
        doc.respond(status, response);
    }
}
