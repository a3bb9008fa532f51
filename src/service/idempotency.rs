//! `Idempotency-Key`: a repeated request gets the first one's answer once more, and is done once. An answer that carries a
//! secret is kept for one hour, sealed; after that, the replay has the object without the secret.

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use super::vault::{Purpose, Vault};
use crate::crypto::digest::DigestKey;
use crate::domain::caller::Caller;
use crate::domain::ids::{ApiKeyId, ClientId};
use crate::domain::permission::{CLIENTS_WRITE, KEYS_WRITE};
use crate::domain::time::{Duration, Timestamp};
use crate::store::idempotency::{self, KeptAnswer};
use crate::store::{Change, StoreError, api_keys, clients};

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
    /// with fewer scopes gets no answer that it could not have got by itself. The digest is keyed, since a body may have a
    /// password in it: who reads the database must not be able to try passwords against it.
    ///
    /// # Errors
    /// The key is empty, too long, or not visible ASCII.
    pub fn new(
        digest_key: &DigestKey,
        caller: &Caller,
        key: &str,
        (method, path): (&str, &str),
        body: &[u8],
    ) -> Result<Self, ServiceError> {
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ServiceError::invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters"));
        }
        let scopes = caller.scopes().map(ToString::to_string).unwrap_or_default();
        let digest = digest_key.digest(&[method.as_bytes(), path.as_bytes(), scopes.as_bytes(), body]);
        Ok(Self { actor: caller.actor().to_string(), key: key.to_owned(), digest })
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
    /// The answer that was kept for `request` of `caller`, if it is a repeated one. It may hand out a secret, and so has an
    /// event of its own on `trail`. What became of the object since counts: a credential that is out of the caller's reach
    /// now is not there, and the secret of one that is above it now is not told.
    ///
    /// # Errors
    /// The key was used for another request; the object is out of reach; the database fails, or the event is not stored.
    pub async fn replay(
        &self,
        caller: &Caller,
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
        let shown: serde_json::Value = serde_json::from_str(&kept.body).unwrap_or_default();
        let may_have_secret = self.may_have_again(caller, shown["id"].as_str().unwrap_or_default()).await?;
        let is_fresh = kept.created_at > now.minus(SECRET_KEPT).millis();
        let sealed = kept.sealed_body.filter(|_| is_fresh && may_have_secret);
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
        trail.target = shown["id"].as_str().or(shown["name"].as_str()).map(Into::into);
        let status = u16::try_from(kept.status).unwrap_or(200);
        let witnessed = self.witness(&trail, status, "replayed").await;
        witnessed.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        Ok(Some(Replay { status, body }))
    }

    /// Whether the caller may be told the secret of the credential `id` as it is now; of other objects there is none.
    async fn may_have_again(&self, caller: &Caller, id: &str) -> Result<bool, ServiceError> {
        let (caller, client, key) = (caller.clone(), id.parse::<ClientId>(), id.parse::<ApiKeyId>());
        self.store
            .read(move |connection| match (client, key) {
                (Ok(id), _) => clients::find(connection, &id)?
                    .filter(|client| caller.reaches(CLIENTS_WRITE, client.place()))
                    .map(|client| caller.may_take(&client))
                    .ok_or(ServiceError::NotFound("client")),
                (_, Ok(id)) => api_keys::find(connection, &id)?
                    .filter(|key| caller.reaches(KEYS_WRITE, key.place()))
                    .map(|key| caller.holds(&key.scopes))
                    .ok_or(ServiceError::NotFound("key")),
                _ => Ok(true),
            })
            .await
    }
}
