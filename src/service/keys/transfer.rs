//! Gives a key to another owner.

use std::sync::Arc;

use crate::domain::api_key::ApiKey;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::State;
use crate::domain::permission::KEYS_WRITE;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::api_keys;

impl Services {
    /// Gives a key to the user that `owner` names, or to the organisation. From then on that user's role is its ceiling.
    ///
    /// # Errors
    /// No such key or user, or the caller does not hold the key's scopes.
    pub async fn transfer_key(
        &self,
        caller: &Caller,
        id: &str,
        owner: Option<&str>,
        origin: Arc<Origin>,
    ) -> Result<ApiKey, ServiceError> {
        let trail = Self::key_trail(caller, "key.transfer", id, origin);
        let new_owner = self.new_owner(caller, KEYS_WRITE, owner).await;
        let own = caller.clone();
        self.change_key(caller, id, trail, move |transaction, mut key, now| {
            let owner = new_owner?;
            if key.state == State::Revoked {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked key cannot be changed" });
            }
            if !own.holds(&key.scopes) {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            key.owner = owner;
            key.updated_at = now;
            api_keys::update(transaction.connection, &key)?;
            Ok(key)
        })
        .await
    }
}
