//! The protocol's endpoints. Below each issuer are the same paths.

use crate::domain::environment::Environment;
use crate::http::endpoint::{Endpoint, op};
use crate::http::oauth;
use crate::http::reference::samples;

fn below(environment: Environment, path: &str) -> Endpoint {
    let path = format!("{}{path}", environment.path_prefix());
    Endpoint::at("Tokens", path).below(oauth::Issuer(environment))
}

pub fn tokens(environment: Environment) -> Vec<Endpoint> {
    let at = |path: &str| below(environment, path);
    vec![
        at("/api/oauth/token").with_oauth_errors().post(
            op(
                "create_token",
                "Create a token",
                "The client credentials grant (RFC 6749 §4.4). The client authenticates with HTTP Basic or in the \
                 form, not both.",
            )
            .with_samples(&samples::TOKEN),
            oauth::token,
        ),
        at("/api/oauth/introspect").with_oauth_errors().post(
            op(
                "introspect_token",
                "Introspect a token",
                "RFC 7662. A client sees its own tokens, tokens of audiences that it is the resource server of, and \
                 with `sealwright.tokens:introspect` all tokens. If it is tied to customers, others' tokens must be \
                 tied to these only. Every other token is not active.",
            ),
            oauth::introspect,
        ),
        at("/api/oauth/revoke").with_oauth_errors().post(
            op(
                "revoke_token",
                "Revoke a token",
                "RFC 7009. A client revokes its own tokens. For any other token nothing happens, and the response is \
                 the same.",
            ),
            oauth::revoke,
        ),
    ]
}

/// Metadata is served in both spellings: the well-known part before the issuer's path (RFC 8414 §3.1) and after it
/// (OpenID Connect Discovery).
pub fn well_known(environment: Environment) -> Vec<Endpoint> {
    let at = |path: &str| below(environment, path);
    vec![
        at("/.well-known/jwks.json").get(
            op(
                "get_jwks",
                "Show the public keys",
                "RFC 7517 §5: every key that a token in force may be signed with, and the next ones.",
            ),
            oauth::jwks,
        ),
        at("/.well-known/oauth-authorization-server").get(
            op(
                "get_metadata",
                "Show the issuer's metadata",
                "RFC 8414: where its endpoints are, and what they accept.",
            ),
            oauth::metadata,
        ),
        at("/.well-known/openid-configuration").get(
            op(
                "get_openid_configuration",
                "Show the issuer's metadata as OpenID Connect Discovery has it",
                "The same as RFC 8414 metadata.",
            ),
            oauth::metadata,
        ),
    ]
}

/// Metadata where a `public_url` with a path has it: the well-known part is between the host and this path, which no
/// proxy removes there (RFC 8414 §3.1).
pub fn well_known_before(issuer_path: &str, environment: Environment) -> Vec<Endpoint> {
    let prefix = environment.path_prefix();
    ["oauth-authorization-server", "openid-configuration"]
        .map(|name| {
            Endpoint::at("Tokens", format!("/.well-known/{name}{issuer_path}{prefix}"))
                .below(oauth::Issuer(environment))
                .get(op("get_metadata_by_path", "Show the issuer's metadata", "RFC 8414 §3.1."), oauth::metadata)
        })
        .into()
}
