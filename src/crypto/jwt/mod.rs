//! JWS compact serialisation through jsonwebtoken: signing with parsed keys, and strict verification.

mod signer;
#[cfg(test)]
mod tests;
mod verifier;

pub use signer::{TokenSigner, install_provider};
pub use verifier::{TokenError, TokenVerifier, verify};

use crate::domain::signing_key::Algorithm;

const fn jws_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}
