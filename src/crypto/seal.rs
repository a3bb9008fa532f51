//! Encryption at rest: AES-256-GCM under a master key (NIST SP 800-38D), through ring.
//!
//! A sealed value is a version byte, the 8-byte id of its master key, a random 12-byte nonce, and the ciphertext with
//! its tag. The purpose and the subject of a value are authenticated with it, so that one sealed value cannot replace
//! another.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::digest::sha256;
use super::{CryptoError, random};

const VERSION: u8 = 1;
const HEADER: usize = 1 + KeyId::LENGTH + NONCE_LEN;

/// The id of a master key: the first 8 bytes of a SHA-256, which reveal nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    const LENGTH: usize = 8;
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A master key of 32 bytes. Blank in `Debug`.
pub struct MasterKey {
    id: KeyId,
    key: LessSafeKey,
    text: Zeroizing<String>,
}

impl MasterKey {
    /// Creates a random key.
    ///
    /// # Errors
    /// The operating system provides no randomness.
    pub fn generate() -> Result<Self, CryptoError> {
        Self::from_bytes(&Zeroizing::new(random::bytes::<32>()?)[..]).ok_or(CryptoError)
    }

    /// Parses a key of 32 bytes from base64 (any alphabet) or 64 hexadecimal digits; `None` if it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == 64 {
            let digits: Option<Vec<u8>> = (0..64)
                .step_by(2)
                .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
                .collect();
            digits?
        } else {
            let bare = text.trim_end_matches('=');
            [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].iter().find_map(|alphabet| alphabet.decode(bare).ok())?
        };
        Self::from_bytes(&Zeroizing::new(bytes))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        let digest = sha256(&[b"sealwright master key id ", bytes].concat());
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&digest[..KeyId::LENGTH]);
        Some(Self { id: KeyId(id), key, text: Zeroizing::new(STANDARD.encode(bytes)) })
    }

    /// Returns the id, which is public.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the key in base64, only to write it to its file.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// Why a sealed value was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// None of the given master keys has this id.
    #[error("sealed under master key {0}, which is not among the given ones")]
    UnknownKey(KeyId),
    /// The value was changed, or was sealed for another purpose or subject.
    #[error("the sealed value is damaged")]
    Damaged,
}

/// The given master keys, at least one: the first seals, all open.
#[derive(Debug)]
pub struct MasterKeys(Vec<MasterKey>);

impl MasterKeys {
    /// Creates the set of keys, the sealing one first; `None` if there is none.
    pub fn new(keys: Vec<MasterKey>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Returns the keys, the sealing one first.
    pub fn all(&self) -> &[MasterKey] {
        &self.0
    }

    /// Returns the key that seals.
    pub fn first(&self) -> &MasterKey {
        &self.0[0]
    }

    /// Encrypts `plaintext` as the `purpose` of `subject`.
    ///
    /// # Errors
    /// The operating system provides no randomness.
    pub fn seal(&self, purpose: &str, subject: &str, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let MasterKey { id, key, .. } = self.first();
        let nonce = random::bytes::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(HEADER + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&id.0);
        sealed.extend_from_slice(&nonce);
        let mut body = Zeroizing::new(plaintext.to_vec());
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), associated(purpose, subject), &mut body)
            .map_err(|_| CryptoError)?;
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Decrypts a value that was sealed as the `purpose` of `subject`.
    ///
    /// # Errors
    /// None of the keys sealed the value, or it is damaged.
    pub fn open(&self, purpose: &str, subject: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let id = key_id(sealed).ok_or(OpenError::Damaged)?;
        let master = self.0.iter().find(|master| master.id == id).ok_or(OpenError::UnknownKey(id))?;
        let nonce =
            Nonce::try_assume_unique_for_key(&sealed[1 + KeyId::LENGTH..HEADER]).map_err(|_| OpenError::Damaged)?;
        let mut body = Zeroizing::new(sealed[HEADER..].to_vec());
        let length = master
            .key
            .open_in_place(nonce, associated(purpose, subject), &mut body)
            .map_err(|_| OpenError::Damaged)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

/// Returns the id of the master key that opens `sealed`; `None` if it is not a sealed value.
pub fn key_id(sealed: &[u8]) -> Option<KeyId> {
    if sealed.len() < HEADER || sealed[0] != VERSION {
        return None;
    }
    sealed[1..=KeyId::LENGTH].try_into().ok().map(KeyId)
}

fn associated(purpose: &str, subject: &str) -> Aad<Vec<u8>> {
    Aad::from([purpose.as_bytes(), b"\0", subject.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> MasterKeys {
        MasterKeys::new(bytes.iter().map(|byte| MasterKey::from_bytes(&[*byte; 32]).unwrap()).collect()).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_with_any_given_key_and_only_for_its_purpose_and_subject() {
        let sealed = keys(&[1]).seal("signing key", "kid", b"private").unwrap();
        assert_eq!(*keys(&[2, 1]).open("signing key", "kid", &sealed).unwrap(), b"private");
        assert!(matches!(keys(&[2]).open("signing key", "kid", &sealed), Err(OpenError::UnknownKey(_))));
        assert!(matches!(keys(&[1]).open("signing key", "other", &sealed), Err(OpenError::Damaged)));
        assert!(matches!(keys(&[1]).open("other", "kid", &sealed), Err(OpenError::Damaged)));
        for at in [0, HEADER, sealed.len() - 1] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(matches!(keys(&[1]).open("signing key", "kid", &damaged), Err(OpenError::Damaged)), "byte {at}");
        }
        assert!(matches!(keys(&[1]).open("signing key", "kid", &sealed[..HEADER - 1]), Err(OpenError::Damaged)));
    }

    #[test]
    fn master_keys_are_read_from_base64_and_hexadecimal() {
        let key = MasterKey::from_bytes(&[255; 32]).unwrap();
        for text in [key.expose(), &"ff".repeat(32), &"_".repeat(42), &format!(" {}\n", key.expose())] {
            let parsed = MasterKey::parse(text);
            if text.starts_with('_') {
                assert!(parsed.is_none(), "42 characters are not 32 bytes");
            } else {
                assert_eq!(parsed.unwrap().id(), key.id(), "{text}");
            }
        }
        for wrong in ["", "short", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(MasterKey::parse(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{key:?}").contains(key.expose()));
    }
}
