//! The use cases of roles. A change applies to the next request of every credential of the role's users. It requires a
//! caller who holds the role's scopes, both as they were and as they will be.

use std::sync::Arc;

use super::Directory;
use crate::domain::audit::{Action, Disposition, Origin};
use crate::domain::caller::Caller;
use crate::domain::change::ChangeKind;
use crate::domain::role::{NewRole, OWNER, Role, RoleChanges, RoleName};
use crate::domain::scope::Scopes;
use crate::service::audit_context::AuditContext;
use crate::service::error::{Conflict, ServiceError};
use crate::service::idempotency::RepeatableRequest;
use crate::store::{AnyConnection, roles};

const NO_ROLE: ServiceError = ServiceError::NotFound("role");

/// Finds a role by name. Roles are not visible to callers who are tied to customers.
fn find(connection: &mut AnyConnection, caller: &Caller, name: &str) -> Result<Role, ServiceError> {
    let name: RoleName = name.parse().map_err(|_| NO_ROLE)?;
    roles::find(connection, &name)?.filter(|_| caller.customers().is_empty()).ok_or(NO_ROLE)
}

fn require_holds(caller: &Caller, scopes: &Scopes) -> Result<(), ServiceError> {
    if caller.holds_role(scopes) { Ok(()) } else { Err(ServiceError::ScopeExceedsCaller) }
}

impl Directory {
    /// Creates a role with a name that no other has.
    ///
    /// # Errors
    /// A role of this name exists, or the caller does not hold its scopes.
    pub async fn create_role(
        &self,
        caller: &Caller,
        new: NewRole,
        repeat: Option<RepeatableRequest>,
        origin: Arc<Origin>,
    ) -> Result<Role, ServiceError> {
        let action = Action::RoleCreate;
        let context = self.shared_context(caller, action, new.name.as_str(), origin).await?;
        let replay = self.idempotency.replay_of(repeat.as_ref(), &self.recorder, &context).await?;
        if let Some(replay) = replay {
            return self
                .recorder
                .replay(caller, &context, Disposition::Created, move |found, caller| {
                    let role = find(found, caller, &replay.object).map_err(ServiceError::or_gone)?;
                    replay.require_created_at(role.created_at, "role")?;
                    Ok(role)
                })
                .await;
        }
        let idempotency = Arc::clone(&self.idempotency);
        let created = self
            .recorder
            .change(caller, context, Disposition::Created, move |transaction, _, caller, now| {
                if roles::find(transaction.connection, &new.name)?.is_some() {
                    return Err(Conflict::RoleExists.into());
                }
                require_holds(caller, &new.scopes)?;
                let NewRole { name, description, scopes } = new;
                let role = Role { name, description, scopes, created_at: Some(now), updated_at: Some(now) };
                roles::put(transaction.connection, &role, now)?;
                transaction.announce(now, ChangeKind::Role, role.name.as_str())?;
                idempotency.keep(transaction, repeat.as_ref(), (action, role.name.as_str()), None, now)?;
                Ok(role)
            })
            .await;
        self.owners.clear();
        created
    }

    /// Updates a role; scopes that are named replace the earlier ones. All built-in roles but `owner` can be changed.
    ///
    /// # Errors
    /// The role is not visible to the caller, it is `owner`, or the caller does not hold its scopes.
    pub async fn update_role(
        &self,
        caller: &Caller,
        name: &str,
        changes: RoleChanges,
        origin: Arc<Origin>,
    ) -> Result<Role, ServiceError> {
        let context = self.shared_context(caller, Action::RoleUpdate, name, origin).await?;
        let name = name.to_owned();
        let updated = self
            .recorder
            .change(caller, context, Disposition::Ok, move |transaction, _, caller, now| {
                let mut role = find(transaction.connection, caller, &name)?;
                if role.name.as_str() == OWNER {
                    return Err(Conflict::BuiltInRole.into());
                }
                require_holds(caller, &role.scopes)?;
                role.scopes = changes.scopes.unwrap_or(role.scopes);
                require_holds(caller, &role.scopes)?;
                role.description = changes.description.unwrap_or(role.description);
                role.created_at = role.created_at.or(Some(now));
                role.updated_at = Some(now);
                roles::put(transaction.connection, &role, now)?;
                transaction.announce(now, ChangeKind::Role, role.name.as_str())?;
                Ok(role)
            })
            .await;
        self.owners.clear();
        updated
    }

    /// Deletes a role that no user has.
    ///
    /// # Errors
    /// The role is not visible to the caller, it is built in, users have it, or the caller does not hold its scopes.
    pub async fn delete_role(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<(), ServiceError> {
        let context = self.shared_context(caller, Action::RoleDelete, name, origin).await?;
        let name = name.to_owned();
        let deleted = self
            .recorder
            .change(caller, context, Disposition::NoContent, move |transaction, _, caller, now| {
                let role = find(transaction.connection, caller, &name)?;
                if role.is_built_in() {
                    return Err(Conflict::BuiltInRole.into());
                }
                if roles::is_in_use(transaction.connection, &role.name)? {
                    return Err(Conflict::RoleInUse.into());
                }
                require_holds(caller, &role.scopes)?;
                roles::remove(transaction.connection, &role.name)?;
                transaction.announce(now, ChangeKind::Role, role.name.as_str())?;
                Ok(())
            })
            .await;
        self.owners.clear();
        deleted
    }

    /// Gets a role by its name.
    ///
    /// # Errors
    /// The role is not visible to the caller.
    pub async fn role(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<Role, ServiceError> {
        let context = AuditContext::of(caller, Action::RoleRead, origin).on(name);
        let name = name.to_owned();
        self.recorder.read(caller, &context, move |connection, caller| find(connection, caller, &name)).await
    }

    /// Lists all roles, ordered by name.
    ///
    /// # Errors
    /// The audit event cannot be stored.
    pub async fn list_roles(&self, caller: &Caller, origin: Arc<Origin>) -> Result<Vec<Role>, ServiceError> {
        let context = AuditContext::of(caller, Action::RoleList, origin);
        self.recorder
            .read(caller, &context, |connection, caller| {
                let is_tied = !caller.customers().is_empty();
                if is_tied { Ok(vec![]) } else { Ok(roles::all(connection)?) }
            })
            .await
    }
}
