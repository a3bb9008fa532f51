//! `Idempotency-Key`: a repeated request is executed once. Its response shows the object as it is now and, for one
//! hour, the secret that the first response revealed.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::audit_context::AuditContext;
use super::error::{Conflict, ServiceError};
use super::recorder::Recorder;
use super::state::sealer::{Purpose, Sealer};
use crate::crypto::digest::DigestKey;
use crate::domain::audit::Action;
use crate::domain::caller::Caller;
use crate::domain::ids::SecretId;
use crate::domain::text;
use crate::domain::time::{Duration, Timestamp};
use crate::store::idempotency::{self, KeptResponse};
use crate::store::{Change, Store, StoreError};

/// How long the secret of a response is kept.
pub const SECRET_KEPT: Duration = Duration::seconds(3600);
/// How long a response is kept.
pub const RESPONSE_KEPT: Duration = Duration::days(1);
/// Longest key, in bytes.
const KEY_MAX: usize = 255;

/// A request with an `Idempotency-Key`.
#[derive(Clone, Debug)]
pub struct RepeatableRequest {
    actor: String,
    key: String,
    digest: [u8; 32],
}

/// The result of the first of several equal requests.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The id of the object.
    pub object: String,
    secret_id: Option<String>,
    sealed_secret: Option<Vec<u8>>,
    subject: String,
    created_at: Timestamp,
}

impl Replay {
    /// Checks that an object that is found by its name is the one that the first request created, at the time of its
    /// response: another one may have been given the name since.
    ///
    /// # Errors
    /// That one is gone.
    pub fn require_created_at(&self, created_at: Option<Timestamp>, what: &'static str) -> Result<(), ServiceError> {
        if created_at == Some(self.created_at) { Ok(()) } else { Err(ServiceError::Gone(what)) }
    }
}

/// A secret that a response reveals, with its id.
pub type Revealed<'s> = (&'s SecretId, &'s str);

/// Recognises repeated requests and keeps responses for them.
#[derive(Debug)]
pub struct Idempotency {
    store: Store,
    sealer: Arc<Sealer>,
    digest_key: DigestKey,
}

impl Idempotency {
    /// Keeps responses in `store`. Requests are compared by digests under `digest_key`, since a body may contain a
    /// password: a reader of the database must not be able to test passwords against them.
    pub const fn new(store: Store, sealer: Arc<Sealer>, digest_key: DigestKey) -> Self {
        Self { store, sealer, digest_key }
    }

    /// Describes the request of `caller` with the `Idempotency-Key` `key`. Requests differ by `content`: the operation,
    /// its object and its input. What the caller may do now decides when the response is repeated.
    ///
    /// # Errors
    /// The key is empty, too long, or not visible ASCII.
    pub fn request(&self, caller: &Caller, key: &str, content: &[&[u8]]) -> Result<RepeatableRequest, ServiceError> {
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ServiceError::invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters"));
        }
        text::refuse_secrets(key).map_err(|wrong| ServiceError::invalid("Idempotency-Key", wrong))?;
        let digest = self.digest_key.digest(content);
        Ok(RepeatableRequest { actor: caller.actor().to_string(), key: key.to_owned(), digest })
    }

    /// Finds the result of the first request, if `request` repeats one. A refusal is recorded in `context`.
    ///
    /// # Errors
    /// The key was used for another request.
    pub async fn replay_of(
        &self,
        request: Option<&RepeatableRequest>,
        recorder: &Recorder,
        context: &AuditContext,
    ) -> Result<Option<Replay>, ServiceError> {
        match self.find(request, recorder.now()).await {
            Ok(replay) => Ok(replay),
            Err(error) => Err(recorder.refused(context, error).await),
        }
    }

    async fn find(&self, request: Option<&RepeatableRequest>, now: Timestamp) -> Result<Option<Replay>, ServiceError> {
        let Some(RepeatableRequest { actor, key, digest }) = request.cloned() else { return Ok(None) };
        let kept: Option<KeptResponse> = self
            .store
            .read(move |connection| idempotency::find(connection, &actor, &key).map_err(ServiceError::from))
            .await?;
        let Some(kept) = kept.filter(|kept| kept.created_at > now.minus(RESPONSE_KEPT).millis()) else {
            return Ok(None);
        };
        if kept.request_digest != digest {
            return Err(ServiceError::IdempotencyKeyReused);
        }
        Ok(Some(Replay {
            subject: subject(&kept.actor, &kept.idempotency_key),
            object: kept.object,
            secret_id: kept.secret_id,
            sealed_secret: kept.sealed_secret,
            created_at: Timestamp::from_millis(kept.created_at),
        }))
    }

    /// Opens the secret that the first response revealed, within the hour, and its id.
    ///
    /// # Errors
    /// The secret is damaged, or its master key cannot be found.
    pub fn secret(
        &self,
        replay: &Replay,
        now: Timestamp,
    ) -> Result<Option<(SecretId, Zeroizing<String>)>, ServiceError> {
        let is_fresh = replay.created_at > now.minus(SECRET_KEPT);
        let (Some(id), Some(sealed), true) = (&replay.secret_id, &replay.sealed_secret, is_fresh) else {
            return Ok(None);
        };
        let damaged = || ServiceError::Internal("a kept secret is damaged".to_owned());
        let id = id.parse().map_err(|_| damaged())?;
        let secret = self
            .sealer
            .open(Purpose::KeptSecret, &replay.subject, sealed)
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        let text = std::str::from_utf8(&secret).map_err(|_| damaged())?;
        Ok(Some((id, Zeroizing::new(text.to_owned()))))
    }

    /// Stores, in the transaction of the change itself, that `request` did `action` to `object` and `revealed` a
    /// secret.
    ///
    /// # Errors
    /// The same key was used in the meantime.
    pub fn keep(
        &self,
        transaction: &mut Change<'_>,
        request: Option<&RepeatableRequest>,
        (action, object): (Action, &str),
        revealed: Option<Revealed<'_>>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let Some(RepeatableRequest { actor, key, digest }) = request else { return Ok(()) };
        let seal = |secret: &str| self.sealer.seal(Purpose::KeptSecret, &subject(actor, key), secret.as_bytes());
        let response = KeptResponse {
            actor: actor.clone(),
            idempotency_key: key.clone(),
            request_digest: digest.to_vec(),
            action: action.to_string(),
            object: object.to_owned(),
            secret_id: revealed.map(|(id, _)| id.to_string()),
            sealed_secret: revealed.map(|(_, secret)| seal(secret)).transpose()?,
            created_at: now.millis(),
        };
        idempotency::expire_one(transaction.connection, actor, key, now.minus(RESPONSE_KEPT))?;
        match idempotency::insert(transaction.connection, &response) {
            Err(StoreError::Duplicate) => Err(Conflict::IdempotencyKeyInUse.into()),
            other => Ok(other?),
        }
    }
}

/// Returns the subject that a kept secret is sealed for.
pub fn subject(actor: &str, key: &str) -> String {
    format!("{actor} {key}")
}
