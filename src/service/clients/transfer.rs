//! Gives a client to another owner.

use std::sync::Arc;

use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::Client;
use crate::domain::credential::State;
use crate::domain::permission::CLIENTS_WRITE;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::clients;

impl Services {
    /// Gives a client to the user that `owner` names, or to the organisation. From then on that user's role is its ceiling.
    ///
    /// # Errors
    /// No such client or user, or the caller may not have the client's power itself.
    pub async fn transfer_client(
        &self,
        caller: &Caller,
        id: &str,
        owner: Option<&str>,
        origin: Arc<Origin>,
    ) -> Result<Client, ServiceError> {
        let trail = Self::client_trail(caller, "client.transfer", id, origin);
        let new_owner = self.new_owner(caller, CLIENTS_WRITE, owner).await;
        let own = caller.clone();
        self.change_client(caller, id, trail, move |transaction, mut client, now| {
            let owner = new_owner?;
            if client.state == State::Revoked {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked client cannot be changed" });
            }
            if !own.may_take(&client) {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            client.owner = owner;
            client.updated_at = now;
            clients::update(transaction.connection, &client)?;
            Ok(client)
        })
        .await
    }
}
