//! The use cases of credentials, both clients and API keys: create, read, update, rotate, disable, enable, revoke,
//! transfer.
//!
//! Every change is one transaction with its audit event and its entry in the change log, and applies in this process
//! when it returns. The input was parsed before. All changes then check in the same order: is the credential visible to
//! the caller (404), does its state allow the change (409), is the input valid for it (422), may the caller do it
//! (403).

mod change_state;
mod create;
mod flag_due_rotations;
mod ownership;
mod read;
mod rotate;
mod secrets;
mod tie;
mod update;

pub use secrets::SecretFactory;

use std::sync::Arc;

use super::audit_context::AuditContext;
use super::error::{Conflict, FieldError, ServiceError};
use super::expansion;
use super::idempotency::{Idempotency, Replay};
use super::recorder::Recorder;
use super::state::credential_cache::CredentialCache;
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::credential::{Credential, CredentialId, CredentialKind, RawSecret, State, TiedCredential};
use crate::domain::signing_key::Algorithm;
use crate::domain::time::{Duration, Timestamp};
use crate::store::{AnyConnection, Change, credentials};

/// The use cases of credentials.
#[derive(Debug)]
pub struct Credentials {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// Cached credentials.
    pub cache: Arc<CredentialCache>,
    /// Creates secrets.
    pub secrets: SecretFactory,
    /// Responses for repeated requests.
    pub idempotency: Arc<Idempotency>,
    /// The algorithms that tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// The age at which a secret is due for rotation.
    pub rotation_age: Duration,
}

/// A credential whose secret was just created.
#[derive(Debug)]
pub struct Issued {
    /// The credential.
    pub tied: TiedCredential,
    /// Its new secret; `None` where a repeated request may not see it again.
    pub secret: Option<RawSecret>,
}

/// An operation on a credential, by its verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Create,
    List,
    Read,
    Update,
    Rotate,
    Disable,
    Enable,
    Revoke,
    Transfer,
}

/// Returns the action in audit events of an operation on a kind of credentials.
const fn action(kind: CredentialKind, verb: Verb) -> Action {
    use CredentialKind::{ApiKey, Client};
    match (kind, verb) {
        (Client, Verb::Create) => Action::ClientCreate,
        (Client, Verb::List) => Action::ClientList,
        (Client, Verb::Read) => Action::ClientRead,
        (Client, Verb::Update) => Action::ClientUpdate,
        (Client, Verb::Rotate) => Action::ClientRotateSecret,
        (Client, Verb::Disable) => Action::ClientDisable,
        (Client, Verb::Enable) => Action::ClientEnable,
        (Client, Verb::Revoke) => Action::ClientRevoke,
        (Client, Verb::Transfer) => Action::ClientTransfer,
        (ApiKey, Verb::Create) => Action::KeyCreate,
        (ApiKey, Verb::List) => Action::KeyList,
        (ApiKey, Verb::Read) => Action::KeyRead,
        (ApiKey, Verb::Update) => Action::KeyUpdate,
        (ApiKey, Verb::Rotate) => Action::KeyRotate,
        (ApiKey, Verb::Disable) => Action::KeyDisable,
        (ApiKey, Verb::Enable) => Action::KeyEnable,
        (ApiKey, Verb::Revoke) => Action::KeyRevoke,
        (ApiKey, Verb::Transfer) => Action::KeyTransfer,
    }
}

/// The credential that a caller wants to change, and how.
struct Target<'t> {
    caller: &'t Caller,
    kind: CredentialKind,
    id: &'t str,
    action: Action,
    origin: Arc<Origin>,
}

/// The credential after a change.
type Changed = Result<Credential, ServiceError>;

