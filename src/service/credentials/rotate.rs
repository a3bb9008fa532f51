//! Rotates a credential's secret, at once or with an overlap in which both secrets are accepted.

use std::sync::Arc;

use super::{Credentials, Issued, Target, Verb, action, find_writable, require, require_not_revoked};
use crate::domain::audit::{Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::credential::{Credential, CredentialId, CredentialKind, GRACE_MAX};
use crate::domain::environment::Environment;
use crate::domain::time::Duration;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::service::idempotency::RepeatableRequest;
use crate::store::credentials;

impl Credentials {
    /// Creates a new secret and returns it, which is never returned again. The previous one remains valid for `grace`,
    /// at most 30 days; older ones end now, so that at most two are ever live.
    ///
    /// # Errors
    /// The credential is not visible to the caller or is revoked, the grace is too long, or the caller does not hold
    /// the credential's scopes.
    pub async fn rotate(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        id: &str,
        grace: Duration,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<Issued, ServiceError> {
        let action = action(kind, Verb::Rotate);
        let context = AuditContext::of(caller, action, Arc::clone(&origin)).on(id);
        let target = Target { caller, kind, id, action, origin };
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            return self.replayed(target, replay, (Disposition::Ok, Caller::may_take)).await;
        }
        // All refusals come before Argon2 runs.
        let prepared = match self.rotatable(caller, kind, id, grace).await {
            Ok((id, environment)) => self.secrets.create(&id, environment, self.recorder.now()).await,
            Err(error) => Err(error),
        };
        let (stored, raw) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Err(self.recorder.refused(&context, error).await),
        };
        let (secret, idempotency) = (raw.clone(), Arc::clone(&self.idempotency));
        let tied = self
            .change(target, move |transaction, mut credential, caller, now| {
                require_rotatable(caller, &credential, grace)?;
                let secret_id = stored.id.clone();
                credentials::add_secret(transaction.connection, &credential.id, &stored)?;
                for (old, end) in credential.rotate(stored, grace, now) {
                    credentials::end_secret(transaction.connection, &old, end)?;
                }
                credentials::update(transaction.connection, &credential)?;
                let (object, revealed) = (credential.id.as_str(), Some((&secret_id, secret.expose())));
                idempotency.keep(transaction, repeat.as_ref(), (action, object), revealed, now)?;
                Ok(credential)
            })
            .await?;
        Ok(Issued { tied, secret: Some(raw) })
    }

    async fn rotatable(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        id: &str,
        grace: Duration,
    ) -> Result<(CredentialId, Environment), ServiceError> {
        let (caller, id) = (caller.clone(), CredentialId::of_kind(kind, id));
        self.recorder
            .store()
            .read(move |connection| {
                let credential = find_writable(connection, &caller, kind, id.as_ref())?;
                require_rotatable(&caller, &credential, grace)?;
                Ok((credential.id, credential.environment))
            })
            .await
    }
}

fn require_rotatable(caller: &Caller, credential: &Credential, grace: Duration) -> Result<(), ServiceError> {
    require_not_revoked(credential)?;
    if grace < Duration::ZERO || grace > GRACE_MAX {
        return Err(ServiceError::invalid("grace", "must be at most 30d"));
    }
    require(caller.may_take(credential))
}
