//! The one bridge from inside errors to what callers are told: RFC 6749 errors on the protocol's endpoints, RFC 9457
//! problems elsewhere. What is unknown becomes a plain 500; its cause goes to the log.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};

use super::body::BodyError;
use super::envelope::{PathKind, request_path_kind};
use crate::oauth::error::OAuthError;
use crate::service::authorize_caller::Unauthorized;
use crate::service::error::ServiceError;

/// The realm in challenges.
const REALM: &str = "sealwright";

fn builder(status: u16) -> HttpResponseBuilder {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An error of the protocol's endpoints (RFC 6749 §5.2): never cached, and for a failed authentication with a challenge.
pub fn oauth(error: OAuthError) -> HttpResponse {
    let mut response = builder(error.status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    if error.status == 401 {
        response.insert_header((WWW_AUTHENTICATE, format!("Basic realm=\"{REALM}\", charset=\"UTF-8\"")));
    }
    if let Some(seconds) = error.retry_after {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    response.json(json!({"error": error.error, "error_description": error.description}))
}

/// An RFC 9457 problem with a stable `code`.
pub fn problem(status: u16, code: &str, detail: &str, more: Value) -> HttpResponse {
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    let mut body = json!({"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    let mut response = builder(status);
    if status == 503 {
        response.insert_header((RETRY_AFTER, "1"));
    }
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/problem+json")))
        .body(body.to_string())
}

/// A service error as a problem.
pub fn service(error: &ServiceError) -> HttpResponse {
    let (status, code) = (error.status(), error.code());
    match error {
        ServiceError::Invalid(fields) => {
            let errors: Vec<Value> =
                fields.iter().map(|field| json!({"field": field.field, "detail": field.wrong})).collect();
            problem(status, code, "Some fields cannot be used.", json!({ "errors": errors }))
        }
        ServiceError::Unavailable(cause) => {
            log::error!("unavailable: {cause}");
            problem(status, code, "The service cannot do this now. Try again later.", Value::Null)
        }
        ServiceError::Internal(cause) => {
            log::error!("internal: {cause}");
            problem(status, code, "The service failed.", Value::Null)
        }
        other => problem(status, code, &other.to_string(), Value::Null),
    }
}

/// A call that was turned away, with its challenge (RFC 6750 §3, §3.1).
pub fn unauthorized(unauthorized: Unauthorized) -> HttpResponse {
    let (code, detail, challenge) = match unauthorized {
        Unauthorized::Missing => ("no_credentials", "A bearer token is needed.".to_owned(), String::new()),
        Unauthorized::Malformed => (
            "malformed_credentials",
            "The Authorization field is malformed, or there are several.".to_owned(),
            ", error=\"invalid_request\"".to_owned(),
        ),
        Unauthorized::InvalidToken => (
            "invalid_token",
            "The token is not in force, or not for this API.".to_owned(),
            ", error=\"invalid_token\"".to_owned(),
        ),
        Unauthorized::Insufficient(permission) => (
            "permission_denied",
            format!("This needs the permission {permission}."),
            format!(", error=\"insufficient_scope\", scope=\"{permission}\""),
        ),
        Unauthorized::Unavailable => {
            return problem(503, "unavailable", "The service cannot decide this now. Try again later.", Value::Null);
        }
    };
    let mut response = problem(unauthorized.status(), code, &detail, Value::Null);
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer realm=\"{REALM}\"{challenge}")) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

/// A body that could not be read, on the protocol's endpoints.
pub fn oauth_body(error: BodyError) -> OAuthError {
    let (status, description) = match error {
        BodyError::TooLarge => (413, "The body is larger than 16 KiB."),
        BodyError::TooSlow => (408, "The body did not come in time."),
        BodyError::Broken => (400, "The body could not be read."),
    };
    OAuthError { status, ..OAuthError::invalid_request(description) }
}

/// A body that could not be read, on the management API.
pub fn unreadable_body(error: BodyError) -> ServiceError {
    let (status, code, message) = match error {
        BodyError::TooLarge => (413, "body_too_large", "The body is larger than 64 KiB."),
        BodyError::TooSlow => (408, "body_too_slow", "The body did not come in time."),
        BodyError::Broken => (400, "body_unreadable", "The body could not be read."),
    };
    ServiceError::Unreadable { status, code, message }
}

/// A request whose head is refused before any route sees it.
pub fn head_refused(kind: PathKind, status: u16, code: &'static str, detail: &'static str) -> HttpResponse {
    match kind {
        PathKind::OAuth => oauth(OAuthError { status, ..OAuthError::invalid_request(detail) }),
        PathKind::Problem => problem(status, code, detail, Value::Null),
    }
}

/// A fault that no handler foresaw.
pub fn internal(kind: PathKind) -> HttpResponse {
    match kind {
        PathKind::OAuth => oauth(OAuthError::SERVER_ERROR),
        PathKind::Problem => problem(500, "internal", "The service failed.", Value::Null),
    }
}

/// No route has this path.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    match request_path_kind(request.path()) {
        PathKind::OAuth => {
            oauth(OAuthError { status: 404, ..OAuthError::invalid_request("There is no such endpoint.") })
        }
        PathKind::Problem => problem(404, "not_found", "There is nothing here.", Value::Null),
    }
}

/// The path is there, the method is not; `allow` names those that are (RFC 9110 §15.5.6).
pub fn method_not_allowed(kind: PathKind, allow: &str) -> HttpResponse {
    let mut response = match kind {
        PathKind::OAuth => {
            oauth(OAuthError { status: 405, ..OAuthError::invalid_request("The method is not allowed.") })
        }
        PathKind::Problem => problem(405, "method_not_allowed", "The method is not allowed here.", Value::Null),
    };
    if let Ok(value) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
