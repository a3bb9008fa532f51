//! The reasons why a resource server cannot be built.

use crate::http::UrlError;

/// The reason why a [`ResourceServer`](crate::ResourceServer) cannot be built.
///
/// ```
/// use sealwright_resource_server::ResourceServer;
///
/// let error = ResourceServer::builder("https://auth.example.com", "").build().unwrap_err();
/// assert_eq!(error.to_string(), "the audience is empty");
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BuildError(#[from] Problem);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the issuer: {0}")]
    Issuer(UrlError),
    #[error("Sealwright's address: {0}")]
    Address(UrlError),
    #[error("the audience is empty")]
    NoAudience,
    #[error("the realm has a quotation mark, a backslash or a character that is not visible ASCII")]
    Realm,
    #[error("the service's own API key is empty or not a valid header value")]
    OwnKey,
    #[error("the HTTP client: {0}")]
    Client(reqwest::Error),
}
