//! The one bridge from errors inside to what callers are told: RFC 6749 errors on the protocol's endpoints, RFC 9457
//! problems elsewhere. Nothing else knows status numbers and problem codes. The cause of a fault goes to the log.

mod code;
mod oauth;
mod problem;
mod status;

pub use code::ProblemCode;
pub use oauth::{describe as describe_oauth, oauth, oauth_body};
pub use problem::Problem;
pub use status::status_of;

use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse};

use super::body::BodyError;
use super::middleware::{PathKind, Unrecorded, path_kind};
use crate::domain::audit::{Action, Disposition, Reason};
use crate::domain::field_error::FieldError;
use crate::domain::rate::RateLimitStatus;
use crate::oauth::error::OAuthError;
use crate::service::access::{Denied, Unauthorized};
use crate::service::error::ServiceError;

/// The realm in challenges.
const REALM: &str = "sealwright";
const NO_CREDENTIALS: &str = "A bearer token or an API key is needed.";
const MALFORMED_CREDENTIALS: &str = "There are several credentials, or the Authorization field is malformed.";
const UNAVAILABLE: &str = "The service cannot do this now. Try again later.";
const FAILED: &str = "The service failed.";

/// Why a call to the management API has no other response.
#[derive(Debug)]
pub enum ApiError {
    /// The body could not be read.
    Body(BodyError),
    /// The body is not JSON by its content type.
    MediaType,
    /// The body is not a JSON object.
    MalformedJson,
    /// Fields or parameters are invalid.
    Fields(Vec<FieldError>),
    /// The caller may not.
    Unauthorized(Unauthorized),
    /// The request was refused before its use case, which has recorded nothing.
    Unread(ServiceError),
    /// The use case refused, and has recorded that.
    Service(ServiceError),
    /// Nothing has this path.
    NotHere(String),
    /// A response could not be written.
    Internal(String),
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
        let (code, detail, disposition, reason) = match self {
            Self::Service(error) => return service(error),
            Self::Unread(error) => return unrecorded(service(error), CALL, error.disposition(), error.reason()),
            Self::Unauthorized(refused) => return unauthorized(*refused),
            Self::NotHere(path) => return not_here(path),
            Self::Internal(cause) => {
                log::error!("internal: {cause}");
                return Problem::new(ProblemCode::Internal, FAILED).response();
            }
            Self::Fields(fields) => {
                let response = Problem::invalid(fields).response();
                return unrecorded(response, CALL, Disposition::Invalid, Reason::InvalidInput);
            }
            Self::Body(BodyError::TooLarge) => (
                ProblemCode::BodyTooLarge,
                "The body is larger than 64 KiB.",
                Disposition::BodyTooLarge,
                Reason::BodyTooLarge,
            ),
            Self::Body(BodyError::TooSlow) => (
                ProblemCode::BodyTooSlow,
                "The body did not arrive in time.",
                Disposition::TooSlow,
                Reason::BodyTooSlow,
            ),
            Self::Body(BodyError::Broken) => (
                ProblemCode::BodyUnreadable,
                "The body could not be read.",
                Disposition::Malformed,
                Reason::BodyUnreadable,
            ),
            Self::MediaType => (
                ProblemCode::UnsupportedMediaType,
                "The body must be application/json.",
                Disposition::UnsupportedMediaType,
                Reason::UnsupportedMediaType,
            ),
            Self::MalformedJson => (
                ProblemCode::MalformedJson,
                "The body is not a JSON object, or a member is repeated.",
                Disposition::Malformed,
                Reason::MalformedJson,
            ),
        };
        unrecorded(Problem::new(code, detail).response(), CALL, disposition, reason)
    }
}

