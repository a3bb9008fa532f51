//! Disable, enable, revoke, and the end of all tokens issued so far.

use std::sync::Arc;

use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::{Client, State};
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::clients;

/// What can be done to a client's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// Stop it for now.
    Disable,
    /// Let it go on.
    Enable,
    /// End it for good.
    Revoke,
    /// End all tokens that were issued before now.
    RevokeTokens,
}

impl StateChange {
    const fn action(self) -> &'static str {
        match self {
            Self::Disable => "client.disable",
            Self::Enable => "client.enable",
            Self::Revoke => "client.revoke",
            Self::RevokeTokens => "client.revoke_tokens",
        }
    }
}

impl Services {
    /// Changes a client's state; what is so already stays so.
    ///
    /// # Errors
    /// No such client, it is revoked, or the caller may not give the scopes of a client that it would enable.
    pub async fn change_client_state(
        &self,
        caller: &Caller,
        id: &str,
        change: StateChange,
        origin: Arc<Origin>,
    ) -> Result<Client, ServiceError> {
        let trail = Self::client_trail(caller, change.action(), id, origin);
        let own = caller.clone();
        self.change_client(caller, id, trail, move |transaction, mut client, now| {
            if client.state == State::Revoked && !matches!(change, StateChange::Revoke | StateChange::RevokeTokens) {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked client stays revoked" });
            }
            match change {
                StateChange::Disable => client.state = State::Disabled,
                StateChange::Enable if own.may_take(&client) => client.state = State::Enabled,
                StateChange::Enable => return Err(ServiceError::ScopeExceedsCaller),
                StateChange::Revoke => client.state = State::Revoked,
                StateChange::RevokeTokens => client.tokens_revoked_before = Some(now),
            }
            client.updated_at = now;
            clients::update(transaction.connection, &client)?;
            Ok(client)
        })
        .await
    }
}
