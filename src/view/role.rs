//! Roles.

use serde::Serialize;
use utoipa::ToSchema;

use super::field::AnyScopes;
use super::input::{Optional, Patched, Required, input};
use crate::domain::role::{NewRole, Role, RoleChanges, RoleName};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::text::Description;
use crate::domain::time::Timestamp;

/// What the credentials of a user may carry at most.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// Its name, which is its id.
    name: RoleName,
    description: Description,
    /// What credentials of its users may carry at most, management permissions among them. `*:*` means every business
    /// scope that names a resource.
    scopes: Vec<Scope>,
    /// Whether every installation has it.
    built_in: bool,
    /// Null for a built-in role that has not been changed.
    #[schema(required)]
    created_at: Option<Timestamp>,
    /// Null for a built-in role that has not been changed.
    #[schema(required)]
    updated_at: Option<Timestamp>,
}

impl From<&Role> for RoleView {
    fn from(role: &Role) -> Self {
        Self {
            name: role.name.clone(),
            description: role.description.clone(),
            scopes: role.scopes.iter().cloned().collect(),
            built_in: role.is_built_in(),
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

input! {
    /// A role to create.
    pub struct RoleCreate {
        /// 1 to 60 of `a-z`, `0-9`, `-` and `_`, the first a letter.
        name: Required<RoleName>,
        /// What it is for.
        description: Optional<Description>,
        /// What credentials of its users may carry at most.
        scopes: Required<AnyScopes>,
    }

    /// Settings of a role to change. A setting that is absent stays as it is.
    pub struct RoleUpdate {
        /// What it is for. Null removes it.
        description: Patched<Description>,
        /// All scopes: those that are not named are removed. Null removes all.
        scopes: Patched<AnyScopes>,
    }
}

impl From<RoleCreate> for NewRole {
    fn from(input: RoleCreate) -> Self {
        Self { name: input.name, description: input.description.unwrap_or_default(), scopes: input.scopes }
    }
}

impl From<RoleUpdate> for RoleChanges {
    fn from(input: RoleUpdate) -> Self {
        Self {
            description: input.description.or_cleared(Description::default()),
            scopes: input.scopes.or_cleared(Scopes::default()),
        }
    }
}
