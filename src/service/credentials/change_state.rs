//! Disables, enables and revokes a credential, and revokes a client's tokens.

use std::sync::Arc;

use super::{Credentials, Target, Verb, action, require, require_not_revoked};
use crate::domain::audit::{Action, Origin};
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialKind, Details, State, StateChange, TiedCredential};
use crate::service::error::ServiceError;
use crate::store::credentials;

impl Credentials {
    /// Changes a credential's state. Doing it again changes nothing.
    ///
    /// # Errors
    /// The credential is not visible to the caller; it is revoked; or the caller would enable one whose scopes it does
    /// not hold.
    pub async fn change_state(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        id: &str,
        change: StateChange,
        origin: Arc<Origin>,
    ) -> Result<TiedCredential, ServiceError> {
        let verb = match change {
            StateChange::Disable => Verb::Disable,
            StateChange::Enable => Verb::Enable,
            StateChange::Revoke => Verb::Revoke,
        };
        let target = Target { caller, kind, id, action: action(kind, verb), origin };
        self.change(target, move |transaction, mut credential, caller, now| {
            if change != StateChange::Revoke {
                require_not_revoked(&credential)?;
            }
            require(change != StateChange::Enable || caller.may_take(&credential))?;
            if credential.state == change.state() {
                return Ok(credential);
            }
            credential.state = change.state();
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            Ok(credential)
        })
        .await
    }

    /// Revokes all tokens that were issued to a client until now, by whatever time they were issued. Those of a revoked
    /// client are revoked already: nothing changes.
    ///
    /// # Errors
    /// The client is not visible to the caller.
    pub async fn revoke_tokens(
        &self,
        caller: &Caller,
        id: &str,
        origin: Arc<Origin>,
    ) -> Result<TiedCredential, ServiceError> {
        let kind = CredentialKind::Client;
        let target = Target { caller, kind, id, action: Action::ClientRevokeTokens, origin };
        let recorder = Arc::clone(&self.recorder);
        self.change(target, move |transaction, mut credential, _, now| {
            if credential.state == State::Revoked {
                return Ok(credential);
            }
            if let Details::Client(client) = &mut credential.details {
                client.revoke_tokens(recorder.events().latest());
            }
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            Ok(credential)
        })
        .await
    }
}
