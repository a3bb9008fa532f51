//! Tokens that were revoked individually. A token that was not revoked is cached as such until it is.

use std::sync::Arc;

use super::cache::Cache;
use crate::domain::ids::TokenId;
use crate::store::{Store, StoreError, revoked_tokens};

/// Bytes of the tokens that are cached as not revoked, at about 160 each.
const LIVE_TOKENS: usize = 10 << 20;

/// The tokens that were revoked individually.
#[derive(Debug)]
pub struct RevokedTokens {
    store: Store,
    live: Cache<()>,
}

impl RevokedTokens {
    /// Creates an empty cache of the tokens in `store`.
    pub fn new(store: Store) -> Self {
        Self { store, live: Cache::new(LIVE_TOKENS) }
    }

    /// Returns whether a token was revoked individually.
    ///
    /// # Errors
    /// The token is not cached, and the database cannot be read.
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

    /// Drops a token that was revoked.
    pub fn drop_entry(&self, jti: &str) {
        self.live.drop_entry(jti);
    }

    /// Drops all cached tokens.
    pub fn clear(&self) {
        self.live.clear();
    }
}
