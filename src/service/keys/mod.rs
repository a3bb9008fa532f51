//! The life of an API key: create, read, update, rotate, disable, enable, revoke, transfer.
//!
//! Every change is one transaction with its audit event and its entry in the change log, and is in force on this node when
//! it returns.

mod change_state;
mod create;
mod input;
mod read;
mod rotate;
mod transfer;
mod update;

pub use input::{KeyInput, KeyPatch};

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use crate::crypto::{CryptoError, digest, random};
use crate::domain::api_key::{ApiKey, KeyText, RANDOM_LENGTH, StoredString};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::ids::ApiKeyId;
use crate::domain::permission::KEYS_WRITE;
use crate::domain::time::Timestamp;
use crate::store::{Change, api_keys, change_log};

/// Ways to answer a request that made a string, so that its answer can be kept for replay.
pub type Render = fn(&ApiKey, &KeyText, Timestamp) -> super::idempotency::Rendered;

/// A request that may be repeated, and how it is answered.
pub type Repeat = Option<(super::idempotency::Repeatable, Render)>;

const NO_KEY: ServiceError = ServiceError::NotFound("key");

impl Services {
    fn key_trail(caller: &Caller, action: &'static str, id: &str, origin: Arc<Origin>) -> Trail {
        let mut trail = Trail::of(caller, action, origin);
        trail.target = Some(crate::domain::text::recordable(id, 64).into());
        trail
    }

    /// A new string for a key of `environment`.
    fn make_key_string(
        &self,
        environment: Environment,
        now: Timestamp,
    ) -> Result<(StoredString, KeyText), CryptoError> {
        let text = KeyText::compose(&self.key_brand, environment, &random::base62(RANDOM_LENGTH)?);
        let string = StoredString {
            digest: digest::sha256(text.expose().as_bytes()),
            prefix: text.prefix().to_owned(),
            last_four: text.last_four().to_owned(),
            created_at: now,
            ends_at: None,
        };
        Ok((string, text))
    }

    /// Changes the key `id`, which the caller must reach, and forgets what is known of it.
    async fn change_key<T: Send + 'static>(
        &self,
        caller: &Caller,
        id: &str,
        trail: Trail,
        change: impl FnOnce(&mut Change<'_>, ApiKey, Timestamp) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (caller, parsed) = (caller.clone(), id.parse::<ApiKeyId>());
        let result = self
            .change(trail, 200, move |transaction, trail, now| {
                let key = api_keys::find(transaction.connection, &parsed.map_err(|_| NO_KEY)?)?
                    .filter(|key| caller.reaches(KEYS_WRITE, key.place()))
                    .ok_or(NO_KEY)?;
                trail.environment = Some(key.environment);
                trail.of_customers(&key.customers, None);
                let id = key.id.clone();
                let done = change(transaction, key, now)?;
                transaction.announce(now, change_log::Kind::ApiKey, id.as_str())?;
                Ok(done)
            })
            .await;
        self.keys.memory().forget(id);
        result
    }
}
