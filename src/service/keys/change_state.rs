//! Disable, enable, revoke.

use std::sync::Arc;

use crate::domain::api_key::ApiKey;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::{State, StateChange};
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::api_keys;

const fn action(change: StateChange) -> &'static str {
    match change {
        StateChange::Disable => "key.disable",
        StateChange::Enable => "key.enable",
        StateChange::Revoke => "key.revoke",
    }
}

impl Services {
    /// Changes a key's state; what is so already stays so.
    ///
    /// # Errors
    /// No such key, it is revoked, or the caller does not hold the scopes of a key that it would enable.
    pub async fn change_key_state(
        &self,
        caller: &Caller,
        id: &str,
        change: StateChange,
        origin: Arc<Origin>,
    ) -> Result<ApiKey, ServiceError> {
        let trail = Self::key_trail(caller, action(change), id, origin);
        let own = caller.clone();
        self.change_key(caller, id, trail, move |transaction, mut key, now| {
            if key.state == State::Revoked && change != StateChange::Revoke {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked key stays revoked" });
            }
            if change == StateChange::Enable && !own.holds(&key.scopes) {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            key.state = change.state();
            key.updated_at = now;
            api_keys::update(transaction.connection, &key)?;
            Ok(key)
        })
        .await
    }
}
