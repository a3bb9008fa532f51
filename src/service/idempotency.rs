//! `Idempotency-Key`: a repeated request gets the first one's answer once more, and is done once. An answer that carries a
//! secret is kept for one hour, sealed; after that, the replay has the object without the secret.

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use super::vault::{Purpose, Vault};
use crate::crypto::digest::sha256;
use crate::domain::caller::Caller;
use crate::domain::time::{Duration, Timestamp};
use crate::store::idempotency::{self, KeptAnswer};
use crate::store::{Change, StoreError};

/// How long a kept answer carries its secret.
pub const SECRET_KEPT: Duration = Duration::seconds(3600);
/// How long an answer is kept at all.
pub const ANSWER_KEPT: Duration = Duration::days(1);
/// Longest key.
const KEY_MAX: usize = 255;

/// A request that may be repeated.
#[derive(Clone, Debug)]
pub struct Repeatable {
    actor: String,
    key: String,
    digest: [u8; 32],
}

/// A request that may be repeated, and how its answer, which has no secret, is written.
pub type Repeat<T> = Option<(Repeatable, fn(&T, Timestamp) -> Rendered)>;

/// An answer, whole and without its secret.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// The body as it is answered.
    pub whole: String,
    /// The body as it may be kept.
    pub bare: String,
}

/// A kept answer, to be given once more.
#[derive(Clone, Debug)]
pub struct Replay {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Rendered {
    /// An answer that has no secret.
    pub fn plain(status: u16, body: String) -> Self {
        Self { status, whole: body.clone(), bare: body }
    }
}

impl Repeatable {
    /// The request of `caller` under `key`, told apart from others by method, path, body and what the caller may: a token
    /// with fewer scopes gets no answer that it could not have got by itself.
    ///
    /// # Errors
    /// The key is empty, too long, or not visible ASCII.
    pub fn new(caller: &Caller, key: &str, method: &str, path: &str, body: &[u8]) -> Result<Self, ServiceError> {
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ServiceError::invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters"));
        }
        let scopes = caller.scopes().map(ToString::to_string).unwrap_or_default();
        let request = [method.as_bytes(), b"\0", path.as_bytes(), b"\0", scopes.as_bytes(), b"\0", body].concat();
        Ok(Self { actor: caller.actor().to_string(), key: key.to_owned(), digest: sha256(&request) })
    }

    fn subject(&self) -> String {
        subject(&self.actor, &self.key)
    }

    /// Keeps the answer, in the transaction that it is the answer of.
    ///
    /// # Errors
    /// The same key was used meanwhile; the database fails.
    pub fn keep(
        &self,
        transaction: &mut Change<'_>,
        vault: &Vault,
        now: Timestamp,
        rendered: &Rendered,
    ) -> Result<(), ServiceError> {
        let answer = KeptAnswer {
            actor: self.actor.clone(),
            idempotency_key: self.key.clone(),
            request_digest: self.digest.to_vec(),
            status: i32::from(rendered.status),
            body: rendered.bare.clone(),
            sealed_body: Some(vault.seal(Purpose::KeptAnswer, &self.subject(), rendered.whole.as_bytes())?),
            created_at: now.millis(),
        };
        idempotency::expire_one(transaction.connection, &self.actor, &self.key, now.minus(ANSWER_KEPT))?;
        match idempotency::insert(transaction.connection, &answer) {
            Err(StoreError::Duplicate) => Err(ServiceError::Conflict {
                code: "idempotency_key_in_use",
                message: "a request with this Idempotency-Key is under way",
            }),
            other => Ok(other?),
        }
    }
}

/// What a kept answer's sealed part belongs to.
pub fn subject(actor: &str, key: &str) -> String {
    format!("{actor} {key}")
}

impl Services {
    /// The answer that was kept for `request`, if it is a repeated one. It may hand out a secret, and so has an event of its
    /// own on `trail`.
    ///
    /// # Errors
    /// The key was used for another request; the database fails, or the event is not stored.
    pub async fn replay(
        &self,
        request: &Repeatable,
        mut trail: Trail,
        now: Timestamp,
    ) -> Result<Option<Replay>, ServiceError> {
        let Repeatable { actor, key, digest } = request.clone();
        let kept: Option<KeptAnswer> = self
            .store
            .read(move |connection| idempotency::find(connection, &actor, &key).map_err(ServiceError::from))
            .await?;
        let Some(kept) = kept.filter(|kept| kept.created_at > now.minus(ANSWER_KEPT).millis()) else { return Ok(None) };
        if kept.request_digest != digest {
            return Err(ServiceError::IdempotencyKeyReused);
        }
        let sealed = kept.sealed_body.filter(|_| kept.created_at > now.minus(SECRET_KEPT).millis());
        let body = match sealed {
            Some(sealed) => {
                let whole = self
                    .vault
                    .open(Purpose::KeptAnswer, &request.subject(), &sealed)
                    .map_err(|error| ServiceError::Internal(error.to_string()))?;
                String::from_utf8(whole.to_vec())
                    .map_err(|_| ServiceError::Internal("a kept answer is damaged".to_owned()))?
            }
            None => kept.body.clone(),
        };
        let shown: serde_json::Value = serde_json::from_str(&kept.body).unwrap_or_default();
        trail.target = shown["id"].as_str().or(shown["name"].as_str()).map(Into::into);
        let status = u16::try_from(kept.status).unwrap_or(200);
        let witnessed = self.witness(&trail, status, "replayed").await;
        witnessed.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        Ok(Some(Replay { status, body }))
    }
}
