//! The only room that names ring, aws-lc-rs, argon2 and jsonwebtoken.

pub mod client_secret;
pub mod digest;
pub mod jwt;
pub mod password;
pub mod random;
pub mod seal;
pub mod signing;

/// A cryptographic operation failed for a reason that no caller can mend: the system's randomness or memory.
#[derive(Debug, thiserror::Error)]
#[error("a cryptographic operation failed")]
pub struct CryptoError;
