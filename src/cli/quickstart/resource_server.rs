//! The resource server's part of the demonstration.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::cli::CliError;
use crate::clock::Clock;
use crate::crypto::jwt::{TokenVerifier, verify};
use crate::domain::environment::Environment;
use crate::domain::signing_key::{PublicJwk, SigningKey};
use crate::domain::time::{Duration, Timestamp};

/// Verifies a token as a resource server does, by the published key that its `kid` names, and returns its header and
/// claims.
pub(super) fn verify_offline(token: &str, issuer: &str, jwks: &Value) -> Result<(String, String), CliError> {
    let unverified = || CliError::Failed("the token does not verify against the published keys".to_owned());
    let at = Timestamp::from_millis(0);
    let verifiers: Vec<(String, TokenVerifier)> = jwks["keys"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|jwk| {
            let kid = jwk["kid"].as_str()?;
            let key = SigningKey {
                kid: kid.into(),
                environment: Environment::Production,
                algorithm: jwk["alg"].as_str()?.parse().ok()?,
                generation: 0,
                public_jwk: PublicJwk::from_json(jwk.to_string()),
                created_at: at,
                activates_at: at,
                retires_at: None,
                destroyed_at: None,
            };
            Some((kid.to_owned(), TokenVerifier::new(&key).ok()?))
        })
        .collect();
    // Like a resource server, allow for a small difference of clocks.
    let now = Clock::system().now().minus(Duration::seconds(5));
    verify(token, issuer, now, |kid| verifiers.iter().find(|(known, _)| known == kid).map(|(_, verifier)| verifier))
        .map_err(|_| unverified())?;
    let mut parts =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok()));
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(header), Some(claims)) => Ok((header, claims)),
        _ => Err(unverified()),
    }
}
