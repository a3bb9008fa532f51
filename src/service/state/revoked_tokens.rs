//! Single tokens that were revoked. That one was not is cached until it is.

use std::sync::Arc;

use super::cache::Cache;
use crate::domain::ids::TokenId;
use crate::store::{Store, StoreError, revoked_tokens};

/// Tokens cached that are known not to be revoked.
const LIVE_TOKENS: usize = 65_536;

/// Knows which tokens were revoked by themselves.
#[derive(Debug)]
pub struct RevokedTokens {
    store: Store,
    live: Cache<()>,
}

impl RevokedTokens {
    /// Knows what `store` has.
    pub fn new(store: Store) -> Self {
        Self { store, live: Cache::new(LIVE_TOKENS) }
    }

    /// Whether a token was revoked by itself.
    ///
    /// # Errors
    /// It is not cached, and the database fails.
    pub async fn contain(&self, jti: &TokenId) -> Result<bool, StoreError> {
        if self.live.get(jti.as_str()).is_some() {
            return Ok(false);
        }
        let id = Arc::clone(jti.shared());
        let asked = Arc::clone(&id);
        let query = async {
            let revoked = self.store.read(move |connection| revoked_tokens::contains(connection, &asked)).await?;
            Ok((!revoked).then_some(()))
        };
        Ok(self.live.fetch(&id, query).await?.is_none())
    }

    /// Drops a token: it was revoked.
    pub fn drop_entry(&self, jti: &str) {
        self.live.drop_entry(jti);
    }

    /// Drops all that is cached.
    pub fn clear(&self) {
        self.live.clear();
    }
}
