//! Hashing, sealing and signing: the only layer that names ring, aws-lc-rs, argon2 and jsonwebtoken.

pub mod client_secret;
pub mod digest;
pub mod jwt;
pub mod password;
pub mod random;
pub mod seal;
pub mod signing;

/// A cryptographic operation failed. No caller can prevent it: the system lacks randomness or memory.
#[derive(Debug, thiserror::Error)]
#[error("a cryptographic operation failed")]
pub struct CryptoError;
