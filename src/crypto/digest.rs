//! Hashes and keyed digests, through ring.

use ring::{digest, hmac};
use subtle::ConstantTimeEq as _;

use super::{CryptoError, random};

/// Computes the SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// Compares two byte strings in time that depends only on their lengths.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// A key for HMAC-SHA-256 over delimited fields.
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// Creates a random key that exists only as long as this process.
    ///
    /// # Errors
    /// The operating system provides no randomness.
    pub fn ephemeral() -> Result<Self, CryptoError> {
        Ok(Self::new(&random::bytes::<32>()?))
    }

    /// Creates the key of these bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Computes the digest of `fields`, each preceded by its length, so that different lists of fields have different
    /// digests.
    pub fn digest(&self, fields: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for field in fields {
            context.update(&(field.len() as u64).to_be_bytes());
            context.update(field);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_delimited() {
        let key = DigestKey::new(&[7; 32]);
        assert_ne!(key.digest(&[b"ab", b"c"]), key.digest(&[b"a", b"bc"]));
        assert_eq!(key.digest(&[b"ab", b"c"]), key.digest(&[b"ab", b"c"]));
    }

    #[test]
    fn equality_is_of_the_whole() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"ab"));
    }
}
