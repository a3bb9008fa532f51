//! The one bridge from inside errors to what callers are told: RFC 6749 errors on the protocol's endpoints, RFC 9457
//! problems elsewhere. What is unknown becomes a plain 500; its cause goes to the log.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

use super::body::BodyError;
use super::envelope::{PathKind, request_path_kind};
use crate::domain::rate::Standing;
use crate::domain::scope::Scope;
use crate::oauth::error::OAuthError;
use crate::service::authorize_caller::Unauthorized;
use crate::service::error::ServiceError;
use crate::service::forward_auth::Denied;

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

/// An error of the protocol's endpoints (RFC 6749 §5.2).
#[derive(ToSchema)]
#[schema(as = OAuthError)]
#[expect(dead_code, reason = "describes what `oauth` answers")]
pub struct OAuthErrorView {
    /// A registered error code.
    #[schema(examples("invalid_client"))]
    error: String,
    /// One sentence for developers.
    error_description: String,
}

/// How the protocol's endpoints refuse.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `oauth` answers")]
pub enum OAuthRefusals {
    /// `invalid_request`: a parameter is missing, malformed or there twice, or the client authenticates in two ways.
    #[response(status = 400)]
    BadRequest(#[to_schema] OAuthErrorView),
    /// `invalid_client`: the client is unknown here, its secret is wrong, or it is not active. Nothing tells which.
    #[response(status = 401, headers(("WWW-Authenticate" = String, description = "`Basic`")))]
    Unauthorized(#[to_schema] OAuthErrorView),
    /// `invalid_request`: the body did not come in time.
    #[response(status = 408)]
    TooSlow(#[to_schema] OAuthErrorView),
    /// `invalid_request`: the body is larger than 16 KiB.
    #[response(status = 413)]
    TooLarge(#[to_schema] OAuthErrorView),
    /// `temporarily_unavailable`: too many requests, or too many failures.
    #[response(status = 429, headers(("Retry-After" = u32, description = "Seconds.")))]
    TooMany(#[to_schema] OAuthErrorView),
    /// `temporarily_unavailable`: the service cannot decide or record this now.
    #[response(status = 503, headers(("Retry-After" = u32, description = "Seconds.")))]
    Unavailable(#[to_schema] OAuthErrorView),
    /// Anything else.
    #[response(status = "default")]
    Other(#[to_schema] OAuthErrorView),
}

/// An RFC 9457 problem.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `problem` answers")]
pub struct Problem {
    /// `about:blank` but for rate limits: `code` tells problems apart.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// Which problem it is; stable, for programs.
    #[schema(examples("invalid_input"))]
    code: String,
    /// One sentence for people.
    detail: String,
    /// The fields that cannot be used, where it is they.
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
}

/// A field that cannot be used.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `service` answers")]
pub struct FieldProblem {
    /// Its name.
    #[schema(examples("scopes"))]
    field: String,
    /// What is wrong with it, as the end of a sentence.
    #[schema(examples("must name at least one scope"))]
    detail: String,
}

/// What is there forbids it.
#[derive(IntoResponses)]
#[response(
    status = 409,
    description = "What is there forbids it; `code` says what.",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes what `service` answers")]
pub struct Conflict(#[to_schema] Problem);

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
fn service(error: &ServiceError) -> HttpResponse {
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
        Unauthorized::Missing => {
            ("no_credentials", "A bearer token or an API key is needed.".to_owned(), String::new())
        }
        Unauthorized::Malformed => (
            "malformed_credentials",
            "There are several credentials, or the Authorization field is malformed.".to_owned(),
            ", error=\"invalid_request\"".to_owned(),
        ),
        Unauthorized::InvalidToken => (
            "invalid_token",
            "The token or key is not in force, or not for this API.".to_owned(),
            ", error=\"invalid_token\"".to_owned(),
        ),
        Unauthorized::Insufficient(permission) => (
            "permission_denied",
            format!("This needs the permission {permission}."),
            format!(", error=\"insufficient_scope\", scope=\"{permission}\""),
        ),
        Unauthorized::RateLimited(standing) => return rate_limited(&standing),
        Unauthorized::Guessing(seconds) => return too_many_failures(seconds),
        Unauthorized::Unavailable => {
            return problem(503, "unavailable", "The service cannot decide this now. Try again later.", Value::Null);
        }
    };
    challenged(problem(unauthorized.status(), code, &detail, Value::Null), &challenge)
}

fn challenged(mut response: HttpResponse, challenge: &str) -> HttpResponse {
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer realm=\"{REALM}\"{challenge}")) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

fn retry_later(mut response: HttpResponse, seconds: u32) -> HttpResponse {
    response.headers_mut().insert(RETRY_AFTER, seconds.max(1).into());
    response
}

/// A credential that is over its limits; which one says the type that the draft of the `RateLimit` fields registers.
fn rate_limited(standing: &Standing) -> HttpResponse {
    let violated: Vec<&str> =
        standing.buckets().filter(|bucket| bucket.retry_after > 0).map(|bucket| bucket.quota.name).collect();
    let more = json!({
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "violated-policies": violated,
    });
    let response = problem(429, "rate_limited", "The credential is over its rate limit. Try again later.", more);
    retry_later(response, standing.retry_after_seconds())
}

fn too_many_failures(seconds: u32) -> HttpResponse {
    let detail = "Too many failed authentications. Try again later.";
    retry_later(problem(429, "too_many_failures", detail, Value::Null), seconds)
}

/// A request that a gateway must not let pass, with its challenge (RFC 6750 §3).
pub fn denied(denied: &Denied) -> HttpResponse {
    let status = denied.status();
    match denied {
        Denied::Missing => {
            challenged(problem(status, "no_credentials", "A bearer token or an API key is needed.", Value::Null), "")
        }
        Denied::Malformed => {
            let detail = "There are several credentials, or the Authorization field is malformed.";
            let response = problem(status, "malformed_credentials", detail, Value::Null);
            challenged(response, ", error=\"invalid_request\"")
        }
        Denied::Invalid => {
            let detail = "The token or key is not accepted here.";
            challenged(problem(status, "invalid_token", detail, Value::Null), ", error=\"invalid_token\"")
        }
        Denied::Forbidden(what) => {
            let detail = format!("The credential may not be used for this {what}.");
            problem(status, "forbidden", &detail, json!({ "forbidden": what }))
        }
        Denied::Insufficient(scopes) => {
            let detail = format!("This needs the scope {scopes}.");
            let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
            let response = problem(status, "insufficient_scope", &detail, json!({ "scopes": names }));
            challenged(response, &format!(", error=\"insufficient_scope\", scope=\"{scopes}\""))
        }
        Denied::RateLimited(standing) => rate_limited(standing),
        Denied::Guessing(seconds) => too_many_failures(*seconds),
        Denied::Unavailable => {
            problem(status, "unavailable", "The service cannot decide this now. Try again later.", Value::Null)
        }
    }
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

/// Why a call to the management API gets no answer of its verb's.
#[derive(Debug)]
pub enum ApiError {
    /// The body could not be read.
    Body(BodyError),
    /// The body is not JSON by its content type.
    MediaType,
    /// The body is not a JSON object.
    MalformedJson,
    /// What was read cannot be handed to the verb.
    Input(ServiceError),
    /// The verb refused, and has stored the event of it.
    Service(ServiceError),
}

/// Stands on the answer to a request that reached no verb: its event is still to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Unwitnessed {
    /// The event's action: `api.call` where a verb of the management API was called, else `request.refuse`.
    pub action: &'static str,
    /// Why it was refused.
    pub reason: &'static str,
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl actix_web::ResponseError for ApiError {
    fn error_response(&self) -> HttpResponse {
        let (status, code, detail) = match self {
            Self::Service(error) => return service(error),
            Self::Input(error) => return unwitnessed(service(error), CALL, error.code()),
            Self::Body(BodyError::TooLarge) => (413, "body_too_large", "The body is larger than 64 KiB."),
            Self::Body(BodyError::TooSlow) => (408, "body_too_slow", "The body did not come in time."),
            Self::Body(BodyError::Broken) => (400, "body_unreadable", "The body could not be read."),
            Self::MediaType => (415, "unsupported_media_type", "The body must be application/json."),
            Self::MalformedJson => (400, "malformed_json", "The body is not a JSON object."),
        };
        unwitnessed(problem(status, code, detail, Value::Null), CALL, code)
    }
}

/// The action of a management call whose input cannot be read.
const CALL: &str = "api.call";
/// The action of a request that is refused for its head alone.
const REFUSE: &str = "request.refuse";

fn unwitnessed(mut response: HttpResponse, action: &'static str, reason: &'static str) -> HttpResponse {
    response.extensions_mut().insert(Unwitnessed { action, reason });
    response
}

/// A request whose head is refused before any route sees it.
pub fn head_refused(kind: PathKind, status: u16, code: &'static str, detail: &'static str) -> HttpResponse {
    let response = match kind {
        PathKind::OAuth => oauth(OAuthError { status, ..OAuthError::invalid_request(detail) }),
        PathKind::Problem => problem(status, code, detail, Value::Null),
    };
    unwitnessed(response, REFUSE, code)
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
    not_here(request.path())
}

/// Nothing has this path. Elsewhere than below `/api/` nobody asked anything of the service, and no event says so.
pub fn not_here(path: &str) -> HttpResponse {
    let response = match request_path_kind(path) {
        PathKind::OAuth => {
            oauth(OAuthError { status: 404, ..OAuthError::invalid_request("There is no such endpoint.") })
        }
        PathKind::Problem => problem(404, "not_found", "There is nothing here.", Value::Null),
    };
    if path.contains("/api/") { unwitnessed(response, REFUSE, "not_found") } else { response }
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
    unwitnessed(response, REFUSE, "method_not_allowed")
}
