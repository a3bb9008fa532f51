//! Disable, enable, revoke, and the end of all tokens issued so far.

use std::sync::Arc;

use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::Client;
use crate::domain::credential::{State, StateChange};
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::clients;

/// What can be done to a client's state, or to its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientChange {
    /// Stop it, let it go on, or end it.
    State(StateChange),
    /// End all tokens that were issued before now.
    RevokeTokens,
}

impl ClientChange {
    const fn action(self) -> &'static str {
        match self {
            Self::State(StateChange::Disable) => "client.disable",
            Self::State(StateChange::Enable) => "client.enable",
            Self::State(StateChange::Revoke) => "client.revoke",
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
        change: ClientChange,
        origin: Arc<Origin>,
    ) -> Result<Client, ServiceError> {
        let trail = Self::client_trail(caller, change.action(), id, origin);
        let own = caller.clone();
        self.change_client(caller, id, trail, move |transaction, mut client, now| {
            match change {
                ClientChange::RevokeTokens => client.tokens_revoked_before = Some(now),
                ClientChange::State(StateChange::Enable) if !own.may_take(&client) => {
                    return Err(ServiceError::ScopeExceedsCaller);
                }
                ClientChange::State(change) if client.state == State::Revoked && change != StateChange::Revoke => {
                    return Err(ServiceError::Conflict { code: "revoked", message: "a revoked client stays revoked" });
                }
                ClientChange::State(change) => client.state = change.state(),
            }
            client.updated_at = now;
            clients::update(transaction.connection, &client)?;
            Ok(client)
        })
        .await
    }
}
