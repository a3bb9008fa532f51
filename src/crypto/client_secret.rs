//! Client secrets: `sws_` and 43 random base-62 characters (256 bits), and the keyed digests that prove them.
//!
//! A secret with so many random bits cannot be guessed, so that a fast digest proves it as well as Argon2 does. The
//! digest's key is an additional protection: whoever can only read the table cannot even check a guess.

use zeroize::Zeroizing;

use super::digest::DigestKey;
use super::{CryptoError, random};
use crate::domain::credential::{KeyedDigest, RawClientSecret};

const PREFIX: &str = "sws_";
const RANDOM_LENGTH: usize = 43;

/// Generates a secret of 256 random bits.
///
/// # Errors
/// The operating system provides no randomness.
pub fn generate() -> Result<RawClientSecret, CryptoError> {
    let random = random::base62(RANDOM_LENGTH)?;
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + RANDOM_LENGTH));
    text.push_str(PREFIX);
    text.push_str(&random);
    Ok(RawClientSecret::new(text))
}

/// Computes the digests of client secrets under the installation's key.
#[derive(Debug)]
pub struct SecretDigester {
    key: DigestKey,
    key_name: [u8; 4],
}

impl SecretDigester {
    /// Creates a digester with the installation's key.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = DigestKey::new(key);
        let [a, b, c, d, ..] = key.digest(&[b"name of the key"]);
        Self { key, key_name: [a, b, c, d] }
    }

    /// Computes the digest of a secret of `client`, whatever text it is.
    pub fn digest(&self, client: &str, secret: &str) -> KeyedDigest {
        let digest = self.key.digest(&[b"client secret", client.as_bytes(), secret.as_bytes()]);
        KeyedDigest { key: self.key_name, digest }
    }

    /// Returns whether `digest` was computed under this key, so that it can be compared with others of it.
    pub fn knows(&self, digest: &KeyedDigest) -> bool {
        digest.key == self.key_name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_random_bits_and_is_blank_in_debug_output() {
        let (first, second) = (generate().unwrap(), generate().unwrap());
        assert_ne!(first.expose(), second.expose());
        assert_eq!(first.expose().len(), PREFIX.len() + RANDOM_LENGTH);
        assert!(first.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert_eq!(format!("{first:?}"), "RawClientSecret");
    }

    #[test]
    fn a_digest_is_of_one_secret_of_one_client_under_one_key() {
        let (digester, other) = (SecretDigester::new(&[1; 32]), SecretDigester::new(&[2; 32]));
        let digest = digester.digest("cli_1", "secret");
        assert!(digest == digester.digest("cli_1", "secret"));
        for different in
            [digester.digest("cli_2", "secret"), digester.digest("cli_1", "Secret"), other.digest("cli_1", "secret")]
        {
            assert!(digest.digest != different.digest);
        }
        assert!(digester.knows(&digest) && !other.knows(&digest));
        assert!(KeyedDigest::from_bytes(&digest.to_bytes()) == Some(digest));
        assert!(KeyedDigest::from_bytes(&digest.to_bytes()[1..]).is_none());
    }
}
