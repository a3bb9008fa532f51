//! A key's successor: published first, signing later; asked for, or due.

use std::sync::Arc;

use super::succeed;
use crate::clock;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Duration;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::service::idempotency::Repeat;
use crate::service::trail::Trail;
use crate::store::{StoreError, signing_keys};

/// Longest lead that a rotation may be given.
const LEAD_MAX: Duration = Duration::days(30);

impl Services {
    /// Makes the successor of the active key of `environment` and `algorithm`: published now, signing after `lead`.
    ///
    /// # Errors
    /// One is pending already, or the lead is out of bounds.
    pub async fn rotate_signing_key(
        &self,
        caller: &Caller,
        environment: Environment,
        algorithm: Algorithm,
        lead: Option<Duration>,
        repeat: Repeat<SigningKey>,
        origin: Arc<Origin>,
    ) -> Result<SigningKey, ServiceError> {
        let mut trail = Trail::of(caller, "signing_key.rotate", origin);
        trail.environment = Some(environment);
        let lead = lead.unwrap_or(self.signing.lead);
        let own = caller.clone();
        let spare = self.spare_key(environment, algorithm).await?;
        let vault = Arc::clone(&self.vault);
        let enabled = self.signing.algorithms.contains(&algorithm);
        let key = self
            .change(trail, 201, move |transaction, trail, now| {
                if !own.governs(environment) {
                    return Err(ServiceError::invalid("environment", "is not the caller's own"));
                }
                if !enabled {
                    return Err(ServiceError::invalid("algorithm", "is not among the enabled signing_algorithms"));
                }
                if lead < Duration::ZERO || lead > LEAD_MAX {
                    return Err(ServiceError::invalid("lead", "must be at most 30d"));
                }
                let key = succeed(transaction, spare, now, now.plus(lead))?;
                trail.target = Some(Arc::clone(&key.kid));
                if let Some((request, render)) = repeat {
                    request.keep(transaction, &vault, now, &render(&key, now))?;
                }
                Ok(key)
            })
            .await?;
        self.reload_keyring().await?;
        Ok(key)
    }

    /// Makes successors of active keys whose rotation is due, so that each signs for at most the configured time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rotate_due_signing_keys(&self, caller: &Caller, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        let (rotation, lead, algorithms) = (self.signing.rotation, self.signing.lead, self.signing.algorithms.clone());
        if rotation == Duration::ZERO {
            return Ok(());
        }
        let now = clock::now();
        let due: Vec<(Environment, Algorithm)> = self
            .store
            .read(move |connection| {
                let keys = signing_keys::all(connection)?;
                Ok::<_, StoreError>(
                    keys.into_iter()
                        .flatten()
                        .map(|stored| stored.key)
                        .filter(|key| key.status(now) == KeyStatus::Active && key.retires_at.is_none())
                        .filter(|key| key.activates_at.plus(rotation) <= now.plus(lead))
                        .filter(|key| algorithms.contains(&key.algorithm))
                        .map(|key| (key.environment, key.algorithm))
                        .collect(),
                )
            })
            .await?;
        for (environment, algorithm) in due {
            match self.rotate_signing_key(caller, environment, algorithm, None, None, Arc::clone(origin)).await {
                Ok(key) => log::info!("{environment}: {algorithm} key {} will sign from {}", key.kid, key.activates_at),
                // Another node was faster.
                Err(ServiceError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
