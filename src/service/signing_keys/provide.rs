//! Provides the first signing keys: on the first start, and for an algorithm that is enabled later.

use std::sync::Arc;

use super::{SigningKeys, succeed};
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{KeyStatus, SigningKey};
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::signing_keys;

impl SigningKeys {
    /// Creates an active key for every environment and enabled algorithm that has none. Returns how many it created.
    pub async fn provide_missing(&self, caller: &Caller, origin: &Arc<Origin>) -> Result<usize, ServiceError> {
        let mut made = 0;
        for environment in Environment::ALL {
            for algorithm in self.settings.algorithms.clone() {
                let now = self.recorder.now();
                let keys: Vec<SigningKey> = self
                    .recorder
                    .store()
                    .read(move |connection| signing_keys::of(connection, environment, algorithm))
                    .await?;
                if keys.iter().any(|key| key.status(now) == KeyStatus::Active) {
                    continue;
                }
                let mut context = AuditContext::of(caller, Action::SigningKeyCreate, Arc::clone(origin));
                context.environment = Some(environment);
                let spare = self.spare_key(environment, algorithm).await?;
                made += self
                    .recorder
                    .change(caller, context, Disposition::Unattended, move |transaction, context, _, now| {
                        // Checked again in the transaction: another node may have been faster.
                        let keys = signing_keys::of(transaction.connection, environment, algorithm)?;
                        if keys.iter().any(|key| key.status(now) == KeyStatus::Active) {
                            return Ok(0);
                        }
                        let key = succeed(transaction, spare, now, now)?;
                        context.target = Some(key.kid);
                        Ok(1)
                    })
                    .await?;
            }
        }
        self.load().await?;
        Ok(made)
    }
}
