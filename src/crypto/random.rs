//! Randomness from the operating system, through ring.

use std::cell::RefCell;

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

/// Random bytes of an identifier.
const ID: usize = 10;
/// Random bytes that identifiers take from the operating system at once.
const BLOCK: usize = 128 * ID;

thread_local! {
    /// Random bytes of identifiers that are not created yet.
    static OF_NEXT_IDS: RefCell<Vec<[u8; ID]>> = const { RefCell::new(Vec::new()) };
}

/// Creates an identifier for an object that is created at `now`.
///
/// Identifiers are no secrets, so their randomness may wait in memory: a call of the operating system for each costs
/// more than the identifier.
///
/// # Errors
/// The operating system provides no randomness.
pub fn id<K: Kind>(now: Timestamp) -> Result<Id<K>, CryptoError> {
    let random = OF_NEXT_IDS.with_borrow_mut(|next| {
        if next.is_empty() {
            next.extend(bytes::<BLOCK>()?.as_chunks::<ID>().0);
        }
        next.pop().ok_or(CryptoError)
    })?;
    Ok(Id::new(now, &random))
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
    use std::collections::HashSet;

    use super::*;
    use crate::domain::ids::EventKind;

    #[test]
    fn identifiers_differ_beyond_one_block_and_between_threads() {
        let ids = || (0..1_000).map(|_| id::<EventKind>(Timestamp::from_millis(1)).unwrap().to_bytes());
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || ids().collect::<Vec<_>>())).collect();
        let all: HashSet<[u8; 16]> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 4_000);
    }

    #[test]
    fn random_text_has_the_length_and_alphabet_asked_for() {
        let text = base62(43).unwrap();
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(*text, *base62(43).unwrap());
    }
}
