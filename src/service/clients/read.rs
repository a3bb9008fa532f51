//! One client, or a list of them.

use std::sync::Arc;

use super::NO_CLIENT;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::Client;
use crate::domain::ids::ClientId;
use crate::domain::permission::CLIENTS_READ;
use crate::service::Services;
use crate::service::belonging::visible;
use crate::service::error::ServiceError;
use crate::service::trail::Trail;
use crate::store::clients;
use crate::store::credentials::CredentialFilter;

impl Services {
    /// The client `id`.
    ///
    /// # Errors
    /// No such client, as far as the caller sees.
    pub async fn client(&self, caller: &Caller, id: &str, origin: Arc<Origin>) -> Result<Client, ServiceError> {
        let trail = Self::client_trail(caller, "client.read", id, origin);
        let (own, id) = (caller.clone(), id.parse::<ClientId>());
        self.reading(trail, move |connection| {
            let id = id.map_err(|_| NO_CLIENT)?;
            clients::find(connection, &id)?.filter(|client| own.reaches(CLIENTS_READ, client.place())).ok_or(NO_CLIENT)
        })
        .await
    }

    /// Clients that the caller sees, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_clients(
        &self,
        caller: &Caller,
        filter: CredentialFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<Client>, ServiceError> {
        let trail = Trail::of(caller, "client.list", origin);
        match visible(caller, CLIENTS_READ, filter) {
            Some(filter) => self.reading(trail, move |connection| Ok(clients::list(connection, &filter, limit)?)).await,
            None => self.reading(trail, |_| Ok(vec![])).await,
        }
    }
}
