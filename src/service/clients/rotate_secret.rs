//! Replaces a client's secret, at once or with an overlap in which both are accepted.

use std::sync::Arc;

use super::{NO_CLIENT, Repeat};
use crate::clock;
use crate::crypto::client_secret::ClientSecretText;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::{Client, LIVE_SECRETS_MAX};
use crate::domain::credential::{GRACE_MAX, State};
use crate::domain::ids::ClientId;
use crate::domain::permission::CLIENTS_WRITE;
use crate::domain::time::Duration;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::clients;

impl Services {
    /// Makes a new secret, returned this once. The newest one so far goes on being accepted for `grace`, at most 30 days;
    /// older ones end now, so that no more than two are ever live.
    ///
    /// # Errors
    /// No such client, the grace is too long, the client is revoked, or the caller may not give the client's scopes.
    pub async fn rotate_client_secret(
        &self,
        caller: &Caller,
        id: &str,
        grace: Duration,
        repeat: Repeat,
        origin: Arc<Origin>,
    ) -> Result<(Client, ClientSecretText), ServiceError> {
        let trail = Self::client_trail(caller, "client.rotate_secret", id, origin);
        let prepared = match self.may_rotate(caller, id, grace).await {
            Ok(id) => self.make_secret(&id, clock::now()).await,
            Err(error) => Err(error),
        };
        let (secret, text) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.witness_refusal(&trail, error.status(), error.code()).await;
                return Err(error);
            }
        };
        let (own, services_text) = (caller.clone(), text.clone());
        let vault = Arc::clone(&self.vault);
        let issuers = self.issuers.clone();
        let client = self
            .change_client(caller, id, trail, move |transaction, mut client, now| {
                require_rotatable(&own, &client)?;
                let mut newest = true;
                for old in client.secrets.iter_mut().filter(|old| old.is_live(now)) {
                    let end = if newest { now.plus(grace) } else { now };
                    newest = false;
                    // An overlap that was granted before is not made longer by a later one.
                    let end = old.ends_at.map_or(end, |already| already.min(end));
                    clients::end_secret(transaction.connection, &old.id, end)?;
                    old.ends_at = Some(end);
                }
                clients::insert_secret(transaction.connection, &client.id, &secret)?;
                client.secrets.insert(0, secret);
                debug_assert!(client.live_secrets(now).count() <= LIVE_SECRETS_MAX);
                (client.updated_at, client.rotated_at) = (now, now);
                clients::update(transaction.connection, &client)?;
                if let Some((request, render)) = repeat {
                    let rendered = render(&issuers, &client, &services_text, now);
                    request.keep(transaction, &vault, now, &rendered)?;
                }
                Ok(client)
            })
            .await?;
        Ok((client, text))
    }

    /// What can be refused before Argon2 runs.
    async fn may_rotate(&self, caller: &Caller, id: &str, grace: Duration) -> Result<ClientId, ServiceError> {
        if grace < Duration::ZERO || grace > GRACE_MAX {
            return Err(ServiceError::invalid("grace", "must be at most 30d"));
        }
        let id: ClientId = id.parse().map_err(|_| NO_CLIENT)?;
        let (own, wanted) = (caller.clone(), id.clone());
        self.store
            .read(move |connection| {
                let client = clients::find(connection, &wanted)?.ok_or(NO_CLIENT)?;
                if !own.reaches(CLIENTS_WRITE, client.place()) {
                    return Err(NO_CLIENT);
                }
                require_rotatable(&own, &client)
            })
            .await?;
        Ok(id)
    }
}

fn require_rotatable(caller: &Caller, client: &Client) -> Result<(), ServiceError> {
    if client.state == State::Revoked {
        return Err(ServiceError::Conflict { code: "revoked", message: "a revoked client gets no new secret" });
    }
    if !caller.may_take(client) {
        return Err(ServiceError::ScopeExceedsCaller);
    }
    Ok(())
}
