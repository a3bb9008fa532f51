//! Seals everything anew under the first master key. Nodes that have both keys notice nothing.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::idempotency;
use super::trail::Trail;
use super::vault::{Purpose, Vault};
use crate::crypto::seal::{KeyId, MasterKey, key_id};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::store::{Change, change_log, installation, signing_keys};

/// What a rotation did.
#[derive(Clone, Copy, Debug)]
pub struct MasterKeyRotation {
    /// The key that seals from now on.
    pub key: KeyId,
    /// How many values were sealed anew.
    pub resealed: usize,
}

impl Services {
    /// Makes a new master key where they stand in a file, puts it first there, and seals everything anew under the first
    /// key. Where the keys come from a variable, the new one must stand first in it already, on every node.
    ///
    /// # Errors
    /// The file cannot be replaced, a value cannot be opened, or the database fails.
    pub async fn rotate_master_key(
        &self,
        caller: &Caller,
        origin: Arc<Origin>,
    ) -> Result<MasterKeyRotation, ServiceError> {
        if self.vault.source().path().is_some() {
            let new = MasterKey::generate()?;
            let keys = self.vault.keys();
            let ordered: Vec<&MasterKey> = std::iter::once(&new).chain(keys.all().iter()).collect();
            self.vault.source().replace(&ordered).map_err(|error| ServiceError::Unavailable(error.to_string()))?;
            self.vault.reread().map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        }
        let mut trail = Trail::of(caller, "master_key.rotate", origin);
        let key = self.vault.keys().first().id();
        trail.target = Some(key.to_string().into());
        let vault = Arc::clone(&self.vault);
        self.change(trail, 0, move |transaction, _, now| {
            let resealed = reseal(transaction, &vault, key)?;
            transaction.announce(now, change_log::Kind::MasterKeys, &key.to_string())?;
            Ok(MasterKeyRotation { key, resealed })
        })
        .await
    }
}

fn reseal(transaction: &mut Change<'_>, vault: &Vault, first: KeyId) -> Result<usize, ServiceError> {
    let is_old = |sealed: &[u8]| key_id(sealed) != Some(first);
    let anew = |purpose: Purpose, subject: &str, sealed: &[u8]| {
        let plaintext = vault
            .open(purpose, subject, sealed)
            .map_err(|error| ServiceError::Internal(format!("{purpose:?} {subject}: {error}")))?;
        vault.seal(purpose, subject, &plaintext)
    };
    let mut resealed = 0;
    if let Some(sealed) = installation::tag_key(transaction.connection)?.filter(|sealed| is_old(sealed)) {
        let sealed = anew(Purpose::TagKey, "", &sealed)?;
        installation::set_tag_key(transaction.connection, crate::clock::now(), &sealed)?;
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
    for answer in crate::store::idempotency::sealed(transaction.connection)? {
        if let Some(sealed) = answer.sealed_body.as_deref().filter(|sealed| is_old(sealed)) {
            let subject = idempotency::subject(&answer.actor, &answer.idempotency_key);
            let sealed = anew(Purpose::KeptAnswer, &subject, sealed)?;
            crate::store::idempotency::set_sealed(transaction.connection, &answer, &sealed)?;
            resealed += 1;
        }
    }
    Ok(resealed)
}
