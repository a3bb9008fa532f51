//! The scope registry: what scopes mean, for people. It describes, and gates nothing.

use diesel::prelude::*;

use super::schema::scopes;
use super::{AnyConnection, StoreError, damaged};
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;

/// A scope and what it means.
#[derive(Clone, Debug)]
pub struct ScopeEntry {
    /// The scope token.
    pub name: Scope,
    /// For people.
    pub description: String,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

type Row = (String, String, i64, i64);

fn into_entry((name, description, created_at, updated_at): Row) -> Result<ScopeEntry, StoreError> {
    Ok(ScopeEntry {
        name: name.parse().map_err(|_| damaged("scopes", &name, "name"))?,
        description,
        created_at: Timestamp::from_millis(created_at),
        updated_at: Timestamp::from_millis(updated_at),
    })
}

/// Enters a scope.
///
/// # Errors
/// [`StoreError::Duplicate`] if it is there already; the database fails.
pub fn insert(connection: &mut AnyConnection, entry: &ScopeEntry) -> Result<(), StoreError> {
    diesel::insert_into(scopes::table)
        .values((
            scopes::name.eq(entry.name.as_str()),
            scopes::description.eq(&entry.description),
            scopes::created_at.eq(entry.created_at.millis()),
            scopes::updated_at.eq(entry.updated_at.millis()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Changes what is said of a scope.
///
/// # Errors
/// The database fails.
pub fn update(connection: &mut AnyConnection, entry: &ScopeEntry) -> Result<(), StoreError> {
    diesel::update(scopes::table.find(entry.name.as_str()))
        .set((scopes::description.eq(&entry.description), scopes::updated_at.eq(entry.updated_at.millis())))
        .execute(connection)?;
    Ok(())
}

/// Takes a scope out of the registry. Who holds it keeps it.
///
/// # Errors
/// The database fails.
pub fn remove(connection: &mut AnyConnection, name: &Scope) -> Result<bool, StoreError> {
    Ok(diesel::delete(scopes::table.find(name.as_str())).execute(connection)? > 0)
}

/// One entry.
///
/// # Errors
/// The database fails.
pub fn find(connection: &mut AnyConnection, name: &Scope) -> Result<Option<ScopeEntry>, StoreError> {
    let row: Option<Row> = scopes::table.find(name.as_str()).first(connection).optional()?;
    row.map(into_entry).transpose()
}

/// Entries, newest first, at most `limit`, after the entry `before` if one is given.
///
/// # Errors
/// The database fails.
pub fn list(
    connection: &mut AnyConnection,
    before: Option<&ScopeEntry>,
    limit: i64,
) -> Result<Vec<ScopeEntry>, StoreError> {
    let mut query = scopes::table.order((scopes::created_at.desc(), scopes::name.desc())).limit(limit).into_boxed();
    if let Some(before) = before {
        let at = before.created_at.millis();
        query = query.filter(
            scopes::created_at.lt(at).or(scopes::created_at.eq(at).and(scopes::name.lt(before.name.to_string()))),
        );
    }
    let rows: Vec<Row> = query.load(connection)?;
    rows.into_iter().map(into_entry).collect()
}
