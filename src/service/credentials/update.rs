//! Updates a credential's settings, or transfers it to another owner.

use std::sync::Arc;

use super::ownership::{customers_error, customers_named, resolved, user_named};
use super::{Credentials, Target, Verb, action, require, require_not_revoked, require_valid};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::credential::{CredentialInput, CredentialKind, TiedCredential};
use crate::domain::field_error::merge;
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
        let algorithms = self.algorithms.clone();
        self.change(target, move |transaction, was, caller, now| {
            require_not_revoked(&was)?;
            let mut changes = input.changes;
            let mut wrong = Vec::new();
            let customers = customers_named(transaction.connection, caller, &input.customers);
            changes.customers = resolved(customers, &mut wrong)?.flatten();
            let only_words = changes.is_only_words();
            let mut credential = was.clone();
            merge(&mut wrong, credential.apply(changes, &algorithms, now));
            merge(&mut wrong, customers_error(caller, &credential.customers));
            require_valid(wrong)?;
            require(only_words || caller.may_make(&credential, Some(&was)))?;
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            if credential.customers != was.customers {
                let sequence = transaction.sequence();
                let id = credential.id.as_str();
                credential_customers::set(transaction.connection, id, &credential.customers, sequence)?;
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
        let may = move |caller: &Caller, to_user: bool| {
            caller.only_owner(kind.write_permission()).is_none() && (to_user || caller.may_release())
        };
        self.change(target, move |transaction, mut credential, caller, now| {
            require_not_revoked(&credential)?;
            require(may(caller, owner.is_some()))?;
            let owner = owner.map(|name| user_named(transaction.connection, caller, &name)).transpose()?;
            require(caller.may_take(&credential))?;
            credential.owner = owner;
            credential.numbers.owner = transaction.sequence();
            credential.updated_at = now;
            credentials::update(transaction.connection, &credential)?;
            Ok(credential)
        })
        .await
    }
}
