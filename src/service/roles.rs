//! Roles. A change is in force for the next request of every credential of the role's users. Who changes a role must hold
//! what it allows, as it was and as it is afterwards.

use std::sync::Arc;

use super::Services;
use super::error::{FieldError, ServiceError};
use super::idempotency::Repeat;
use super::input::{Patch, checked, scopes};
use super::trail::Trail;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::role::{self, OWNER, Role};
use crate::domain::scope::Scopes;
use crate::domain::text;
use crate::store::change_log::Kind;
use crate::store::{AnyConnection, roles};

const NO_ROLE: ServiceError = ServiceError::NotFound("role");
const BUILT_IN: ServiceError =
    ServiceError::Conflict { code: "built_in_role", message: "this role is built in and stays as it is" };

/// The fields of a role as they come from outside.
#[derive(Clone, Debug, Default)]
pub struct RoleInput {
    /// What it is for.
    pub description: Patch<String>,
    /// What credentials of its users may at most carry; cleared, nothing.
    pub scopes: Patch<Vec<String>>,
}

struct RolePatch {
    description: Option<String>,
    scopes: Option<Scopes>,
}

impl RoleInput {
    fn read(self, wrong: &mut Vec<FieldError>) -> RolePatch {
        RolePatch {
            description: self
                .description
                .read("description", wrong, |text| checked(&text, text::description))
                .or_cleared(String::new()),
            scopes: self
                .scopes
                .read("scopes", wrong, |list| if list.is_empty() { Ok(Scopes::default()) } else { scopes(&list) })
                .or_cleared(Scopes::default()),
        }
    }
}

fn find(connection: &mut AnyConnection, caller: &Caller, name: &str) -> Result<Role, ServiceError> {
    // Roles are nobody's customer's.
    roles::find(connection, name)?.filter(|_| caller.customers().is_empty()).ok_or(NO_ROLE)
}

impl Services {
    /// Makes a role.
    ///
    /// # Errors
    /// What is wrong with the input, there is one of this name, or the caller does not hold what it would allow.
    pub async fn create_role(
        &self,
        caller: &Caller,
        name: &str,
        input: RoleInput,
        repeat: Repeat<Role>,
        origin: Arc<Origin>,
    ) -> Result<Role, ServiceError> {
        let trail = self.shared_trail(caller, "role.create", name, origin).await?;
        let mut wrong = Vec::new();
        let name = role::name(name).map_err(|what| wrong.push(FieldError::new("name", what))).unwrap_or_default();
        if input.scopes == Patch::Keep {
            wrong.push(FieldError::new("scopes", "is required"));
        }
        let patch = input.read(&mut wrong);
        let (own, vault) = (caller.clone(), Arc::clone(&self.vault));
        let created = self
            .change(trail, 201, move |transaction, _, now| {
                if !wrong.is_empty() {
                    return Err(ServiceError::Invalid(wrong));
                }
                if roles::find(transaction.connection, &name)?.is_some() {
                    return Err(ServiceError::Conflict {
                        code: "role_exists",
                        message: "there is a role of this name already",
                    });
                }
                let role = Role {
                    name,
                    description: patch.description.unwrap_or_default(),
                    scopes: patch.scopes.unwrap_or_default(),
                    created_at: Some(now),
                    updated_at: Some(now),
                };
                if !own.holds_role(&role.scopes) {
                    return Err(ServiceError::ScopeExceedsCaller);
                }
                roles::put(transaction.connection, &role, now)?;
                transaction.announce(now, Kind::Role, &role.name)?;
                if let Some((request, render)) = repeat {
                    request.keep(transaction, &vault, now, &render(&role, now))?;
                }
                Ok(role)
            })
            .await;
        self.owners.forget_all();
        created
    }

    /// Changes a role; its scopes are replaced by those named. A built-in one can be changed, but `owner`.
    ///
    /// # Errors
    /// No such role, what is wrong with the input, it is `owner`, or the caller does not hold what it allows.
    pub async fn update_role(
        &self,
        caller: &Caller,
        name: &str,
        input: RoleInput,
        origin: Arc<Origin>,
    ) -> Result<Role, ServiceError> {
        let trail = self.shared_trail(caller, "role.update", name, origin).await?;
        let mut wrong = Vec::new();
        let patch = input.read(&mut wrong);
        let (own, name) = (caller.clone(), name.to_owned());
        let updated = self
            .change(trail, 200, move |transaction, _, now| {
                let mut role = find(transaction.connection, &own, &name)?;
                if !wrong.is_empty() {
                    return Err(ServiceError::Invalid(wrong));
                }
                if role.name == OWNER {
                    return Err(BUILT_IN);
                }
                let held = own.holds_role(&role.scopes);
                role.scopes = patch.scopes.unwrap_or(role.scopes);
                if !held || !own.holds_role(&role.scopes) {
                    return Err(ServiceError::ScopeExceedsCaller);
                }
                role.description = patch.description.unwrap_or(role.description);
                role.created_at = role.created_at.or(Some(now));
                role.updated_at = Some(now);
                roles::put(transaction.connection, &role, now)?;
                transaction.announce(now, Kind::Role, &role.name)?;
                Ok(role)
            })
            .await;
        self.owners.forget_all();
        updated
    }

    /// Removes a role that no user has.
    ///
    /// # Errors
    /// No such role, it is built in, users have it, or the caller does not hold what it allows.
    pub async fn delete_role(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<(), ServiceError> {
        let trail = self.shared_trail(caller, "role.delete", name, origin).await?;
        let (own, name) = (caller.clone(), name.to_owned());
        let deleted = self
            .change(trail, 204, move |transaction, _, now| {
                let role = find(transaction.connection, &own, &name)?;
                if role.is_built_in() {
                    return Err(BUILT_IN);
                }
                if !own.holds_role(&role.scopes) {
                    return Err(ServiceError::ScopeExceedsCaller);
                }
                if roles::is_in_use(transaction.connection, &name)? {
                    return Err(ServiceError::Conflict { code: "role_in_use", message: "users have this role" });
                }
                roles::remove(transaction.connection, &name)?;
                transaction.announce(now, Kind::Role, &name)?;
                Ok(())
            })
            .await;
        self.owners.forget_all();
        deleted
    }

    /// The role of this name.
    ///
    /// # Errors
    /// No such role, as far as the caller sees.
    pub async fn role(&self, caller: &Caller, name: &str, origin: Arc<Origin>) -> Result<Role, ServiceError> {
        let mut trail = Trail::of(caller, "role.read", origin);
        trail.target = Some(text::recordable(name, 64).into());
        let (own, name) = (caller.clone(), name.to_owned());
        self.reading(trail, move |connection| find(connection, &own, &name)).await
    }

    /// All roles, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_roles(&self, caller: &Caller, origin: Arc<Origin>) -> Result<Vec<Role>, ServiceError> {
        let trail = Trail::of(caller, "role.list", origin);
        let is_tied = !caller.customers().is_empty();
        self.reading(trail, move |connection| if is_tied { Ok(vec![]) } else { Ok(roles::all(connection)?) }).await
    }
}
