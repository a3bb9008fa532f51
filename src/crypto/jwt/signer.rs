//! Signing with parsed keys.
//!
//! jsonwebtoken asks a process-wide provider for a signer at each call and passes it the key's bytes. Our provider
//! keeps parsed key pairs in a table; the "key" that jsonwebtoken passes is the number of an entry.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, aws_lc};
use jsonwebtoken::{EncodingKey, Header};
use parking_lot::RwLock;

use super::jws_algorithm;
use crate::crypto::CryptoError;
use crate::crypto::signing::KeyPair;
use crate::domain::signing_key::Algorithm;
use crate::domain::token::{Claims, TokenTyp};

static PARSED: LazyLock<RwLock<HashMap<u64, Arc<KeyPair>>>> = LazyLock::new(RwLock::default);

static PROVIDER: LazyLock<CryptoProvider> =
    LazyLock::new(|| CryptoProvider { signer_factory: parsed_signer, ..aws_lc::DEFAULT_PROVIDER.clone() });

/// Installs the provider that signs with parsed keys. Call it once, when the process starts; further calls change
/// nothing.
pub fn install_provider() {
    let _already = PROVIDER.install_default();
}

struct ParsedSigner(Arc<KeyPair>);

impl signature::Signer<Vec<u8>> for ParsedSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(message).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for ParsedSigner {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jws_algorithm(self.0.algorithm())
    }
}

// The factory's type is jsonwebtoken's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn parsed_signer(
    algorithm: &jsonwebtoken::Algorithm,
    key: &EncodingKey,
) -> jsonwebtoken::errors::Result<Box<dyn JwtSigner>> {
    let entry = key.as_bytes().try_into().ok().map(u64::from_be_bytes);
    match entry.and_then(|entry| PARSED.read().get(&entry).cloned()) {
        Some(pair) if jws_algorithm(pair.algorithm()) == *algorithm => Ok(Box::new(ParsedSigner(pair))),
        Some(_) => Err(jsonwebtoken::errors::new_error(jsonwebtoken::errors::ErrorKind::InvalidAlgorithm)),
        None => (aws_lc::DEFAULT_PROVIDER.signer_factory)(algorithm, key),
    }
}

/// A key that signs access tokens. Its parsed pair is removed from the process's table when it is dropped.
pub struct TokenSigner {
    entry: u64,
    key: EncodingKey,
    header: Header,
    plain_header: Header,
}

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenSigner({:?})", self.header.kid)
    }
}

impl TokenSigner {
    /// Creates a signer with `pair`, whose tokens name `kid`.
    pub fn new(kid: &str, pair: KeyPair) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let entry = NEXT.fetch_add(1, Ordering::Relaxed);
        let algorithm = pair.algorithm();
        let bytes = entry.to_be_bytes();
        let key = match algorithm {
            Algorithm::Es256 => EncodingKey::from_ec_der(&bytes),
            Algorithm::Rs256 => EncodingKey::from_rsa_der(&bytes),
            Algorithm::EdDsa => EncodingKey::from_ed_der(&bytes),
        };
        let header = |typ: TokenTyp| Header {
            typ: Some(typ.as_str().to_owned()),
            kid: Some(kid.to_owned()),
            ..Header::new(jws_algorithm(algorithm))
        };
        PARSED.write().insert(entry, Arc::new(pair));
        Self { entry, key, header: header(TokenTyp::AtJwt), plain_header: header(TokenTyp::Jwt) }
    }

    /// Signs `claims` as a JWT of this type in compact serialisation.
    ///
    /// # Errors
    /// The library fails to sign.
    pub fn sign(&self, typ: TokenTyp, claims: &Claims<'_>) -> Result<String, CryptoError> {
        let header = match typ {
            TokenTyp::AtJwt => &self.header,
            TokenTyp::Jwt => &self.plain_header,
        };
        jsonwebtoken::encode(header, claims, &self.key).map_err(|_| CryptoError)
    }
}

impl Drop for TokenSigner {
    fn drop(&mut self) {
        PARSED.write().remove(&self.entry);
    }
}
