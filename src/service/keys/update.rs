//! Changes an API key's settings.

use std::sync::Arc;

use super::{KeyInput, KeyPatch};
use crate::clock;
use crate::domain::api_key::ApiKey;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::State;
use crate::service::Services;
use crate::service::belonging::require_within;
use crate::service::error::ServiceError;
use crate::store::{api_keys, credential_customers};

impl Services {
    /// Changes the fields that `input` mentions. Anything but name and description takes a caller who holds the key's
    /// scopes, as they were and as they are afterwards.
    ///
    /// # Errors
    /// No such key, what is wrong with the input, the key is revoked, or the caller may not.
    pub async fn update_key(
        &self,
        caller: &Caller,
        id: &str,
        mut input: KeyInput,
        origin: Arc<Origin>,
    ) -> Result<ApiKey, ServiceError> {
        let trail = Self::key_trail(caller, "key.update", id, origin);
        let customers = self.customers_named(caller, std::mem::take(&mut input.customers)).await;
        let patch = input.read(clock::now()).and_then(|patch| Ok(KeyPatch { customers: customers?, ..patch }));
        let own = caller.clone();
        self.change_key(caller, id, trail, move |transaction, key, now| {
            let patch = patch?;
            if key.state == State::Revoked {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked key cannot be changed" });
            }
            let (was, only_words) = (key.clone(), patch.is_only_words());
            let mut key = patch.apply(key)?;
            let holds_both = own.holds(&was.scopes) && own.holds(&key.scopes);
            if !only_words && !holds_both {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            require_within(&own, &key.customers)?;
            key.updated_at = now;
            api_keys::update(transaction.connection, &key)?;
            if key.customers != was.customers {
                credential_customers::set(transaction.connection, key.id.as_str(), &key.customers)?;
            }
            Ok(key)
        })
        .await
    }
}

impl KeyPatch {
    /// `key` with these fields, if it may be so.
    ///
    /// # Errors
    /// What its type forbids.
    pub(super) fn apply(self, mut key: ApiKey) -> Result<ApiKey, ServiceError> {
        key.name = self.name.unwrap_or(key.name);
        key.description = self.description.unwrap_or(key.description);
        key.scopes = self.scopes.unwrap_or(key.scopes);
        key.allowed_ips = self.allowed_ips.unwrap_or(key.allowed_ips);
        key.limits.rate_per_minute = self.rate_per_minute.apply(key.limits.rate_per_minute);
        key.limits.burst_per_second = self.burst_per_second.apply(key.limits.burst_per_second);
        key.expires_at = self.expires_at.apply(key.expires_at);
        key.customers = self.customers.unwrap_or(key.customers);
        match key.violation() {
            Some((field, wrong)) => Err(ServiceError::invalid(field, wrong)),
            None => Ok(key),
        }
    }
}
