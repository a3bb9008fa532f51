//! Seals everything anew under the first master key. Nodes that have both keys notice nothing.

use std::sync::Arc;

use super::Operations;
use crate::crypto::seal::{KeyId, MasterKey, key_id};
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::service::idempotency;
use crate::service::state::sealer::{Purpose, Sealer};
use crate::store::{Change, change_log, installation, signing_keys};

/// What a rotation did.
#[derive(Clone, Copy, Debug)]
pub struct MasterKeyRotation {
    /// The key that seals from now on.
    pub key: KeyId,
    /// How many values were sealed anew.
    pub resealed: usize,
}

impl Operations {
    /// Makes a new master key where they stand in a file, puts it first there, and seals everything anew under the
    /// first key. Where the keys come from a variable, the new one must stand first in it already, on every node.
    ///
    /// # Errors
    /// The file cannot be replaced, a value cannot be opened, or the database fails.
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
            .change(context, Disposition::Unattended, move |transaction, _, now| {
                let resealed = reseal(transaction, &sealer, key, now)?;
                transaction.announce(now, change_log::Kind::MasterKeys, &key.to_string())?;
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
    if let Some(sealed) = installation::tag_key(transaction.connection)?.filter(|sealed| is_old(sealed)) {
        let sealed = anew(Purpose::TagKey, "", &sealed)?;
        installation::set_tag_key(transaction.connection, now, &sealed)?;
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
