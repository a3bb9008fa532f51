//! What the protocol's endpoints say when they refuse: a closed table. Texts are fixed, so that no input is ever echoed
//! (RFC 6749 §5.2 allows neither quotes, backslashes nor control characters in them).

/// Why a protocol request is refused, as far as its sender may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OAuthError {
    /// The registered error code.
    pub error: &'static str,
    /// One sentence for the developer at the other end.
    pub description: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u32>,
}

const fn bad_request(error: &'static str, description: &'static str) -> OAuthError {
    OAuthError { error, description, status: 400, retry_after: None }
}

impl OAuthError {
    /// RFC 6749 §5.2: unknown client, no authentication, wrong secret or a client that is not active: one wording.
    pub const INVALID_CLIENT: Self = Self {
        error: "invalid_client",
        description: "Client authentication failed: the client_id is unknown here, the secret is wrong, or the client is not active.",
        status: 401,
        retry_after: None,
    };
    /// RFC 6749 §5.2.
    pub const UNSUPPORTED_GRANT_TYPE: Self =
        bad_request("unsupported_grant_type", "The only grant type here is client_credentials.");
    /// RFC 6749 §5.2.
    pub const INVALID_SCOPE: Self =
        bad_request("invalid_scope", "The scope is malformed, or goes beyond what the client has.");
    /// RFC 8707 §2.
    pub const INVALID_TARGET: Self = bad_request(
        "invalid_target",
        "The resource is not an absolute URI without fragment, or not an audience that the client has.",
    );
    /// The service cannot decide or record now; also over a limit (with status 429).
    pub const UNAVAILABLE: Self = Self {
        error: "temporarily_unavailable",
        description: "The service cannot answer this now. Try again later.",
        status: 503,
        retry_after: Some(1),
    };
    /// A fault on our side.
    pub const SERVER_ERROR: Self =
        Self { error: "server_error", description: "The service failed.", status: 500, retry_after: None };

    /// RFC 6749 §5.2 `invalid_request`, with what is wrong.
    pub const fn invalid_request(description: &'static str) -> Self {
        bad_request("invalid_request", description)
    }

    /// Too many failures from one place.
    pub const fn too_many_failures(retry_after: u32) -> Self {
        Self {
            error: "temporarily_unavailable",
            description: "Too many failed authentications. Try again later.",
            status: 429,
            retry_after: Some(retry_after),
        }
    }

    /// The client asks more often than it may.
    pub const fn rate_limited(retry_after: u32) -> Self {
        Self {
            error: "temporarily_unavailable",
            description: "The client is over its rate limit. Try again later.",
            status: 429,
            retry_after: Some(retry_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_use_the_characters_that_the_standard_allows() {
        for error in [
            OAuthError::INVALID_CLIENT,
            OAuthError::UNSUPPORTED_GRANT_TYPE,
            OAuthError::INVALID_SCOPE,
            OAuthError::INVALID_TARGET,
            OAuthError::UNAVAILABLE,
            OAuthError::SERVER_ERROR,
            OAuthError::too_many_failures(1),
            OAuthError::rate_limited(1),
        ] {
            assert!(
                error.description.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                "{error:?}"
            );
        }
    }
}
