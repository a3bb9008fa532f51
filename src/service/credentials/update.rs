//! Updates a credential's settings, or transfers it to another owner.

use std::sync::Arc;

use super::ownership::require_within;
use super::{Credentials, Target, TiedCredential, Verb, action, require, require_not_revoked};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialInput, CredentialKind};
use crate::service::error::ServiceError;
use crate::store::{credential_customers, credentials};

impl Credentials {
    /// Updates the fields that `input` names. Anything but name and description requires a caller who may grant the
    /// credential's scopes, both as they were and as they will be.
    ///
    /// # Errors
    /// The credential is not visible to the caller or is revoked, a field is invalid, or the caller may not change it.
    pub async fn update(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        id: &str,
        input: CredentialInput,
        origin: Arc<Origin>,
    ) -> Result<TiedCredential, ServiceError> {
        let target = Target { caller, kind, id, action: action(kind, Verb::Update), origin };
        let customers = self.customers_named(caller, input.customers).await;
        let (own, algorithms) = (caller.clone(), self.algorithms.clone());
        self.change(target, move |transaction, was, now| {
            require_not_revoked(&was)?;
            let mut changes = input.changes;
            changes.customers = customers?;
            let only_words = changes.is_only_words();
            let mut credential = was.clone();
            let applied = credential.apply(changes, &algorithms);
            applied.map_err(|(field, what)| ServiceError::invalid(field, what))?;
            require_within(&own, &credential.customers)?;
            require(only_words || own.may_make(&credential, Some(&was)))?;
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            if credential.customers != was.customers {
                credential_customers::set(transaction.connection, credential.id.as_str(), &credential.customers)?;
            }
            Ok(credential)
        })
        .await
    }

    /// Transfers a credential to the user that `owner` names, or to the organisation. From then on the role of that
    /// user limits its scopes. The caller must reach all credentials of the kind; a transfer to the organisation also
    /// requires a caller without owner, or with the role `owner`.
    ///
    /// # Errors
    /// The credential is not visible to the caller or is revoked, there is no such user, or the caller may not transfer
    /// it.
    pub async fn transfer(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        id: &str,
        owner: Option<String>,
        origin: Arc<Origin>,
    ) -> Result<TiedCredential, ServiceError> {
        let target = Target { caller, kind, id, action: action(kind, Verb::Transfer), origin };
        let may = caller.only_owner(kind.write_permission()).is_none() && (owner.is_some() || caller.may_release());
        let new_owner = match owner {
            Some(name) if may => self.user_named(caller, name).await.map(Some),
            _ => Ok(None),
        };
        let own = caller.clone();
        self.change(target, move |transaction, mut credential, now| {
            require_not_revoked(&credential)?;
            let owner = new_owner?;
            require(may && own.may_take(&credential))?;
            credential.owner = owner;
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            Ok(credential)
        })
        .await
    }
}
