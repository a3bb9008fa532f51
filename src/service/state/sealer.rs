//! The master keys in use: encrypt (seal) and decrypt (open) what is stored encrypted.

use std::sync::Arc;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use crate::config::{MasterKeyError, MasterKeySource};
use crate::crypto::seal::{MasterKeys, OpenError};
use crate::service::error::ServiceError;

/// What a sealed value is; part of what is authenticated with it.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// The private half of a signing key; the subject is its `kid`.
    SigningKey,
    /// The key of the tags in client secrets.
    TagKey,
    /// A secret kept for repeated requests; the subject is the actor and the `Idempotency-Key`.
    KeptSecret,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing key",
            Self::TagKey => "client secret tag key",
            Self::KeptSecret => "idempotent secret",
        }
    }
}

/// The master keys, and where to read them again.
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
    /// A sealer with the keys of `source`.
    pub fn new(source: MasterKeySource, keys: MasterKeys) -> Self {
        Self { source, keys: ArcSwap::from_pointee(keys) }
    }

    /// Where the keys come from.
    pub fn source(&self) -> &MasterKeySource {
        &self.source
    }

    /// The keys in use.
    pub fn keys(&self) -> Arc<MasterKeys> {
        self.keys.load_full()
    }

    /// Reads the keys again.
    ///
    /// # Errors
    /// They cannot be read; those in use stay.
    pub fn reread(&self) -> Result<(), MasterKeyError> {
        self.keys.store(Arc::new(self.source.read()?));
        Ok(())
    }

    /// Seals `plaintext` as the `purpose` of `subject`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn seal(&self, purpose: Purpose, subject: &str, plaintext: &[u8]) -> Result<Vec<u8>, ServiceError> {
        Ok(self.keys.load().seal(purpose.as_str(), subject, plaintext)?)
    }

    /// Opens a sealed value. Where its master key is not known, the source is read again: it may have been replaced.
    ///
    /// # Errors
    /// The key cannot be found, or the value is damaged.
    pub fn open(&self, purpose: Purpose, subject: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match self.keys.load().open(purpose.as_str(), subject, sealed) {
            Err(OpenError::UnknownKey(id)) => {
                if let Err(error) = self.reread() {
                    log::warn!("master keys could not be read again: {error}");
                    return Err(OpenError::UnknownKey(id));
                }
                self.keys.load().open(purpose.as_str(), subject, sealed)
            }
            opened => opened,
        }
    }
}
