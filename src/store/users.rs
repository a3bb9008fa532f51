//! Stores, finds and lists users.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::users;
use super::{AnyConnection, StoreError, damaged, readable};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::domain::user::{EmailAddress, User, UserFilter};

/// Users that one query finds.
const AT_ONCE: usize = 500;

/// A row of the table `users`.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct UserRow {
    pub(super) id: String,
    email: String,
    name: String,
    role: String,
    is_active: i32,
    password_hash: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl UserRow {
    fn of(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            name: user.name.as_ref().map(ToString::to_string).unwrap_or_default(),
            role: user.role.to_string(),
            is_active: i32::from(user.is_active),
            password_hash: user.password_hash.clone(),
            created_at: user.created_at.millis(),
            updated_at: user.updated_at.millis(),
        }
    }

    fn into_user(self) -> Result<User, StoreError> {
        let wrong = |column| damaged("users", &self.id, column);
        let name = Some(&self.name).filter(|name| !name.is_empty());
        Ok(User {
            id: self.id.parse().map_err(|_| wrong("id"))?,
            email: self.email.parse().map_err(|_| wrong("email"))?,
            name: name.map(|name| name.parse()).transpose().map_err(|_| wrong("name"))?,
            role: self.role.parse().map_err(|_| wrong("role"))?,
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
/// [`StoreError::Duplicate`] if another user has the e-mail address.
pub fn insert(connection: &mut AnyConnection, user: &User) -> Result<(), StoreError> {
    diesel::insert_into(users::table).values(UserRow::of(user)).execute(connection)?;
    Ok(())
}

/// Stores all fields of an existing user.
///
/// # Errors
/// [`StoreError::Duplicate`] if another user has the e-mail address.
pub fn update(connection: &mut AnyConnection, user: &User) -> Result<(), StoreError> {
    diesel::update(users::table.find(user.id.as_str())).set(UserRow::of(user)).execute(connection)?;
    Ok(())
}

/// Finds a user by id.
///
/// # Errors
/// The row is damaged.
pub fn find(connection: &mut AnyConnection, id: &UserId) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> =
        users::table.find(id.as_str()).select(UserRow::as_select()).get_result(connection).optional()?;
    row.map(UserRow::into_user).transpose()
}

/// Finds those of these users that exist. Damaged rows are logged and left out.
pub fn find_all(connection: &mut AnyConnection, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for step in ids.chunks(AT_ONCE) {
        let names = step.iter().map(UserId::as_str);
        let rows: Vec<UserRow> =
            users::table.filter(users::id.eq_any(names)).select(UserRow::as_select()).load(connection)?;
        found.extend(readable(rows.into_iter().map(UserRow::into_user)));
    }
    Ok(found)
}

/// Finds a user by id or e-mail address.
///
/// # Errors
/// The row is damaged.
pub fn find_named(connection: &mut AnyConnection, name: &str) -> Result<Option<User>, StoreError> {
    if let Ok(id) = name.parse() {
        return find(connection, &id);
    }
    let Ok(email) = name.parse::<EmailAddress>() else { return Ok(None) };
    let row: Option<UserRow> = users::table
        .filter(users::email.eq(email.as_str()))
        .select(UserRow::as_select())
        .first(connection)
        .optional()?;
    row.map(UserRow::into_user).transpose()
}

/// Lists users, newest first, at most `limit`. Damaged rows are logged and left out.
pub fn list(connection: &mut AnyConnection, filter: &UserFilter, limit: i64) -> Result<Vec<User>, StoreError> {
    let mut query = users::table.select(UserRow::as_select()).order(users::id.desc()).limit(limit).into_boxed();
    if let Some(email) = &filter.email {
        query = query.filter(users::email.eq(email));
    }
    if let Some(role) = &filter.role {
        query = query.filter(users::role.eq(role));
    }
    if let Some(before) = &filter.before {
        query = query.filter(users::id.lt(before.to_string()));
    }
    let rows: Vec<UserRow> = query.load(connection)?;
    Ok(readable(rows.into_iter().map(UserRow::into_user)))
}
