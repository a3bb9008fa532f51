//! Why a request is not served, and how that is answered (RFC 6750 section 3).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// Why a request is not served. One wording stands for all that makes a credential worthless: whether it ever existed is
/// nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// There is no credential: 401, without an error code (RFC 6750 section 3.1).
    #[error("This needs an access token or an API key")]
    NoCredential,
    /// There is more than one credential, or a header that is no text: 400.
    #[error("The request has more than one credential, or one that cannot be read")]
    InvalidRequest,
    /// The token is no token that this API accepts: 401.
    #[error("The access token is expired, malformed or not meant for this API")]
    InvalidToken,
    /// Sealwright does not know the key, or it is not in force: 401.
    #[error("The API key is unknown or no longer in force")]
    InvalidKey,
    /// The credential lacks one of these scopes: 403.
    #[error("The credential lacks a scope")]
    InsufficientScope(&'static [&'static str]),
    /// The key may not be used from the caller's address: 403.
    #[error("The API key may not be used from this address")]
    AddressNotAllowed,
    /// The key is tied to another customer: 403.
    #[error("The API key belongs to another customer")]
    WrongCustomer,
    /// The key is over its limit: 429.
    #[error("The API key is over its rate limit")]
    RateLimited {
        /// Seconds.
        retry_after: u64,
    },
    /// Neither yes nor no, for Sealwright cannot be asked: 503. The caller is to come again, not to throw its credential
    /// away.
    #[error("Credentials cannot be verified at the moment")]
    Unavailable {
        /// Seconds.
        retry_after: u64,
    },
    /// The service has no [`ResourceServer`](crate::ResourceServer) among its `app_data`: 500.
    #[error("The service is not set up")]
    Misconfigured,
}

impl Reason {
    /// The error code of RFC 6750 section 3.1, or one beside it, where there is one.
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

    /// What the caller should bring along, where another credential would help.
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

/// The answer to a request that is not served: JSON with an `error` and its `error_description`.
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

    /// Why.
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
