//! Roles that were created or changed in this installation. A row with the name of a built-in role replaces it.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::credential_rows::scopes_of;
use super::schema::{roles, users};
use super::{AnyConnection, StoreError, damaged};
use crate::domain::role::{Role, RoleName};
use crate::domain::time::Timestamp;

/// A row of the table `roles`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = roles)]
pub struct RoleRow {
    pub(super) name: String,
    description: String,
    scopes: String,
    created_at: i64,
    updated_at: i64,
}

impl RoleRow {
    fn into_role(self) -> Result<Role, StoreError> {
        let wrong = |column| damaged("roles", &self.name, column);
        Ok(Role {
            name: self.name.parse().map_err(|_| wrong("name"))?,
            description: self.description.parse().map_err(|_| wrong("description"))?,
            scopes: scopes_of(&self.scopes).map_err(|_| wrong("scopes"))?,
            created_at: Some(Timestamp::from_millis(self.created_at)),
            updated_at: Some(Timestamp::from_millis(self.updated_at)),
        })
    }
}

/// Stores a role, replacing one of the same name.
pub fn put(connection: &mut AnyConnection, role: &Role, now: Timestamp) -> Result<(), StoreError> {
    let row = RoleRow {
        name: role.name.to_string(),
        description: role.description.to_string(),
        scopes: role.scopes.to_string(),
        created_at: role.created_at.unwrap_or(now).millis(),
        updated_at: now.millis(),
    };
    remove(connection, &role.name)?;
    diesel::insert_into(roles::table).values(row).execute(connection)?;
    Ok(())
}

/// Removes a stored role; a built-in role of that name applies again.
pub fn remove(connection: &mut AnyConnection, name: &RoleName) -> Result<(), StoreError> {
    diesel::delete(roles::table.find(name.as_str())).execute(connection)?;
    Ok(())
}

/// Returns whether any user has the role.
pub fn is_in_use(connection: &mut AnyConnection, name: &RoleName) -> Result<bool, StoreError> {
    let having = users::table.filter(users::role.eq(name.as_str()));
    Ok(diesel::select(diesel::dsl::exists(having)).get_result(connection)?)
}

/// Finds a role by its name, stored or built in.
///
/// # Errors
/// The row is damaged.
pub fn find(connection: &mut AnyConnection, name: &RoleName) -> Result<Option<Role>, StoreError> {
    let row: Option<RoleRow> =
        roles::table.find(name.as_str()).select(RoleRow::as_select()).get_result(connection).optional()?;
    match row {
        Some(row) => row.into_role().map(Some),
        None => Ok(Role::built_in().find(|role| role.name == *name)),
    }
}

/// Returns all roles, ordered by name. There are few.
///
/// # Errors
/// A row is damaged.
pub fn all(connection: &mut AnyConnection) -> Result<Vec<Role>, StoreError> {
    let rows: Vec<RoleRow> = roles::table.select(RoleRow::as_select()).load(connection)?;
    let mut all = rows.into_iter().map(RoleRow::into_role).collect::<Result<Vec<_>, _>>()?;
    let missing: Vec<Role> =
        Role::built_in().filter(|built_in| !all.iter().any(|role| role.name == built_in.name)).collect();
    all.extend(missing);
    all.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(all)
}
