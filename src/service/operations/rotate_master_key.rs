//! Rotates the master key: seals every value again under the first key. Nodes that have both keys are not affected.

use std::sync::Arc;

use super::Operations;
use crate::crypto::seal::{KeyId, MasterKey, key_id};
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::service::idempotency;
use crate::service::state::sealer::{Purpose, Sealer};
use crate::store::{Change, installation, signing_keys};

/// The result of a rotation.
#[derive(Clone, Copy, Debug)]
pub struct MasterKeyRotation {
    /// The key that values are sealed under from now on.
    pub key: KeyId,
    /// The number of values that were sealed again.
    pub resealed: usize,
}

impl Operations {
    /// Seals every value again under the first master key. Where the keys are in a file, it first creates a new key and
    /// puts it first in that file. Where they come from a variable, the new key must be first in it already, on every
    /// node.
    ///
    /// # Errors
    /// The file cannot be replaced, or a value cannot be opened.
    pub async fn rotate_master_key(
        &self,
        caller: &Caller,
        origin: Arc<Origin>,
    ) -> Result<MasterKeyRotation, ServiceError> {
        if self.sealer.source().path().is_some() {
            let new = MasterKey::generate()?;
            let keys = self.sealer.keys();
            let ordered: Vec<&MasterKey> = std::iter::once(&new).chain(keys.all().iter()).collect();
            self.sealer.source().replace(&ordered).map_err(|error| ServiceError::Unavailable(error.to_string()))?;
            self.sealer.reread().map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        }
        let key = self.sealer.keys().first().id();
        let context = AuditContext::of(caller, Action::MasterKeyRotate, origin).on(&key.to_string());
        let sealer = Arc::clone(&self.sealer);
        self.recorder
            .change(caller, context, Disposition::Unattended, move |transaction, _, _, now| {
                let resealed = reseal(transaction, &sealer, key, now)?;
                transaction.announce(now, ChangeKind::MasterKeys, &key.to_string())?;
                Ok(MasterKeyRotation { key, resealed })
            })
            .await
    }
}

fn reseal(transaction: &mut Change<'_>, sealer: &Sealer, first: KeyId, now: Timestamp) -> Result<usize, ServiceError> {
    let is_old = |sealed: &[u8]| key_id(sealed) != Some(first);
    let anew = |purpose: Purpose, subject: &str, sealed: &[u8]| {
        let plaintext = sealer
            .open(purpose, subject, sealed)
            .map_err(|error| ServiceError::Internal(format!("{purpose:?} {subject}: {error}")))?;
        sealer.seal(purpose, subject, &plaintext)
    };
    let mut resealed = 0;
    if let Some(sealed) = installation::digest_key(transaction.connection)?.filter(|sealed| is_old(sealed)) {
        let sealed = anew(Purpose::DigestKey, "", &sealed)?;
        installation::set_digest_key(transaction.connection, now, &sealed)?;
        resealed += 1;
    }
    for stored in signing_keys::all(transaction.connection)? {
        let stored = stored?;
        if let Some(sealed) = stored.private_key_sealed.filter(|sealed| is_old(sealed)) {
            let sealed = anew(Purpose::SigningKey, &stored.key.kid, &sealed)?;
            signing_keys::set_private_key(transaction.connection, &stored.key.kid, Some(&sealed))?;
            resealed += 1;
        }
    }
    for kept in crate::store::idempotency::sealed(transaction.connection)? {
        if let Some(sealed) = kept.sealed_secret.as_deref().filter(|sealed| is_old(sealed)) {
            let subject = idempotency::subject(&kept.actor, &kept.idempotency_key);
            let sealed = anew(Purpose::KeptSecret, &subject, sealed)?;
            crate::store::idempotency::set_sealed(transaction.connection, &kept, &sealed)?;
            resealed += 1;
        }
    }
    Ok(resealed)
}
