//! Encrypts (seals) and decrypts (opens) stored values with the master keys.

use std::sync::Arc;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use crate::config::{MasterKeyError, MasterKeySource};
use crate::crypto::seal::{MasterKeys, OpenError};
use crate::service::error::ServiceError;

/// The purpose of a sealed value, which is authenticated with it.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// The private key of a signing key; the subject is its `kid`.
    SigningKey,
    /// The key of the digests of client secrets.
    DigestKey,
    /// A secret kept for repeated requests; the subject is the actor and the `Idempotency-Key`.
    KeptSecret,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing key",
            Self::DigestKey => "client secret digest key",
            Self::KeptSecret => "idempotent secret",
        }
    }
}

/// The master keys, and the source to reload them from.
pub struct Sealer {
    source: MasterKeySource,
    keys: ArcSwap<MasterKeys>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({:?})", self.source)
    }
}

impl Sealer {
    /// Creates a sealer with `keys`, which `source` provided.
    pub fn new(source: MasterKeySource, keys: MasterKeys) -> Self {
        Self { source, keys: ArcSwap::from_pointee(keys) }
    }

    /// Returns the source of the keys.
    pub fn source(&self) -> &MasterKeySource {
        &self.source
    }

    /// Returns the keys that are loaded.
    pub fn keys(&self) -> Arc<MasterKeys> {
        self.keys.load_full()
    }

    /// Reloads the keys from their source.
    ///
    /// # Errors
    /// The keys cannot be read; the loaded ones stay.
    pub fn reread(&self) -> Result<(), MasterKeyError> {
        self.keys.store(Arc::new(self.source.read()?));
        Ok(())
    }

    /// Seals `plaintext` as the `purpose` of `subject`.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub fn seal(&self, purpose: Purpose, subject: &str, plaintext: &[u8]) -> Result<Vec<u8>, ServiceError> {
        Ok(self.keys.load().seal(purpose.as_str(), subject, plaintext)?)
    }

    /// Opens a sealed value. If its master key is unknown, reloads the source first: it may have been replaced.
    ///
    /// # Errors
    /// The master key cannot be found, or the value is damaged.
    pub fn open(&self, purpose: Purpose, subject: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match self.keys.load().open(purpose.as_str(), subject, sealed) {
            Err(OpenError::UnknownKey(id)) => {
                if let Err(error) = self.reread() {
                    log::warn!("master keys could not be reloaded: {error}");
                    return Err(OpenError::UnknownKey(id));
                }
                self.keys.load().open(purpose.as_str(), subject, sealed)
            }
            opened => opened,
        }
    }
}
