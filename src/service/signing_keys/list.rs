//! Lists signing keys.

use std::sync::Arc;

use super::SigningKeys;
use crate::domain::audit::{Action, Origin};
use crate::domain::caller::Caller;
use crate::domain::signing_key::SigningKey;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::signing_keys;

impl SigningKeys {
    /// Lists keys that are visible to the caller, newest first, starting after the key `after`.
    ///
    /// # Errors
    /// No key `after` is visible to the caller.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<String>,
        origin: Arc<Origin>,
    ) -> Result<Vec<SigningKey>, ServiceError> {
        let context = AuditContext::of(caller, Action::SigningKeyList, origin);
        self.recorder
            .read(caller, &context, move |connection, caller| {
                let mut keys: Vec<SigningKey> = signing_keys::all(connection)?
                    .into_iter()
                    .filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok())
                    .map(|stored| stored.key)
                    .filter(|key| caller.sees(key.environment))
                    .collect();
                keys.reverse();
                if let Some(after) = &after {
                    let at = keys.iter().position(|key| *key.kid == **after);
                    let at = at.ok_or_else(|| ServiceError::invalid("cursor", "is out of date"))?;
                    keys.drain(..=at);
                }
                Ok(keys)
            })
            .await
    }
}
