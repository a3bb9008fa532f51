//! The life of a client: create, read, update, replace its secret, disable, enable, revoke, transfer.
//!
//! Every change is one transaction with its audit event and its entry in the change log, and is in force on this node when
//! it returns.

mod change_state;
mod create;
mod input;
mod read;
mod rotate_secret;
mod transfer;
mod update;

pub use change_state::ClientChange;
pub use input::{ClientInput, ClientPatch};

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use crate::config::Issuers;
use crate::crypto::client_secret::ClientSecretText;
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::{Client, ClientSecret};
use crate::domain::ids::ClientId;
use crate::domain::permission::CLIENTS_WRITE;
use crate::domain::time::Timestamp;
use crate::store::{Change, change_log, clients};

/// Ways to answer a request that made a secret, so that its answer can be kept for replay.
pub type Render = fn(&Issuers, &Client, &ClientSecretText, Timestamp) -> super::idempotency::Rendered;

/// A request that may be repeated, and how it is answered.
pub type Repeat = Option<(super::idempotency::Repeatable, Render)>;

const NO_CLIENT: ServiceError = ServiceError::NotFound("client");

impl Services {
    fn client_trail(caller: &Caller, action: &'static str, id: &str, origin: Arc<Origin>) -> Trail {
        let mut trail = Trail::of(caller, action, origin);
        trail.target = Some(crate::domain::text::recordable(id, 64).into());
        trail
    }

    /// A new secret with its hash. Argon2 runs here, before any transaction is open.
    async fn make_secret(
        &self,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<(ClientSecret, ClientSecretText), ServiceError> {
        let id = random::id(now)?;
        let text = self.mint.make(client, &id)?;
        let secret = ClientSecret {
            hash: self.passwords.hash(text.expose()).await?,
            last_four: text.last_four().to_owned(),
            created_at: now,
            ends_at: None,
            last_used_at: None,
            id,
        };
        Ok((secret, text))
    }

    /// Changes the client `id`, which the caller must see, and forgets what is known of it.
    async fn change_client<T: Send + 'static>(
        &self,
        caller: &Caller,
        id: &str,
        trail: Trail,
        change: impl FnOnce(&mut Change<'_>, Client, Timestamp) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (caller, parsed) = (caller.clone(), id.parse::<ClientId>());
        let result = self
            .change(trail, 200, move |transaction, trail, now| {
                let client = find_visible(transaction, &caller, parsed)?;
                trail.environment = Some(client.environment);
                trail.of_customers(&client.customers, None);
                let id = client.id.clone();
                let done = change(transaction, client, now)?;
                transaction.announce(now, change_log::Kind::Client, id.as_str())?;
                Ok(done)
            })
            .await;
        self.clients.memory().forget(id);
        result
    }
}

fn find_visible(
    transaction: &mut Change<'_>,
    caller: &Caller,
    id: Result<ClientId, &'static str>,
) -> Result<Client, ServiceError> {
    let id = id.map_err(|_| NO_CLIENT)?;
    clients::find(transaction.connection, &id)?
        .filter(|client| caller.reaches(CLIENTS_WRITE, client.place()))
        .ok_or(NO_CLIENT)
}
