//! Creates the secrets of clients and the values of API keys.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::client_secret::{self, SecretDigester};
use crate::crypto::password::PasswordPool;
use crate::crypto::{digest, random};
use crate::domain::credential::{
    Brand, CredentialId, CredentialKind, RANDOM_LENGTH, RawApiKey, RawClientSecret, RawSecret, SecretHash, StoredSecret,
};
use crate::domain::environment::Environment;
use crate::domain::ids::SecretId;
use crate::domain::time::Timestamp;
use crate::service::error::ServiceError;

/// Creates secrets, both as they are shown once and as they are stored.
#[derive(Debug)]
pub struct SecretFactory {
    /// Computes the digests that requests are checked against.
    pub digester: Arc<SecretDigester>,
    /// Hashes the secrets of clients with Argon2, for the case that the key of the digests is lost.
    pub passwords: Arc<PasswordPool>,
    /// The prefix of API keys.
    pub key_brand: Brand,
}

impl SecretFactory {
    /// Creates a secret for the credential `id` of `environment`. For a client this runs Argon2: call it before any
    /// transaction is open.
    ///
    /// # Errors
    /// Argon2 is overloaded, or the operating system provides no randomness.
    pub async fn create(
        &self,
        id: &CredentialId,
        environment: Environment,
        now: Timestamp,
    ) -> Result<(StoredSecret, RawSecret), ServiceError> {
        let secret_id: SecretId = random::id(now)?;
        let stored = |hash, prefix: &str, last_four: &str| StoredSecret {
            id: secret_id.clone(),
            hash,
            prefix: prefix.to_owned(),
            last_four: last_four.to_owned(),
            created_at: now,
            ends_at: None,
            last_use: None,
        };
        match id {
            CredentialId::Client(client) => {
                let raw = client_secret::generate()?;
                let hash = SecretHash::Client {
                    argon2id: self.passwords.hash(raw.expose()).await?,
                    digest: Some(self.digester.digest(client.as_str(), raw.expose())),
                };
                Ok((stored(hash, "", raw.last_four()), RawSecret::Client(raw)))
            }
            CredentialId::ApiKey(_) => {
                let raw = RawApiKey::compose(&self.key_brand, environment, &random::base62(RANDOM_LENGTH)?);
                let hash = SecretHash::Sha256(digest::sha256(raw.expose().as_bytes()));
                Ok((stored(hash, raw.prefix(), raw.last_four()), RawSecret::ApiKey(raw)))
            }
        }
    }

    /// Parses a secret of a credential of `kind` that was kept as text.
    pub fn raw(kind: CredentialKind, text: Zeroizing<String>) -> Option<RawSecret> {
        match kind {
            CredentialKind::Client => Some(RawSecret::Client(RawClientSecret::new(text))),
            CredentialKind::ApiKey => RawApiKey::parse(&text).map(RawSecret::ApiKey),
        }
    }
}
