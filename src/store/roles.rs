//! Roles that were made or changed here. A row with the name of a built-in role takes its place.

use diesel::prelude::*;

use super::credentials::scopes_of;
use super::schema::{roles, users};
use super::{AnyConnection, StoreError, damaged};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

type Row = (String, String, String, i64, i64);

fn into_role((name, description, scopes, created_at, updated_at): Row) -> Result<Role, StoreError> {
    Ok(Role {
        scopes: scopes_of(&scopes).map_err(|_| damaged("roles", &name, "scopes"))?,
        name,
        description,
        created_at: Some(Timestamp::from_millis(created_at)),
        updated_at: Some(Timestamp::from_millis(updated_at)),
    })
}

/// Stores a role, in place of one of the same name.
///
/// # Errors
/// The database fails.
pub fn put(connection: &mut AnyConnection, role: &Role, now: Timestamp) -> Result<(), StoreError> {
    let created_at = role.created_at.unwrap_or(now);
    remove(connection, &role.name)?;
    diesel::insert_into(roles::table)
        .values((
            roles::name.eq(&role.name),
            roles::description.eq(&role.description),
            roles::scopes.eq(role.scopes.to_string()),
            roles::created_at.eq(created_at.millis()),
            roles::updated_at.eq(now.millis()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes a role.
///
/// # Errors
/// The database fails.
pub fn remove(connection: &mut AnyConnection, name: &str) -> Result<(), StoreError> {
    diesel::delete(roles::table.find(name)).execute(connection)?;
    Ok(())
}

/// Whether any user has the role.
///
/// # Errors
/// The database fails.
pub fn is_in_use(connection: &mut AnyConnection, name: &str) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(users::table.filter(users::role.eq(name)))).get_result(connection)?)
}

/// The role with this name, stored or built in.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find(connection: &mut AnyConnection, name: &str) -> Result<Option<Role>, StoreError> {
    // PostgreSQL has no text with a NUL, and refuses to be asked for one.
    if name.contains('\0') {
        return Ok(None);
    }
    let row: Option<Row> = roles::table.find(name).first(connection).optional()?;
    match row {
        Some(row) => into_role(row).map(Some),
        None => Ok(Role::built_in().find(|role| role.name == name)),
    }
}

/// All roles, by name. There are few.
///
/// # Errors
/// The database fails, or a row is damaged.
pub fn all(connection: &mut AnyConnection) -> Result<Vec<Role>, StoreError> {
    let rows: Vec<Row> = roles::table.load(connection)?;
    let mut all = rows.into_iter().map(into_role).collect::<Result<Vec<_>, _>>()?;
    let missing: Vec<Role> =
        Role::built_in().filter(|built_in| !all.iter().any(|role| role.name == built_in.name)).collect();
    all.extend(missing);
    all.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(all)
}