/// A use case's error as a problem.
fn service(error: &ServiceError) -> HttpResponse {
    let code = match error {
        ServiceError::Invalid(fields) => return Problem::invalid(fields).response(),
        ServiceError::Unavailable(_) | ServiceError::File(_) | ServiceError::Overtaken => {
            log::error!("unavailable: {error}");
            return Problem::new(ProblemCode::Unavailable, UNAVAILABLE).response();
        }
        ServiceError::CallerRefused { unauthorized: refused, .. } => return unauthorized(*refused),
        ServiceError::Internal(_) => {
            log::error!("internal: {error}");
            return Problem::new(ProblemCode::Internal, FAILED).response();
        }
        ServiceError::NotFound(_) => ProblemCode::NotFound,
        ServiceError::Gone(_) => ProblemCode::Gone,
        ServiceError::ProductionOnly => ProblemCode::ProductionOnly,
        ServiceError::BeyondReach => ProblemCode::BeyondReach,
        ServiceError::ScopeExceedsCaller => ProblemCode::ScopeExceedsCaller,
        ServiceError::IdempotencyKeyReused => ProblemCode::IdempotencyKeyReused,
        ServiceError::Conflict(conflict) => ProblemCode::of(*conflict),
    };
    Problem::new(code, sentence(&error.to_string())).response()
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// A call that was refused, with its challenge (RFC 6750 §3, §3.1).
pub fn unauthorized(refused: Unauthorized) -> HttpResponse {
    let (code, detail, challenge) = match refused {
        Unauthorized::Missing => (ProblemCode::NoCredentials, NO_CREDENTIALS.to_owned(), String::new()),
        Unauthorized::Malformed => (
            ProblemCode::MalformedCredentials,
            MALFORMED_CREDENTIALS.to_owned(),
            ", error=\"invalid_request\"".to_owned(),
        ),
        Unauthorized::InvalidToken => (
            ProblemCode::InvalidToken,
            "The token or key is not in force, or not for this API.".to_owned(),
            ", error=\"invalid_token\"".to_owned(),
        ),
        Unauthorized::Insufficient(permission) => (
            ProblemCode::PermissionDenied,
            format!("This needs the permission {permission}."),
            format!(", error=\"insufficient_scope\", scope=\"{permission}\""),
        ),
        Unauthorized::RateLimited(status) => return rate_limited(&status),
        Unauthorized::TooManyFailures { retry_after } => return too_many_failures(retry_after),
        Unauthorized::Unavailable => return Problem::new(ProblemCode::Unavailable, UNAVAILABLE).response(),
    };
    challenged(Problem::new(code, detail).response(), &challenge)
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

/// A credential that is over its limits.
fn rate_limited(status: &RateLimitStatus) -> HttpResponse {
    let refuses = status.buckets().filter(|bucket| bucket.retry_after != Some(0));
    let response = Problem::rate_limited(refuses.map(|bucket| bucket.quota.name).collect()).response();
    match status.retry_after_seconds() {
        Some(seconds) => retry_later(response, seconds),
        None => response,
    }
}

fn too_many_failures(seconds: u32) -> HttpResponse {
    let detail = "Too many failed authentications. Try again later.";
    retry_later(Problem::new(ProblemCode::TooManyFailures, detail).response(), seconds)
}

/// A request that a gateway must not let pass, with its challenge (RFC 6750 §3).
pub fn denied(denied: &Denied) -> HttpResponse {
    match denied {
        Denied::Missing => challenged(Problem::new(ProblemCode::NoCredentials, NO_CREDENTIALS).response(), ""),
        Denied::Malformed => {
            let response = Problem::new(ProblemCode::MalformedCredentials, MALFORMED_CREDENTIALS).unauthenticated();
            challenged(response.response(), ", error=\"invalid_request\"")
        }
        Denied::Invalid => {
            let response = Problem::new(ProblemCode::InvalidToken, "The token or key is not accepted here.").response();
            challenged(response, ", error=\"invalid_token\"")
        }
        Denied::Forbidden(what) => Problem::forbidden((*what).into()).response(),
        Denied::Insufficient(scopes) => {
            let response = Problem::insufficient_scope(scopes.iter().map(ToString::to_string).collect()).response();
            challenged(response, &format!(", error=\"insufficient_scope\", scope=\"{scopes}\""))
        }
        Denied::RateLimited(status) => rate_limited(status),
        Denied::TooManyFailures { retry_after } => too_many_failures(*retry_after),
        Denied::Unavailable => Problem::new(ProblemCode::Unavailable, UNAVAILABLE).response(),
    }
}

/// The code of the problem that a response is, if it is one.
pub fn code_of(response: &HttpResponse) -> Option<ProblemCode> {
    response.extensions().get::<ProblemCode>().copied()
}

/// The action of a management call whose input cannot be read.
const CALL: Action = Action::ApiCall;
/// The action of a request that is refused for its head alone.
const REFUSE: Action = Action::RequestRefuse;

fn unrecorded(mut response: HttpResponse, action: Action, disposition: Disposition, reason: Reason) -> HttpResponse {
    response.extensions_mut().insert(Unrecorded { action, disposition, reason });
    response
}

/// A request whose head is refused before any route sees it.
pub fn head_refused(kind: PathKind, code: ProblemCode, detail: &'static str) -> HttpResponse {
    let response = match kind {
        PathKind::OAuth => oauth::respond(OAuthError::InvalidRequest(detail), code.status()),
        PathKind::Problem => Problem::new(code, detail).response(),
    };
    let (disposition, reason) = match code {
        ProblemCode::UriTooLong => (Disposition::TargetTooLong, Reason::UriTooLong),
        ProblemCode::HeadTooLarge => (Disposition::HeadTooLarge, Reason::HeadTooLarge),
        _ => (Disposition::Forbidden, Reason::TlsRequired),
    };
    unrecorded(response, REFUSE, disposition, reason)
}

/// A fault that no handler foresaw.
pub fn internal(kind: PathKind) -> HttpResponse {
    match kind {
        PathKind::OAuth => oauth(OAuthError::ServerError),
        PathKind::Problem => Problem::new(ProblemCode::Internal, FAILED).response(),
    }
}

/// No route has this path.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    not_here(request.path())
}

/// Nothing has this path. Below `/api/` that has an event; elsewhere nothing was asked of the service.
pub fn not_here(path: &str) -> HttpResponse {
    let response = match path_kind(path) {
        PathKind::OAuth => {
            oauth::respond(OAuthError::InvalidRequest("There is no such endpoint."), ProblemCode::NotFound.status())
        }
        PathKind::Problem => Problem::new(ProblemCode::NotFound, "No such resource.").response(),
    };
    if path.contains("/api/") {
        unrecorded(response, REFUSE, Disposition::NotFound, Reason::NotFound)
    } else {
        response
    }
}

/// The path exists, the method does not; `allow` names those that do (RFC 9110 §15.5.6).
pub fn method_not_allowed(kind: PathKind, allow: &str) -> HttpResponse {
    let mut response = match kind {
        PathKind::OAuth => {
            let status = ProblemCode::MethodNotAllowed.status();
            oauth::respond(OAuthError::InvalidRequest("The method is not allowed."), status)
        }
        PathKind::Problem => Problem::new(ProblemCode::MethodNotAllowed, "The method is not allowed here.").response(),
    };
    if let Ok(value) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(ALLOW, value);
    }
    unrecorded(response, REFUSE, Disposition::MethodNotAllowed, Reason::MethodNotAllowed)
}
