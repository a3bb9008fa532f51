//! Replaces a key's string, at once or with an overlap in which both are accepted.

use std::sync::Arc;

use super::Repeat;
use crate::domain::api_key::{ApiKey, KeyText, LIVE_STRINGS_MAX};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::{GRACE_MAX, State};
use crate::domain::time::Duration;
use crate::service::Services;
use crate::service::error::ServiceError;
use crate::store::api_keys;

impl Services {
    /// Makes a new string, returned this once. The newest one so far goes on being accepted for `grace`, at most 30 days;
    /// older ones end now, so that no more than two are ever live.
    ///
    /// # Errors
    /// No such key, the grace is too long, the key is revoked, or the caller does not hold the key's scopes.
    pub async fn rotate_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        grace: Duration,
        repeat: Repeat,
        origin: Arc<Origin>,
    ) -> Result<(ApiKey, KeyText), ServiceError> {
        let trail = Self::key_trail(caller, "key.rotate", id, origin);
        let (own, services) = (caller.clone(), Arc::clone(self));
        self.change_key(caller, id, trail, move |transaction, mut key, now| {
            if grace < Duration::ZERO || grace > GRACE_MAX {
                return Err(ServiceError::invalid("grace", "must be at most 30d"));
            }
            if key.state == State::Revoked {
                return Err(ServiceError::Conflict { code: "revoked", message: "a revoked key gets no new string" });
            }
            if !own.holds(&key.scopes) {
                return Err(ServiceError::ScopeExceedsCaller);
            }
            let mut newest = true;
            for old in key.strings.iter_mut().filter(|old| old.is_live(now)) {
                let end = if newest { now.plus(grace) } else { now };
                newest = false;
                // An overlap that was granted before is not made longer by a later one.
                let end = old.ends_at.map_or(end, |already| already.min(end));
                api_keys::end_string(transaction.connection, &old.digest, end)?;
                old.ends_at = Some(end);
            }
            let (string, text) = services.make_key_string(key.environment, now)?;
            (key.updated_at, key.rotated_at) = (now, now);
            api_keys::update(transaction.connection, &key)?;
            api_keys::insert_string(transaction.connection, &key.id, &string)?;
            key.strings.insert(0, string);
            debug_assert!(key.strings.iter().filter(|string| string.is_live(now)).count() <= LIVE_STRINGS_MAX);
            if let Some((request, render)) = repeat {
                request.keep(transaction, &services.vault, now, &render(&key, &text, now))?;
            }
            Ok((key, text))
        })
        .await
    }
}
