//! The life of signing keys: the first ones, rotation, destruction, and erasing what nothing needs any more.

mod destroy;
mod list;
mod provide;
mod rotate;

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::keyring;
use crate::clock;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Timestamp;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Change, StoreError, change_log};

impl Services {
    /// A key that may become the next of its line, made before any transaction is open: making one takes long.
    async fn spare_key(&self, environment: Environment, algorithm: Algorithm) -> Result<StoredKey, ServiceError> {
        let (vault, now) = (Arc::clone(&self.vault), clock::now());
        tokio::task::spawn_blocking(move || keyring::make(&vault, environment, algorithm, now))
            .await
            .unwrap_or_else(|error| Err(ServiceError::Internal(error.to_string())))
    }
}

/// Enters `spare` as the next key of its line, which signs from `activates_at`, when the active one retires.
fn succeed(
    transaction: &mut Change<'_>,
    mut spare: StoredKey,
    now: Timestamp,
    activates_at: Timestamp,
) -> Result<SigningKey, ServiceError> {
    const PENDING: ServiceError = ServiceError::Conflict {
        code: "rotation_pending",
        message: "a pending key of this environment and algorithm is there already",
    };
    let (environment, algorithm) = (spare.key.environment, spare.key.algorithm);
    let line = signing_keys::of(transaction.connection, environment, algorithm)?;
    if line.iter().any(|key| key.status(now) == KeyStatus::Pending) {
        return Err(PENDING);
    }
    spare.key.generation = line.first().map_or(1, |newest| newest.generation + 1);
    spare.key.created_at = now;
    spare.key.activates_at = activates_at;
    match signing_keys::insert(transaction.connection, &spare) {
        Err(StoreError::Duplicate) => return Err(PENDING),
        other => other?,
    }
    for mut active in line.into_iter().filter(|key| key.status(now) == KeyStatus::Active) {
        active.retires_at = Some(activates_at);
        signing_keys::update_dates(transaction.connection, &active)?;
    }
    transaction.announce(now, change_log::Kind::SigningKeys, environment.as_str())?;
    Ok(spare.key)
}
