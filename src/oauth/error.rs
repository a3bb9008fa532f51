//! How the protocol's endpoints refuse: a closed table. Texts are fixed, so that no input is ever echoed (RFC 6749 §5.2
//! allows neither quotes, backslashes nor control characters in them).

use crate::domain::audit::{Disposition, Reason};

/// Why a protocol request is refused, as far as its sender may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// RFC 6749 §5.2: a parameter is missing, malformed or repeated; what is wrong, in one sentence.
    InvalidRequest(&'static str),
    /// The body cannot be read.
    UnreadableBody(UnreadableBody),
    /// RFC 6749 §5.2: unknown client, no authentication, wrong secret or a client that is not active: one wording.
    InvalidClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// The client asks more often than it may.
    RateLimited {
        /// Seconds after which it is worth trying again.
        retry_after: u32,
    },
    /// Too many failures come from one source.
    TooManyFailures {
        /// Seconds after which it is worth trying again.
        retry_after: u32,
    },
    /// The service cannot decide or record now.
    Unavailable,
    /// A fault on our side.
    ServerError,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableBody {
    /// Longer than the endpoint takes.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The connection or its framing broke.
    Broken,
    /// It is not `application/x-www-form-urlencoded`.
    NotAForm,
}

impl OAuthError {
    /// The registered error code (RFC 6749 §5.2, RFC 8707 §2). RFC 6749 defines none for limits and outages; this one is
    /// its authorization endpoint's (§4.1.2.1).
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

    /// One sentence for the developer who sent the request.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(what) => what,
            Self::UnreadableBody(UnreadableBody::TooLarge) => "The body is larger than 16 KiB.",
            Self::UnreadableBody(UnreadableBody::TooSlow) => "The body did not arrive in time.",
            Self::UnreadableBody(UnreadableBody::Broken) => "The body could not be read.",
            Self::UnreadableBody(UnreadableBody::NotAForm) => "The body must be application/x-www-form-urlencoded.",
            Self::InvalidClient => {
                "Client authentication failed: the client_id is unknown here, the secret is wrong, or the client is not active."
            }
            Self::UnsupportedGrantType => "The only supported grant type is client_credentials.",
            Self::InvalidScope => "The scope is malformed, or exceeds what the client has.",
            Self::InvalidTarget => {
                "The resource is not an absolute URI without fragment, or not an audience that the client has."
            }
            Self::RateLimited { .. } => "The client is over its rate limit. Try again later.",
            Self::TooManyFailures { .. } => "Too many failed authentications. Try again later.",
            Self::Unavailable => "The service is temporarily unavailable. Try again later.",
            Self::ServerError => "The service failed.",
        }
    }

    /// Seconds after which it is worth trying again, where that is known.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } | Self::TooManyFailures { retry_after } => Some(retry_after),
            Self::Unavailable => Some(1),
            _ => None,
        }
    }

    /// What becomes of the request.
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

    /// The reason of the audit event, where the true one is no secret.
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
