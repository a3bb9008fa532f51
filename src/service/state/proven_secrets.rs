//! Proves client secrets: by the keyed digests that are stored with generated ones, or else by Argon2.
//!
//! What Argon2 has proved is remembered in this process as keyed digests, separately from the clients, so that a change
//! of a client's settings costs no second Argon2. Whether a secret is still live is stored with its client.

use std::sync::Arc;

use quick_cache::sync::Cache as QuickCache;

use crate::crypto::client_secret::SecretDigester;
use crate::crypto::digest::{DigestKey, equal};
use crate::crypto::password::{PasswordError, PasswordPool};
use crate::domain::credential::{LIVE_SECRETS_MAX, SecretHash, StoredSecret};

/// Secrets that Argon2 proved and that are remembered, at about 60 bytes each.
const REMEMBERED: usize = 262_144;

/// A secret that Argon2 proved: half a keyed digest of it and of the id that it is stored under.
type Proof = [u8; 16];

/// Proves client secrets by their stored digests, and by Argon2 those that have none.
#[derive(Debug)]
pub struct ProvenSecrets {
    digester: Arc<SecretDigester>,
    /// Known to this process alone.
    proof_key: DigestKey,
    /// Concurrent requests with the same secret wait for one check; those with other secrets do not.
    proven: QuickCache<Proof, ()>,
    passwords: Arc<PasswordPool>,
}

/// A secret could not be checked.
#[derive(Debug)]
pub struct Unchecked<'c> {
    /// Why.
    pub error: PasswordError,
    /// The stored secret that it was compared with.
    pub stored: &'c StoredSecret,
}

impl ProvenSecrets {
    /// Creates the checks of an installation. `proof_key` must be known to this process alone.
    pub fn new(digester: Arc<SecretDigester>, proof_key: DigestKey, passwords: Arc<PasswordPool>) -> Self {
        Self { digester, proof_key, proven: QuickCache::new(REMEMBERED), passwords }
    }

    /// Returns the one of a client's `live` secrets that `secret` is.
    ///
    /// An unknown client, a wrong secret, and one of several live ones cost the same: one digest, compared with as many
    /// as a client can have live secrets. Argon2 only runs for secrets that were stored without a digest, or with one
    /// under a key that was lost.
    ///
    /// # Errors
    /// Argon2 is overloaded, or a stored hash is damaged.
    pub async fn find<'c>(
        &self,
        client_id: &str,
        live: impl Iterator<Item = &'c StoredSecret>,
        secret: &str,
    ) -> Result<Option<&'c StoredSecret>, Unchecked<'c>> {
        let sent = self.digester.digest(client_id, secret);
        let mut found = None;
        let mut without_digest = Vec::new();
        for candidate in live.map(Some).chain(std::iter::repeat(None)).take(LIVE_SECRETS_MAX) {
            let digest = candidate.and_then(|stored| match &stored.hash {
                SecretHash::Client { digest: Some(digest), .. } if self.digester.knows(digest) => Some(digest.digest),
                SecretHash::Client { argon2id, .. } => {
                    without_digest.push((stored, argon2id.as_str()));
                    None
                }
                SecretHash::Sha256(_) => None,
            });
            let is_equal = equal(&digest.unwrap_or_default(), &sent.digest);
            found = found.or(candidate.filter(|_| is_equal && digest.is_some()));
        }
        if found.is_some() {
            return Ok(found);
        }
        for (stored, argon2id) in without_digest {
            match self.passes_argon2(stored, argon2id, secret).await {
                Ok(true) => return Ok(Some(stored)),
                Ok(false) => {}
                Err(error) => return Err(Unchecked { error, stored }),
            }
        }
        Ok(None)
    }

    /// Returns how often Argon2 was needed since the start.
    pub fn argon2_checks(&self) -> u64 {
        self.passwords.checks()
    }

    async fn passes_argon2(&self, stored: &StoredSecret, argon2id: &str, secret: &str) -> Result<bool, PasswordError> {
        let digest = self.proof_key.digest(&[stored.id.as_str().as_bytes(), secret.as_bytes()]);
        let proof = digest.first_chunk().copied().unwrap_or_default();
        match self.proven.get_value_or_guard_async(&proof).await {
            Ok(()) => Ok(true),
            Err(guard) => {
                let passes = self.passwords.verify(secret, argon2id).await?;
                if passes {
                    // Fails only if the cache was cleared in the meantime: the next request checks it again.
                    let _unless_cleared = guard.insert(());
                }
                Ok(passes)
            }
        }
    }
}
