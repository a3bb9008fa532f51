//! Authorization server metadata (RFC 8414).

use serde::Serialize;
use utoipa::ToSchema;

/// The metadata document of one issuer. It only names endpoints that exist.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    /// Required even without an authorization endpoint (RFC 8414 §2).
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
}

impl Metadata {
    /// Creates the document of `issuer`, which it contains byte for byte (RFC 8414 §3.3).
    pub fn new(issuer: &str) -> Self {
        const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];
        Self {
            issuer: issuer.to_owned(),
            token_endpoint: format!("{issuer}/api/oauth/token"),
            jwks_uri: format!("{issuer}/.well-known/jwks.json"),
            introspection_endpoint: format!("{issuer}/api/oauth/introspect"),
            revocation_endpoint: format!("{issuer}/api/oauth/revoke"),
            response_types_supported: [],
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: METHODS,
            introspection_endpoint_auth_methods_supported: METHODS,
            revocation_endpoint_auth_methods_supported: METHODS,
        }
    }
}