impl Credentials {
    /// Changes the credential that `target` names, if it is visible to the caller, and drops it from the cache. If an
    /// epoch has ended it, that is written into its row first.
    async fn change(
        &self,
        target: Target<'_>,
        change: impl FnOnce(&mut Change<'_>, Credential, &Caller, Timestamp) -> Changed + Send + 'static,
    ) -> Result<TiedCredential, ServiceError> {
        let Target { caller, kind, id, action, origin } = target;
        let context = AuditContext::of(caller, action, origin).on(id);
        let parsed = CredentialId::of_kind(kind, id);
        let recorder = Arc::clone(&self.recorder);
        let result = self
            .recorder
            .change(caller, context, Disposition::Ok, move |transaction, context, caller, now| {
                let credential = find_writable(transaction.connection, caller, kind, parsed.as_ref())?;
                *context = context.clone().on_credential(&credential);
                let ended = expansion::expand_one(transaction, &recorder, &credential.id)?;
                let id = credential.id.clone();
                let changed = change(transaction, credential, caller, now)?;
                transaction.announce(now, ChangeKind::Credential, id.as_str())?;
                Ok((tie::tied(transaction.connection, caller, changed)?, ended))
            })
            .await;
        self.cache.drop_entry(id);
        let (done, ended) = result?;
        self.recorder.journal().count_stored(ended);
        Ok(done)
    }

    /// Returns the result of a repeated request: the object as it is now. Its secret is included within the hour, while
    /// it is live, for a caller who `may` still have it.
    async fn replayed(
        &self,
        target: Target<'_>,
        replay: Replay,
        (disposition, may): (Disposition, fn(&Caller, &Credential) -> bool),
    ) -> Result<Issued, ServiceError> {
        let Target { caller, kind, action, origin, .. } = target;
        let context = AuditContext::of(caller, action, origin).on(&replay.object);
        let now = self.recorder.now();
        let id = CredentialId::of_kind(kind, &replay.object);
        let (tied, may) = self
            .recorder
            .replay(caller, &context, disposition, move |connection, caller| {
                let credential = find_writable(connection, caller, kind, id.as_ref())?;
                let may = may(caller, &credential);
                Ok((tie::tied(connection, caller, credential)?, may))
            })
            .await?;
        let credential = &tied.credential;
        let kept = if may { self.idempotency.secret(&replay, now)? } else { None };
        let secret = kept.filter(|(id, _)| {
            credential.secrets.iter().any(|own| own.id == *id && credential.is_secret_live(own, now))
        });
        let secret = secret.and_then(|(_, text)| SecretFactory::raw(kind, text));
        Ok(Issued { tied, secret })
    }
}

/// Finds the credential `id`, if it is visible to `caller` with the permission to write credentials of its kind.
fn find_writable(
    connection: &mut AnyConnection,
    caller: &Caller,
    kind: CredentialKind,
    id: Option<&CredentialId>,
) -> Result<Credential, ServiceError> {
    find_reachable(connection, caller, kind, kind.write_permission(), id)
}

fn find_reachable(
    connection: &mut AnyConnection,
    caller: &Caller,
    kind: CredentialKind,
    permission: &'static str,
    id: Option<&CredentialId>,
) -> Result<Credential, ServiceError> {
    let missing = ServiceError::NotFound(kind.noun());
    let Some(id) = id else { return Err(missing) };
    credentials::find(connection, id)?
        .filter(|credential| caller.reaches(permission, credential.ownership()))
        .ok_or(missing)
}

/// Checks that a credential is not revoked, which is final.
fn require_not_revoked(credential: &Credential) -> Result<(), ServiceError> {
    if credential.state == State::Revoked {
        return Err(Conflict::Revoked(credential.kind()).into());
    }
    Ok(())
}

/// Checks that no field is invalid.
fn require_valid(wrong: Vec<FieldError>) -> Result<(), ServiceError> {
    if wrong.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(wrong)) }
}

fn require(may: bool) -> Result<(), ServiceError> {
    if may { Ok(()) } else { Err(ServiceError::ScopeExceedsCaller) }
}
