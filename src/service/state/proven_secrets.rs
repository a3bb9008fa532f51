//! A cache of client secrets that passed Argon2 in this process, as keyed digests.
//!
//! They are cached separately from the clients: a secret's hash never changes, so that nothing here is ever stale, and
//! a change of a client's settings costs no second Argon2. Whether a secret is still live is stored with its client.

use std::sync::Arc;

use quick_cache::sync::Cache as QuickCache;

use crate::crypto::digest::{DigestKey, equal};
use crate::crypto::password::{PasswordError, PasswordPool};
use crate::domain::credential::{SecretHash, StoredSecret};

/// Secrets that are cached, at about 150 bytes each.
const SECRETS: usize = 262_144;

/// Checks client secrets, running Argon2 once for each.
#[derive(Debug)]
pub struct ProvenSecrets {
    /// Known to this process alone.
    digest_key: DigestKey,
    proven: QuickCache<Arc<str>, [u8; 32]>,
    passwords: Arc<PasswordPool>,
}

impl ProvenSecrets {
    /// Creates an empty cache. `digest_key` must be known to this process alone.
    pub fn new(digest_key: DigestKey, passwords: Arc<PasswordPool>) -> Self {
        Self { digest_key, proven: QuickCache::new(SECRETS), passwords }
    }

    /// Returns whether `secret` is the one that is stored as `stored`. Concurrent requests with the same secret wait
    /// for one check.
    ///
    /// # Errors
    /// Argon2 is overloaded, or the stored hash is damaged.
    pub async fn is_proven_by(&self, stored: &StoredSecret, secret: &str) -> Result<bool, PasswordError> {
        let SecretHash::Argon2id(hash) = &stored.hash else { return Ok(false) };
        let digest = self.digest_key.digest(&[stored.id.as_str().as_bytes(), secret.as_bytes()]);
        match self.proven.get_value_or_guard_async(stored.id.shared()).await {
            Ok(known) => Ok(equal(&known, &digest)),
            Err(guard) => {
                let passes = self.passwords.verify(secret, hash).await?;
                if passes {
                    // Fails only if the cache was cleared in the meantime: the next request checks it again.
                    let _unless_cleared = guard.insert(digest);
                }
                Ok(passes)
            }
        }
    }
}
