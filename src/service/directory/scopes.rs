//! The use cases of the scope registry, which describes scopes and restricts nothing.

use std::sync::Arc;

use super::{Directory, taken};
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::scope::Scope;
use crate::domain::scope_entry::{NewScope, ScopeEntry};
use crate::domain::text::Description;
use crate::service::audit_context::AuditContext;
use crate::service::error::{Conflict, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{AnyConnection, StoreError, scopes};

const NO_SCOPE: ServiceError = ServiceError::NotFound("scope");

fn find(connection: &mut AnyConnection, name: Option<&Scope>) -> Result<ScopeEntry, ServiceError> {
    scopes::find(connection, name.ok_or(NO_SCOPE)?)?.ok_or(NO_SCOPE)
}

impl Directory {
    /// Creates the entry of a scope in the registry.
    ///
    /// # Errors
    /// The registry has the scope already.
    pub async fn create_scope(
        &self,
        caller: &Caller,
        new: NewScope,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<ScopeEntry, ServiceError> {
        let action = Action::ScopeCreate;
        let context = self.shared_context(caller, action, new.name.as_str(), origin).await?;
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            return self
                .recorder
                .replay(caller, &context, Disposition::Created, move |found, _| {
                    let name = replay.object.parse().ok();
                    let entry = find(found, name.as_ref()).map_err(ServiceError::or_gone)?;
                    replay.require_created_at(Some(entry.created_at), "scope")?;
                    Ok(entry)
                })
                .await;
        }
        let idempotency = Arc::clone(&self.idempotency);
        self.recorder
            .change(caller, context, Disposition::Created, move |transaction, _, _, now| {
                let NewScope { name, description } = new;
                let entry = ScopeEntry { name, description, created_at: now, updated_at: now };
                scopes::insert(transaction.connection, &entry).map_err(taken(Conflict::ScopeExists))?;
                transaction.announce(now, ChangeKind::Scope, entry.name.as_str())?;
                idempotency.keep(transaction, repeat.as_ref(), (action, entry.name.as_str()), None, now)?;
                Ok(entry)
            })
            .await
            .inspect(|_| self.registered_scopes.changed())
    }

    /// Updates the description of a scope; `None` leaves it as it is.
    ///
    /// # Errors
    /// The registry does not have the scope.
    pub async fn update_scope(
        &self,
        caller: &Caller,
        name: &str,
        description: Option<Description>,
        origin: Arc<Origin>,
    ) -> Result<ScopeEntry, ServiceError> {
        let context = self.shared_context(caller, Action::ScopeUpdate, name, origin).await?;
        let name = name.parse::<Scope>().ok();
        self.recorder
            .change(caller, context, Disposition::Ok, move |transaction, _, _, now| {
                let mut entry = find(transaction.connection, name.as_ref())?;
                entry.description = description.unwrap_or(entry.description);
                entry.updated_at = now;
                scopes::update(transaction.connection, &entry)?;
                Ok(entry)
            })
            .await
    }

    /// Deletes the entry of a scope. Credentials that have the scope keep it.
    ///
    /// # Errors
    /// The registry does not have the scope.
    pub async fn delete_scope(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<(), ServiceError> {
        let context = self.shared_context(caller, Action::ScopeDelete, name, origin).await?;
        let name = name.parse::<Scope>().ok();
        self.recorder
            .change(caller, context, Disposition::NoContent, move |transaction, _, _, now| {
                let name = name.as_ref().ok_or(NO_SCOPE)?;
                if !scopes::remove(transaction.connection, name)? {
                    return Err(NO_SCOPE);
                }
                Ok(transaction.announce(now, ChangeKind::Scope, name.as_str())?)
            })
            .await
            .inspect(|()| self.registered_scopes.changed())
    }

    /// Returns the names in the registry for the public metadata of the issuers.
    ///
    /// # Errors
    /// The database does not respond, and never has.
    pub async fn registered_scopes(&self) -> Result<Arc<[Scope]>, StoreError> {
        self.registered_scopes.names().await
    }

    /// Gets the entry of a scope.
    ///
    /// # Errors
    /// The registry does not have the scope.
    pub async fn scope(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<ScopeEntry, ServiceError> {
        let context = AuditContext::of(caller, Action::ScopeRead, origin).on(name);
        let name = name.parse::<Scope>().ok();
        self.recorder.read(caller, &context, move |connection, _| find(connection, name.as_ref())).await
    }

    /// Lists the registry, newest first, starting after the scope named `after`.
    ///
    /// # Errors
    /// The registry no longer has the scope `after`.
    pub async fn list_scopes(
        &self,
        caller: &Caller,
        after: Option<Scope>,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<ScopeEntry>, ServiceError> {
        let context = AuditContext::of(caller, Action::ScopeList, origin);
        self.recorder
            .read(caller, &context, move |connection, _| {
                let outdated = |_| ServiceError::invalid("cursor", "is out of date");
                let before = after.as_ref().map(|name| find(connection, Some(name)).map_err(outdated)).transpose()?;
                Ok(scopes::list(connection, before.as_ref(), limit)?)
            })
            .await
    }
}
