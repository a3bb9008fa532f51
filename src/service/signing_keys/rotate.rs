//! Rotates signing keys, on request or when due: the successor is published first and signs later.

use std::sync::Arc;

use super::{SigningKeys, succeed};
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::Duration;
use crate::service::audit_context::AuditContext;
use crate::service::error::{Conflict, FieldError, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{StoreError, signing_keys};

/// The longest lead that a rotation can have.
const LEAD_MAX: Duration = Duration::days(30);

impl SigningKeys {
    /// Creates the successor of the active key of `environment` and `algorithm`. It is published now and signs after
    /// `lead`.
    ///
    /// # Errors
    /// A successor is pending already, or the lead is too long.
    pub async fn rotate(
        &self,
        caller: &Caller,
        environment: Environment,
        algorithm: Algorithm,
        lead: Option<Duration>,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<SigningKey, ServiceError> {
        let action = Action::SigningKeyRotate;
        let context = AuditContext { environment: Some(environment), ..AuditContext::of(caller, action, origin) };
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            let context = context.on(&replay.object);
            return self
                .recorder
                .replay(caller, &context, Disposition::Created, move |connection, _| {
                    signing_keys::find(connection, &replay.object)?.ok_or(ServiceError::Gone("signing key"))
                })
                .await;
        }
        let lead = lead.unwrap_or(self.settings.lead);
        let spare = self.spare_key(environment, algorithm).await?;
        let idempotency = Arc::clone(&self.idempotency);
        let enabled = self.settings.algorithms.contains(&algorithm);
        let key = self
            .recorder
            .change(caller, context, Disposition::Created, move |transaction, context, caller, now| {
                let mut wrong = Vec::new();
                if !enabled {
                    wrong.push(FieldError::new("algorithm", "is not among the enabled signing_algorithms"));
                }
                if lead < Duration::ZERO || lead > LEAD_MAX {
                    wrong.push(FieldError::new("lead", "must be at most 30d"));
                }
                if !wrong.is_empty() {
                    return Err(ServiceError::Invalid(wrong));
                }
                if !caller.governs(environment) {
                    return Err(ServiceError::BeyondReach);
                }
                let key = succeed(transaction, spare, now, now.plus(lead))?;
                context.target = Some(Arc::clone(&key.kid));
                idempotency.keep(transaction, repeat.as_ref(), (action, &key.kid), None, now)?;
                Ok(key)
            })
            .await?;
        self.reload().await;
        Ok(key)
    }

    /// Rotates active keys that are due, so that each signs for at most the configured time.
    pub async fn rotate_due(&self, caller: &Caller, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        let (rotation, lead, algorithms) =
            (self.settings.rotation, self.settings.lead, self.settings.algorithms.clone());
        if rotation == Duration::ZERO {
            return Ok(());
        }
        let now = self.recorder.now();
        let due: Vec<(Environment, Algorithm)> = self
            .recorder
            .store()
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
            match self.rotate(caller, environment, algorithm, None, None, Arc::clone(origin)).await {
                Ok(key) => log::info!("{environment}: {algorithm} key {} will sign from {}", key.kid, key.activates_at),
                // Another node was faster.
                Err(ServiceError::Conflict(Conflict::RotationPending)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
