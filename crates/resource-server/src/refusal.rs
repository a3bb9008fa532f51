//! Refusals: why a request is not served, and the response (RFC 6750 section 3).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// The reason why a request is refused. The reason does not tell an unknown credential from one that is revoked,
/// expired or disabled, so that a caller does not learn which credentials exist.
///
/// ```
/// use sealwright_resource_server::Reason;
///
/// fn should_retry(reason: Reason) -> bool {
///     matches!(reason, Reason::RateLimited { .. } | Reason::Unavailable { .. })
/// }
/// assert!(!should_retry(Reason::InvalidToken));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The request has no credential: 401, without an error code (RFC 6750 section 3.1).
    #[error("An access token or an API key is required")]
    NoCredential,
    /// The request has more than one credential, or a header that is not text: 400.
    #[error("The request has more than one credential, or one that cannot be read")]
    InvalidRequest,
    /// The token is malformed, expired, or not issued for this API: 401.
    #[error("The access token is expired, malformed or not meant for this API")]
    InvalidToken,
    /// The API key is unknown or not active: 401.
    #[error("The API key is unknown or no longer active")]
    InvalidKey,
    /// The credential lacks one of these scopes: 403.
    #[error("The credential lacks a scope")]
    InsufficientScope(&'static [&'static str]),
    /// The API key is not allowed from the caller's address: 403.
    #[error("The API key is not allowed from this address")]
    AddressNotAllowed,
    /// The credential is tied to other customers: 403.
    #[error("The credential is tied to other customers")]
    WrongCustomer,
    /// The API key is over its rate limit: 429.
    #[error("The API key is over its rate limit")]
    RateLimited {
        /// The seconds to wait before the next attempt.
        retry_after: u64,
    },
    /// Sealwright cannot be reached, so the credential is neither accepted nor rejected: 503. The caller should try
    /// again.
    #[error("Credentials cannot be verified at the moment")]
    Unavailable {
        /// The seconds to wait before the next attempt.
        retry_after: u64,
    },
    /// The service has no [`ResourceServer`](crate::ResourceServer) in its `app_data`: 500.
    #[error("The service is misconfigured")]
    Misconfigured,
}

impl Reason {
    /// Returns the error code: one of RFC 6750 section 3.1, or `access_denied`.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken | Self::InvalidKey => Some("invalid_token"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
            Self::AddressNotAllowed | Self::WrongCustomer => Some("access_denied"),
            Self::NoCredential | Self::RateLimited { .. } | Self::Unavailable { .. } | Self::Misconfigured => None,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::NoCredential | Self::InvalidToken | Self::InvalidKey => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) | Self::AddressNotAllowed | Self::WrongCustomer => StatusCode::FORBIDDEN,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the value of `WWW-Authenticate`, if another credential would help.
    fn challenge(self, realm: &str) -> Option<String> {
        let scope = match self {
            Self::NoCredential => return Some(format!(r#"Bearer realm="{realm}""#)),
            Self::InvalidRequest | Self::InvalidToken | Self::InvalidKey => String::new(),
            Self::InsufficientScope(scopes) => format!(r#", scope="{}""#, scopes.join(" ")),
            _ => return None,
        };
        let code = self.code()?;
        Some(format!(r#"Bearer realm="{realm}", error="{code}", error_description="{self}"{scope}"#))
    }
}

/// The response to a refused request: JSON with `error` and `error_description`.
///
/// ```
/// use actix_web::ResponseError;
/// use actix_web::http::header::WWW_AUTHENTICATE;
/// use sealwright_resource_server::Refusal;
///
/// fn challenge(refusal: &Refusal) -> Option<String> {
///     let response = refusal.error_response();
///     response.headers().get(WWW_AUTHENTICATE)?.to_str().ok().map(str::to_owned)
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    reason: Reason,
    realm: Arc<str>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, realm: Arc<str>) -> Self {
        Self { reason, realm }
    }

    /// Returns the reason of the refusal.
    ///
    /// ```
    /// use sealwright_resource_server::{Reason, Refusal};
    ///
    /// fn lacks_scope(refusal: &Refusal) -> bool {
    ///     matches!(refusal.reason(), Reason::InsufficientScope(_))
    /// }
    /// ```
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    error_description: String,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.reason.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(challenge) = self.reason.challenge(&self.realm) {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Reason::RateLimited { retry_after } | Reason::Unavailable { retry_after } = self.reason {
            response.insert_header((RETRY_AFTER, retry_after));
        }
        response.json(Body { error: self.reason.code(), error_description: self.to_string() })
    }
}
