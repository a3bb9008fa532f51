//! The first keys: on a first start, and of an algorithm that was enabled later.

use std::sync::Arc;

use super::succeed;
use crate::clock;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{KeyStatus, SigningKey};
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::service::trail::Trail;
use crate::store::signing_keys;

impl Services {
    /// Gives every environment an active key of every enabled algorithm that it lacks.
    ///
    /// # Errors
    /// The database fails.
    pub async fn make_missing_signing_keys(
        &self,
        caller: &Caller,
        origin: &Arc<Origin>,
    ) -> Result<usize, ServiceError> {
        let mut made = 0;
        for environment in Environment::ALL {
            for algorithm in self.signing.algorithms.clone() {
                let now = clock::now();
                let keys: Vec<SigningKey> =
                    self.store.read(move |connection| signing_keys::of(connection, environment, algorithm)).await?;
                if keys.iter().any(|key| key.status(now) == KeyStatus::Active) {
                    continue;
                }
                let mut trail = Trail::of(caller, "signing_key.create", Arc::clone(origin));
                trail.environment = Some(environment);
                let spare = self.spare_key(environment, algorithm).await?;
                made += self
                    .change(trail, 0, move |transaction, trail, now| {
                        // Asked again inside: another node may have been faster.
                        let keys = signing_keys::of(transaction.connection, environment, algorithm)?;
                        if keys.iter().any(|key| key.status(now) == KeyStatus::Active) {
                            return Ok(0);
                        }
                        let key = succeed(transaction, spare, now, now)?;
                        trail.target = Some(key.kid);
                        Ok(1)
                    })
                    .await?;
            }
        }
        self.reload_keyring().await?;
        Ok(made)
    }
}
