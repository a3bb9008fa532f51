//! The use cases of signing keys: providing the first ones, rotation, destruction, and erasing private keys that are no
//! longer needed.

mod destroy;
mod list;
mod provide;
mod rotate;

use std::sync::Arc;

use super::error::{Conflict, ServiceError};
use super::idempotency::Idempotency;
use super::recorder::Recorder;
use super::state::keyring::{self, Keyring};
use super::state::sealer::Sealer;
use crate::config::SigningConfig;
use crate::domain::change::ChangeKind;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Timestamp;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Change, StoreError};

/// The use cases of signing keys.
#[derive(Debug)]
pub struct SigningKeys {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// The signing keys, loaded.
    pub keyring: Arc<Keyring>,
    /// The master keys.
    pub sealer: Arc<Sealer>,
    /// Responses for repeated requests.
    pub idempotency: Arc<Idempotency>,
    /// The enabled algorithms, and the times of rotation.
    pub settings: SigningConfig,
}

impl SigningKeys {
    /// Creates a key that may become the next for its environment and algorithm. That takes long: call it before any
    /// transaction is open.
    async fn spare_key(&self, environment: Environment, algorithm: Algorithm) -> Result<StoredKey, ServiceError> {
        let (sealer, now) = (Arc::clone(&self.sealer), self.recorder.now());
        tokio::task::spawn_blocking(move || keyring::make(&sealer, environment, algorithm, now))
            .await
            .unwrap_or_else(|error| Err(ServiceError::Internal(error.to_string())))
    }

    /// Reloads the signing keys from the database, after a change of them that is stored. If that fails, they are
    /// reloaded when the change log is followed, before any decision rests on them.
    async fn reload(&self) {
        if let Err(error) = self.load().await {
            log::error!("signing keys could not be reloaded: {error}");
        }
    }

    async fn load(&self) -> Result<(), StoreError> {
        self.keyring.reload(self.recorder.store(), &self.sealer, self.recorder.now()).await
    }
}

/// Stores `spare` as the next key of its environment and algorithm. It signs from `activates_at`, when the active key
/// retires.
fn succeed(
    transaction: &mut Change<'_>,
    mut spare: StoredKey,
    now: Timestamp,
    activates_at: Timestamp,
) -> Result<SigningKey, ServiceError> {
    let (environment, algorithm) = (spare.key.environment, spare.key.algorithm);
    let line = signing_keys::of(transaction.connection, environment, algorithm)?;
    if line.iter().any(|key| key.status(now) == KeyStatus::Pending) {
        return Err(Conflict::RotationPending.into());
    }
    spare.key.generation = line.first().map_or(1, |newest| newest.generation + 1);
    spare.key.created_at = now;
    spare.key.activates_at = activates_at;
    match signing_keys::insert(transaction.connection, &spare) {
        Err(StoreError::Duplicate) => return Err(Conflict::RotationPending.into()),
        other => other?,
    }
    for mut active in line.into_iter().filter(|key| key.status(now) == KeyStatus::Active) {
        active.retires_at = Some(activates_at);
        signing_keys::update_dates(transaction.connection, &active)?;
    }
    transaction.announce(now, ChangeKind::SigningKeys, environment.as_str())?;
    Ok(spare.key)
}
