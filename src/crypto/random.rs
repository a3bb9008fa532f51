//! Randomness from the operating system, through ring.

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::CryptoError;
use crate::domain::ids::{Id, Kind};
use crate::domain::time::Timestamp;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns `N` random bytes from the operating system.
///
/// # Errors
/// The operating system provides no randomness.
pub fn bytes<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut buffer = [0; N];
    SystemRandom::new().fill(&mut buffer).map_err(|_| CryptoError)?;
    Ok(buffer)
}

/// Creates an identifier for an object that is created at `now`.
///
/// # Errors
/// The operating system provides no randomness.
pub fn id<K: Kind>(now: Timestamp) -> Result<Id<K>, CryptoError> {
    Ok(Id::new(now, &bytes()?))
}

/// Returns `length` random characters of `0–9 A–Z a–z`, each equally likely (5.95 bits per character).
///
/// # Errors
/// The operating system provides no randomness.
pub fn base62(length: usize) -> Result<Zeroizing<String>, CryptoError> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    while text.len() < length {
        let block = Zeroizing::new(bytes::<64>()?);
        // 248 is the largest multiple of 62 in a byte: larger bytes would favour the first characters.
        for byte in block.iter().filter(|byte| **byte < 248).take(length - text.len()) {
            text.push(char::from(BASE62[usize::from(byte % 62)]));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_has_the_length_and_alphabet_asked_for() {
        let text = base62(43).unwrap();
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(*text, *base62(43).unwrap());
    }
}
