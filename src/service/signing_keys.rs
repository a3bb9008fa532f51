//! The life of signing keys: the first ones, rotation, destruction, and erasing what nothing needs any more.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::idempotency::Repeat;
use super::keyring;
use super::trail::Trail;
use crate::clock;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, KeyStatus, SigningKey};
use crate::domain::time::{Duration, Timestamp};
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Change, StoreError, change_log};

/// Longest lead that a rotation may be given.
const LEAD_MAX: Duration = Duration::days(30);

impl Services {
    /// Keys that the caller sees, newest first, from after the key `after`.
    ///
    /// # Errors
    /// The caller sees no key `after`, or the database fails.
    pub async fn list_signing_keys(
        &self,
        caller: &Caller,
        after: Option<String>,
        origin: Arc<Origin>,
    ) -> Result<Vec<SigningKey>, ServiceError> {
        let trail = Trail::of(caller, "signing_key.list", origin);
        let own = caller.clone();
        self.reading(trail, move |connection| {
            let mut keys: Vec<SigningKey> = signing_keys::all(connection)?
                .into_iter()
                .filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok())
                .map(|stored| stored.key)
                .filter(|key| own.sees(key.environment))
                .collect();
            keys.reverse();
            if let Some(after) = after {
                let at = keys.iter().position(|key| *key.kid == *after);
                let at = at.ok_or_else(|| ServiceError::invalid("cursor", "is out of date"))?;
                keys.drain(..=at);
            }
            Ok(keys)
        })
        .await
    }

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
                if !own.sees(environment) {
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

    /// Ends a key at once: what it signed no longer verifies. Where it was active, its successor is active in the same
    /// transaction.
    ///
    /// # Errors
    /// No such key, or it is destroyed already.
    pub async fn destroy_signing_key(
        &self,
        caller: &Caller,
        kid: &str,
        origin: Arc<Origin>,
    ) -> Result<SigningKey, ServiceError> {
        let mut trail = Trail::of(caller, "signing_key.destroy", origin);
        trail.target = Some(crate::domain::text::recordable(kid, 64).into());
        let (own, kid) = (caller.clone(), kid.to_owned());
        let spare = match self.keyring.line_of(&kid) {
            Some((environment, algorithm)) => Some(self.spare_key(environment, algorithm).await?),
            None => None,
        };
        let key = self
            .change(trail, 200, move |transaction, trail, now| {
                // A thumbprint is base64url; what is not is not asked for, since PostgreSQL takes no NUL in a text.
                let is_thumbprint = kid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                let found = if is_thumbprint { signing_keys::find(transaction.connection, &kid)? } else { None };
                let key = found.filter(|key| own.sees(key.environment)).ok_or(ServiceError::NotFound("signing key"))?;
                trail.environment = Some(key.environment);
                destroy(transaction, spare, key, now)
            })
            .await?;
        self.reload_keyring().await?;
        Ok(key)
    }

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

    /// A key that may become the next of its line, made before any transaction is open: making one takes long.
    async fn spare_key(&self, environment: Environment, algorithm: Algorithm) -> Result<StoredKey, ServiceError> {
        let (vault, now) = (Arc::clone(&self.vault), clock::now());
        tokio::task::spawn_blocking(move || keyring::make(&vault, environment, algorithm, now))
            .await
            .unwrap_or_else(|error| Err(ServiceError::Internal(error.to_string())))
    }

    /// Erases the private halves of keys that are retired long enough, so that nothing is left to steal.
    ///
    /// # Errors
    /// The database fails.
    pub async fn erase_spent_signing_keys(&self, caller: &Caller, origin: &Arc<Origin>) -> Result<(), ServiceError> {
        let now = clock::now();
        let stored = self.store.read(signing_keys::all).await?;
        let spent: Vec<StoredKey> = stored
            .into_iter()
            .flatten()
            .filter(|stored| stored.key.destroyed_at.is_none() && stored.key.status(now) == KeyStatus::Destroyed)
            .collect();
        for StoredKey { mut key, .. } in spent {
            let mut trail = Trail::of(caller, "signing_key.destroy", Arc::clone(origin));
            trail.environment = Some(key.environment);
            trail.target = Some(Arc::clone(&key.kid));
            self.change(trail, 0, move |transaction, _, now| {
                key.destroyed_at = Some(now);
                erase(transaction, &key, now)
            })
            .await?;
        }
        self.reload_keyring().await?;
        Ok(())
    }
}

/// Enters `spare` as the next key of its line, which signs from `activates_at`, when the active one retires.
fn succeed(
    transaction: &mut Change<'_>,
    mut spare: StoredKey,
    now: Timestamp,
    activates_at: Timestamp,
) -> Result<SigningKey, ServiceError> {
    const PENDING: ServiceError = ServiceError::Conflict {
        code: "rotation_pending",
        message: "a pending key of this environment and algorithm is there already",
    };
    let (environment, algorithm) = (spare.key.environment, spare.key.algorithm);
    let line = signing_keys::of(transaction.connection, environment, algorithm)?;
    if line.iter().any(|key| key.status(now) == KeyStatus::Pending) {
        return Err(PENDING);
    }
    spare.key.generation = line.first().map_or(1, |newest| newest.generation + 1);
    spare.key.created_at = now;
    spare.key.activates_at = activates_at;
    match signing_keys::insert(transaction.connection, &spare) {
        Err(StoreError::Duplicate) => return Err(PENDING),
        other => other?,
    }
    for mut active in line.into_iter().filter(|key| key.status(now) == KeyStatus::Active) {
        active.retires_at = Some(activates_at);
        signing_keys::update_dates(transaction.connection, &active)?;
    }
    transaction.announce(now, change_log::Kind::SigningKeys, environment.as_str())?;
    Ok(spare.key)
}

fn destroy(
    transaction: &mut Change<'_>,
    spare: Option<StoredKey>,
    mut key: SigningKey,
    now: Timestamp,
) -> Result<SigningKey, ServiceError> {
    let status = key.status(now);
    if key.destroyed_at.is_some() {
        return Err(ServiceError::Conflict { code: "destroyed", message: "the key is destroyed already" });
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
            let spare = spare.ok_or_else(|| ServiceError::Unavailable("the key was made a moment ago".to_owned()))?;
            succeed(transaction, spare, now, now)?;
        }
        // The active key goes on: its successor is not coming.
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

/// Stores that `key` is destroyed, and erases its private half.
fn erase(transaction: &mut Change<'_>, key: &SigningKey, now: Timestamp) -> Result<(), ServiceError> {
    signing_keys::update_dates(transaction.connection, key)?;
    signing_keys::set_private_key(transaction.connection, &key.kid, None)?;
    transaction.announce(now, change_log::Kind::SigningKeys, key.environment.as_str())?;
    Ok(())
}
