//! The scope registry: descriptions of scopes for people. It restricts nothing.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::scopes;
use super::{AnyConnection, StoreError, damaged, readable};
use crate::domain::scope::Scope;
use crate::domain::scope_entry::ScopeEntry;
use crate::domain::time::Timestamp;

/// A row of the table `scopes`.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = scopes, primary_key(name))]
pub struct ScopeRow {
    pub(super) name: String,
    description: String,
    created_at: i64,
    updated_at: i64,
}

impl ScopeRow {
    fn of(entry: &ScopeEntry) -> Self {
        Self {
            name: entry.name.to_string(),
            description: entry.description.to_string(),
            created_at: entry.created_at.millis(),
            updated_at: entry.updated_at.millis(),
        }
    }

    fn into_entry(self) -> Result<ScopeEntry, StoreError> {
        let wrong = |column| damaged("scopes", &self.name, column);
        Ok(ScopeEntry {
            name: self.name.parse().map_err(|_| wrong("name"))?,
            description: self.description.parse().map_err(|_| wrong("description"))?,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

/// Adds a scope to the registry.
///
/// # Errors
/// [`StoreError::Duplicate`] if the registry has the scope.
pub fn insert(connection: &mut AnyConnection, entry: &ScopeEntry) -> Result<(), StoreError> {
    diesel::insert_into(scopes::table).values(ScopeRow::of(entry)).execute(connection)?;
    Ok(())
}

/// Changes the description of a scope.
pub fn update(connection: &mut AnyConnection, entry: &ScopeEntry) -> Result<(), StoreError> {
    diesel::update(scopes::table.find(entry.name.as_str())).set(ScopeRow::of(entry)).execute(connection)?;
    Ok(())
}

/// Removes a scope from the registry, and returns whether it was there. Credentials keep the scope.
pub fn remove(connection: &mut AnyConnection, name: &Scope) -> Result<bool, StoreError> {
    Ok(diesel::delete(scopes::table.find(name.as_str())).execute(connection)? > 0)
}

/// Finds the entry of a scope.
pub fn find(connection: &mut AnyConnection, name: &Scope) -> Result<Option<ScopeEntry>, StoreError> {
    let row: Option<ScopeRow> =
        scopes::table.find(name.as_str()).select(ScopeRow::as_select()).get_result(connection).optional()?;
    row.map(ScopeRow::into_entry).transpose()
}

/// Lists the names in the registry in their order, at most `limit`.
pub fn names(connection: &mut AnyConnection, limit: i64) -> Result<Vec<Scope>, StoreError> {
    let names: Vec<String> = scopes::table.select(scopes::name).order(scopes::name).limit(limit).load(connection)?;
    let parsed = names.iter().map(|name| name.parse().map_err(|_| damaged("scopes", name, "name")));
    Ok(readable(parsed))
}

/// Lists entries, newest first, at most `limit`, after the entry `before` if one is given.
pub fn list(
    connection: &mut AnyConnection,
    before: Option<&ScopeEntry>,
    limit: i64,
) -> Result<Vec<ScopeEntry>, StoreError> {
    let mut query = scopes::table
        .select(ScopeRow::as_select())
        .order((scopes::created_at.desc(), scopes::name.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        let at = before.created_at.millis();
        query = query.filter(
            scopes::created_at.lt(at).or(scopes::created_at.eq(at).and(scopes::name.lt(before.name.to_string()))),
        );
    }
    let rows: Vec<ScopeRow> = query.load(connection)?;
    Ok(readable(rows.into_iter().map(ScopeRow::into_entry)))
}
