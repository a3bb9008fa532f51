//! Users.

use diesel::prelude::*;

use super::schema::users;
use super::{AnyConnection, StoreError, damaged};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    email: String,
    name: String,
    role: String,
    is_active: i32,
    password_hash: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn of(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role.clone(),
            is_active: i32::from(user.is_active),
            password_hash: user.password_hash.clone(),
            created_at: user.created_at.millis(),
            updated_at: user.updated_at.millis(),
        }
    }

    fn into_user(self) -> Result<User, StoreError> {
        Ok(User {
            id: self.id.parse().map_err(|_| damaged("users", &self.id, "id"))?,
            email: self.email,
            name: self.name,
            role: self.role,
            is_active: self.is_active == 1,
            password_hash: self.password_hash,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

/// Stores a new user.
///
/// # Errors
/// [`StoreError::Duplicate`] if another has the address; the database fails.
pub fn insert(connection: &mut AnyConnection, user: &User) -> Result<(), StoreError> {
    diesel::insert_into(users::table).values(Row::of(user)).execute(connection)?;
    Ok(())
}

/// Stores every field of a user.
///
/// # Errors
/// [`StoreError::Duplicate`] if another has the address; the database fails.
pub fn update(connection: &mut AnyConnection, user: &User) -> Result<(), StoreError> {
    diesel::update(users::table.find(user.id.as_str())).set(Row::of(user)).execute(connection)?;
    Ok(())
}

/// The user with this id.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find(connection: &mut AnyConnection, id: &UserId) -> Result<Option<User>, StoreError> {
    let row: Option<Row> = users::table.find(id.as_str()).select(Row::as_select()).first(connection).optional()?;
    row.map(Row::into_user).transpose()
}

/// The user that `name` names by id or e-mail address.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find_named(connection: &mut AnyConnection, name: &str) -> Result<Option<User>, StoreError> {
    if let Ok(id) = name.parse() {
        return find(connection, &id);
    }
    // PostgreSQL has no text with a NUL, and refuses to be asked for one.
    if name.contains('\0') {
        return Ok(None);
    }
    let row: Option<Row> = users::table
        .filter(users::email.eq(name.to_lowercase()))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(Row::into_user).transpose()
}

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// The one with this address, in lower case.
    pub email: Option<String>,
    /// With this role.
    pub role: Option<String>,
    /// Made before the user with this id.
    pub before: Option<UserId>,
}

/// Users, newest first, at most `limit`. A damaged row is logged and left out.
///
/// # Errors
/// The database fails.
pub fn list(connection: &mut AnyConnection, filter: &UserFilter, limit: i64) -> Result<Vec<User>, StoreError> {
    let mut query = users::table.select(Row::as_select()).order(users::id.desc()).limit(limit).into_boxed();
    if let Some(email) = &filter.email {
        query = query.filter(users::email.eq(email.clone()));
    }
    if let Some(role) = &filter.role {
        query = query.filter(users::role.eq(role.clone()));
    }
    if let Some(before) = &filter.before {
        query = query.filter(users::id.lt(before.to_string()));
    }
    let rows: Vec<Row> = query.load(connection)?;
    Ok(rows.into_iter().filter_map(|row| row.into_user().inspect_err(|error| log::error!("{error}")).ok()).collect())
}
