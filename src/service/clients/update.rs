//! Changes a client's settings.

use std::sync::Arc;

use super::{ClientInput, ClientPatch};
use crate::clock;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::client::Client;
use crate::domain::credential::State;
use crate::domain::signing_key::Algorithm;
use crate::service::Services;
use crate::service::belonging::require_within;
use crate::service::error::ServiceError;
use crate::store::{clients, credential_customers};

impl Services {
    /// Changes the fields that `input` mentions. Anything but name and description takes a caller who may give the client's
    /// scopes, as they were and as they are afterwards.
    ///
    /// # Errors
    /// No such client, what is wrong with the input, the client is revoked, or the caller may not.
    pub async fn update_client(
        &self,
        caller: &Caller,
        id: &str,
        mut input: ClientInput,
        origin: Arc<Origin>,
    ) -> Result<Client, ServiceError> {
        let trail = Self::client_trail(caller, "client.update", id, origin);
        let customers = self.customers_named(caller, std::mem::take(&mut input.customers)).await;
        let patch = input.read(clock::now()).and_then(|patch| Ok(ClientPatch { customers: customers?, ..patch }));
        let (own, algorithms) = (caller.clone(), self.signing.algorithms.clone());
        self.change_client(caller, id, trail, move |transaction, client, now| {
            let patch = patch?;
            if client.state == State::Revoked {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked client cannot be changed" });
            }
            let only_words = patch.is_only_words();
            let was = client.clone();
            let mut client = apply(client, patch, &algorithms)?;
            if !only_words && !own.may_make(&client, Some(&was)) {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            require_within(&own, &client.customers)?;
            client.updated_at = now;
            clients::update(transaction.connection, &client)?;
            if client.customers != was.customers {
                credential_customers::set(transaction.connection, client.id.as_str(), &client.customers)?;
            }
            Ok(client)
        })
        .await
    }

    /// `client` with the fields of `patch`, if they go together.
    pub(super) fn patched(&self, client: Client, patch: ClientPatch) -> Result<Client, ServiceError> {
        apply(client, patch, &self.signing.algorithms)
    }
}

impl ClientPatch {
    fn is_only_words(&self) -> bool {
        use crate::service::input::Patch::Keep;
        matches!(
            self,
            Self {
                name: _,
                description: _,
                scopes: None,
                default_scopes: Keep,
                audiences: None,
                resource_for: None,
                allowed_ips: None,
                token_lifetime: None,
                signing_algorithm: Keep,
                rate_per_minute: Keep,
                burst_per_second: Keep,
                expires_at: Keep,
                customers: None,
            }
        )
    }
}

fn apply(mut client: Client, patch: ClientPatch, algorithms: &[Algorithm]) -> Result<Client, ServiceError> {
    client.name = patch.name.unwrap_or(client.name);
    client.description = patch.description.unwrap_or(client.description);
    client.scopes = patch.scopes.unwrap_or(client.scopes);
    client.default_scopes = patch.default_scopes.apply(client.default_scopes);
    client.audiences = patch.audiences.unwrap_or(client.audiences);
    client.resource_for = patch.resource_for.unwrap_or(client.resource_for);
    client.allowed_ips = patch.allowed_ips.unwrap_or(client.allowed_ips);
    client.token_lifetime = patch.token_lifetime.unwrap_or(client.token_lifetime);
    client.signing_algorithm = patch.signing_algorithm.apply(client.signing_algorithm);
    client.limits.rate_per_minute = patch.rate_per_minute.apply(client.limits.rate_per_minute);
    client.limits.burst_per_second = patch.burst_per_second.apply(client.limits.burst_per_second);
    client.expires_at = patch.expires_at.apply(client.expires_at);
    client.customers = patch.customers.unwrap_or(client.customers);
    if client.default_scopes.as_ref().is_some_and(|default| !client.scopes.cover_all(default)) {
        return Err(ServiceError::invalid("default_scopes", "must be covered by scopes"));
    }
    if client.signing_algorithm.is_some_and(|algorithm| !algorithms.contains(&algorithm)) {
        return Err(ServiceError::invalid("signing_algorithm", "is not among the enabled signing_algorithms"));
    }
    Ok(client)
}
