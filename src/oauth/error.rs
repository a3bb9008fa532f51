//! The errors of the protocol's endpoints, a closed table. The texts are fixed, so that no input is ever repeated (RFC
//! 6749 §5.2 allows neither quotes, backslashes nor control characters in them).

use crate::domain::audit::{Disposition, Reason};

/// Why a protocol request is refused, as its sender sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// RFC 6749 §5.2: a parameter is missing, malformed or repeated. The text says what is wrong, in one sentence.
    InvalidRequest(&'static str),
    /// The body cannot be read.
    UnreadableBody(UnreadableBody),
    /// RFC 6749 §5.2: the client is unknown or not active, did not authenticate, or sent a wrong secret. All have the
    /// same text.
    InvalidClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// The client exceeds its rate limit.
    RateLimited {
        /// Seconds after which to try again.
        retry_after: u32,
    },
    /// Too many failed authentications from one source.
    TooManyFailures {
        /// Seconds after which to try again.
        retry_after: u32,
    },
    /// The service cannot decide or record the request now.
    Unavailable,
    /// The service failed.
    ServerError,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableBody {
    /// It is larger than the endpoint accepts.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The connection or its framing broke.
    Broken,
    /// It is not `application/x-www-form-urlencoded`.
    NotAForm,
}

impl OAuthError {
    /// Returns the registered error code (RFC 6749 §5.2, RFC 8707 §2). RFC 6749 defines none for limits and outages;
    /// `temporarily_unavailable` is from its authorization endpoint (§4.1.2.1).
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::UnreadableBody(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::RateLimited { .. } | Self::TooManyFailures { .. } | Self::Unavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// Returns one sentence for the developer who sent the request.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(what) => what,
            Self::UnreadableBody(UnreadableBody::TooLarge) => "The body is larger than 16 KiB.",
            Self::UnreadableBody(UnreadableBody::TooSlow) => "The body did not arrive in time.",
            Self::UnreadableBody(UnreadableBody::Broken) => "The body could not be read.",
            Self::UnreadableBody(UnreadableBody::NotAForm) => "The body must be application/x-www-form-urlencoded.",
            Self::InvalidClient => {
                "Client authentication failed: the client_id is unknown here, the secret is wrong, or the client \
                 is not active."
            }
            Self::UnsupportedGrantType => "The only supported grant type is client_credentials.",
            Self::InvalidScope => "The scope is malformed, or exceeds the scopes of the client.",
            Self::InvalidTarget => {
                "The resource is not an absolute URI without fragment, or not an audience of the client."
            }
            Self::RateLimited { .. } => "The client is over its rate limit. Try again later.",
            Self::TooManyFailures { .. } => "Too many failed authentications. Try again later.",
            Self::Unavailable => "The service is temporarily unavailable. Try again later.",
            Self::ServerError => "The service failed.",
        }
    }

    /// Returns the seconds after which to try again, if they are known.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } | Self::TooManyFailures { retry_after } => Some(retry_after),
            Self::Unavailable => Some(1),
            _ => None,
        }
    }

    /// Returns the disposition of the refused request.
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::UnreadableBody(UnreadableBody::TooLarge) => Disposition::BodyTooLarge,
            Self::UnreadableBody(UnreadableBody::TooSlow) => Disposition::TooSlow,
            Self::InvalidRequest(_)
            | Self::UnreadableBody(_)
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget => Disposition::Malformed,
            Self::InvalidClient => Disposition::Unauthenticated,
            Self::RateLimited { .. } | Self::TooManyFailures { .. } => Disposition::TooMany,
            Self::Unavailable => Disposition::Unavailable,
            Self::ServerError => Disposition::Failed,
        }
    }

    /// Returns the reason for the audit event, unless a more specific one is known.
    pub const fn reason(self) -> Reason {
        match self {
            Self::InvalidRequest(_) | Self::UnreadableBody(_) => Reason::InvalidRequest,
            Self::InvalidClient => Reason::InvalidClient,
            Self::UnsupportedGrantType => Reason::UnsupportedGrantType,
            Self::InvalidScope => Reason::InvalidScope,
            Self::InvalidTarget => Reason::InvalidTarget,
            Self::RateLimited { .. } | Self::TooManyFailures { .. } => Reason::RateLimited,
            Self::Unavailable => Reason::TemporarilyUnavailable,
            Self::ServerError => Reason::ServerError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_use_the_characters_that_the_standard_allows() {
        for error in [
            OAuthError::InvalidClient,
            OAuthError::UnsupportedGrantType,
            OAuthError::InvalidScope,
            OAuthError::InvalidTarget,
            OAuthError::UnreadableBody(UnreadableBody::TooLarge),
            OAuthError::UnreadableBody(UnreadableBody::TooSlow),
            OAuthError::UnreadableBody(UnreadableBody::Broken),
            OAuthError::UnreadableBody(UnreadableBody::NotAForm),
            OAuthError::Unavailable,
            OAuthError::ServerError,
            OAuthError::TooManyFailures { retry_after: 1 },
            OAuthError::RateLimited { retry_after: 1 },
        ] {
            let is_allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(error.description().bytes().all(is_allowed), "{error:?}");
        }
    }
}
