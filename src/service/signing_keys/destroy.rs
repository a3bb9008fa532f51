//! Destroys a signing key in an emergency, and erases private keys when the last token that they signed has expired.

use std::sync::Arc;

use super::{SigningKeys, succeed};
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::signing_key::{KeyStatus, SigningKey};
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::{Conflict, ServiceError};
use crate::store::Change;
use crate::store::signing_keys::{self, StoredKey};

impl SigningKeys {
    /// Destroys a key at once: what it signed no longer verifies. If it was active, its successor becomes active in the
    /// same transaction.
    ///
    /// # Errors
    /// No such key is visible to the caller, or it is destroyed already.
    pub async fn destroy(&self, caller: &Caller, kid: &str, origin: Arc<Origin>) -> Result<SigningKey, ServiceError> {
        let context = AuditContext::of(caller, Action::SigningKeyDestroy, origin).on(kid);
        let kid = kid.to_owned();
        let spare = match self.keyring.line_of(&kid) {
            Some((environment, algorithm)) => Some(self.spare_key(environment, algorithm).await?),
            None => None,
        };
        let key = self
            .recorder
            .change(caller, context, Disposition::Ok, move |transaction, context, caller, now| {
                // A thumbprint is base64url. Anything else is not looked up, since PostgreSQL accepts no NUL in a text.
                let is_thumbprint = kid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                let found = if is_thumbprint { signing_keys::find(transaction.connection, &kid)? } else { None };
                let key =
                    found.filter(|key| caller.governs(key.environment)).ok_or(ServiceError::NotFound("signing key"))?;
                context.environment = Some(key.environment);
                end(transaction, spare, key, now)
            })
            .await?;
        self.reload().await;
        Ok(key)
    }

    /// Erases the private keys of keys that have been retired long enough, so that they cannot be stolen.
    pub async fn erase_spent(&self, caller: &Caller, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        let now = self.recorder.now();
        let stored = self.recorder.store().read(signing_keys::all).await?;
        let spent: Vec<StoredKey> = stored
            .into_iter()
            .flatten()
            .filter(|stored| stored.key.destroyed_at.is_none() && stored.key.status(now) == KeyStatus::Destroyed)
            .collect();
        for StoredKey { mut key, .. } in spent {
            let mut context = AuditContext::of(caller, Action::SigningKeyDestroy, Arc::clone(origin));
            context.environment = Some(key.environment);
            context.target = Some(Arc::clone(&key.kid));
            self.recorder
                .change(caller, context, Disposition::Unattended, move |transaction, _, _, now| {
                    key.destroyed_at = Some(now);
                    erase(transaction, &key, now)
                })
                .await?;
        }
        self.reload().await;
        Ok(())
    }
}

fn end(
    transaction: &mut Change<'_>,
    spare: Option<StoredKey>,
    mut key: SigningKey,
    now: Timestamp,
) -> Result<SigningKey, ServiceError> {
    let status = key.status(now);
    if key.destroyed_at.is_some() {
        return Err(Conflict::Destroyed.into());
    }
    key.destroyed_at = Some(now);
    erase(transaction, &key, now)?;
    let line = signing_keys::of(transaction.connection, key.environment, key.algorithm)?;
    let pending = line.iter().find(|other| other.status(now) == KeyStatus::Pending).cloned();
    match (status, pending) {
        (KeyStatus::Active, Some(mut successor)) => {
            successor.activates_at = now;
            signing_keys::update_dates(transaction.connection, &successor)?;
        }
        (KeyStatus::Active, None) => {
            let spare =
                spare.ok_or_else(|| ServiceError::Unavailable("the key was created a moment ago".to_owned()))?;
            succeed(transaction, spare, now, now)?;
        }
        // The active key continues to sign: its successor is destroyed.
        (KeyStatus::Pending, _) => {
            for mut active in line.into_iter().filter(|other| other.status(now) == KeyStatus::Active) {
                active.retires_at = None;
                signing_keys::update_dates(transaction.connection, &active)?;
            }
        }
        _ => {}
    }
    Ok(key)
}

/// Stores that `key` is destroyed, and erases its private key.
fn erase(transaction: &mut Change<'_>, key: &SigningKey, now: Timestamp) -> Result<(), ServiceError> {
    signing_keys::update_dates(transaction.connection, key)?;
    signing_keys::set_private_key(transaction.connection, &key.kid, None)?;
    transaction.announce(now, ChangeKind::SigningKeys, key.environment.as_str())?;
    Ok(())
}
