//! One client, or a list of them.

use std::sync::Arc;

use super::NO_CLIENT;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::Client;
use crate::domain::ids::ClientId;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::service::trail::Trail;
use crate::store::clients::{self, ClientFilter};

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
            clients::find(connection, &id)?.filter(|client| own.sees(client.environment)).ok_or(NO_CLIENT)
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
        mut filter: ClientFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<Client>, ServiceError> {
        let trail = Trail::of(caller, "client.list", origin);
        if let Some(own) = caller.environment() {
            if filter.environment.is_some_and(|asked| asked != own) {
                return self.reading(trail, |_| Ok(vec![])).await;
            }
            filter.environment = Some(own);
        }
        self.reading(trail, move |connection| Ok(clients::list(connection, &filter, limit)?)).await
    }
}
