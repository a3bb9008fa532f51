//! Authorization server metadata (RFC 8414), which is OpenID Connect Discovery's document, too.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::scope::Scope;
use crate::domain::signing_key::Algorithm;

/// How clients authenticate at every endpoint.
const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// The metadata document of one issuer. It only names endpoints that exist.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    /// Scopes that the registry describes, by name; absent if there are none. Other scopes may be granted, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<Scope>,
    /// `none`: there is no authorization endpoint. The member is required all the same (RFC 8414 §2), and must not be
    /// empty (§3.2).
    response_types_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    /// `public`. There are no ID tokens; libraries for OpenID Connect require the member.
    subject_types_supported: [&'static str; 1],
    /// The algorithms that access tokens are signed with. There are no ID tokens; libraries for OpenID Connect require
    /// the member, and accept no other algorithms.
    id_token_signing_alg_values_supported: Vec<Algorithm>,
}

impl Metadata {
    /// Creates the document of `issuer`, which it contains byte for byte (RFC 8414 §3.3).
    pub fn new(issuer: &str, algorithms: &[Algorithm], scopes: &[Scope]) -> Self {
        Self {
            issuer: issuer.to_owned(),
            token_endpoint: format!("{issuer}/api/oauth/token"),
            jwks_uri: format!("{issuer}/.well-known/jwks.json"),
            introspection_endpoint: format!("{issuer}/api/oauth/introspect"),
            revocation_endpoint: format!("{issuer}/api/oauth/revoke"),
            scopes_supported: scopes.to_vec(),
            response_types_supported: ["none"],
            grant_types_supported: ["client_credentials"],
            token_endpoint_auth_methods_supported: METHODS,
            introspection_endpoint_auth_methods_supported: METHODS,
            revocation_endpoint_auth_methods_supported: METHODS,
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: algorithms.to_vec(),
        }
    }
}
