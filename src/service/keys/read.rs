//! One API key, or a list of them.

use std::sync::Arc;

use super::NO_KEY;
use crate::domain::api_key::ApiKey;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::ids::ApiKeyId;
use crate::domain::permission::KEYS_READ;
use crate::service::Services;
use crate::service::belonging::visible;
use crate::service::error::ServiceError;
use crate::service::trail::Trail;
use crate::store::api_keys;
use crate::store::credentials::CredentialFilter;

impl Services {
    /// The key `id`.
    ///
    /// # Errors
    /// No such key, as far as the caller sees.
    pub async fn key(&self, caller: &Caller, id: &str, origin: Arc<Origin>) -> Result<ApiKey, ServiceError> {
        let trail = Self::key_trail(caller, "key.read", id, origin);
        let (own, id) = (caller.clone(), id.parse::<ApiKeyId>());
        self.reading(trail, move |connection| {
            let id = id.map_err(|_| NO_KEY)?;
            api_keys::find(connection, &id)?.filter(|key| own.reaches(KEYS_READ, key.place())).ok_or(NO_KEY)
        })
        .await
    }

    /// Keys that the caller sees, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        filter: CredentialFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<ApiKey>, ServiceError> {
        let trail = Trail::of(caller, "key.list", origin);
        match visible(caller, KEYS_READ, filter) {
            Some(filter) => {
                self.reading(trail, move |connection| Ok(api_keys::list(connection, &filter, limit)?)).await
            }
            None => self.reading(trail, |_| Ok(vec![])).await,
        }
    }
}
