//! API keys and their strings, which are stored as digests only.

use std::collections::HashMap;

use diesel::prelude::*;

use super::credentials::{CredentialFilter, filtered, limit_of, scopes_of};
use super::schema::{api_key_strings, api_keys};
use super::{AnyConnection, StoreError, credential_customers, damaged, join, split};
use crate::domain::api_key::{ApiKey, LastUse, StoredString};
use crate::domain::ids::{ApiKeyId, CustomerId};
use crate::domain::network::Networks;
use crate::domain::rate::RateLimits;
use crate::domain::time::Timestamp;

/// A key's columns but those that are noted apart: its last use, and that it is due.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = api_keys, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    environment: String,
    name: String,
    description: String,
    kind: String,
    scopes: String,
    allowed_ips: String,
    rate_per_minute: Option<i64>,
    burst_per_second: Option<i64>,
    state: String,
    expires_at: Option<i64>,
    owner: Option<String>,
    created_at: i64,
    updated_at: i64,
    rotated_at: i64,
}

type RowWithUse = (Row, Option<i64>, Option<String>);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_key_strings, treat_none_as_default_value = false)]
struct StringRow {
    digest: Vec<u8>,
    key_id: String,
    prefix: String,
    last_four: String,
    created_at: i64,
    ends_at: Option<i64>,
}

impl Row {
    fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            environment: key.environment.to_string(),
            name: key.name.clone(),
            description: key.description.clone(),
            kind: key.kind.as_str().to_owned(),
            scopes: key.scopes.to_string(),
            allowed_ips: join(key.allowed_ips.to_strings()),
            rate_per_minute: key.limits.rate_per_minute.map(i64::from),
            burst_per_second: key.limits.burst_per_second.map(i64::from),
            state: key.state.as_str().to_owned(),
            expires_at: key.expires_at.map(Timestamp::millis),
            owner: key.owner.as_ref().map(ToString::to_string),
            created_at: key.created_at.millis(),
            updated_at: key.updated_at.millis(),
            rotated_at: key.rotated_at.millis(),
        }
    }
}

fn into_key(
    (row, used_at, used_from): RowWithUse,
    strings: Vec<StringRow>,
    customers: Vec<CustomerId>,
) -> Result<ApiKey, StoreError> {
    let wrong = |column| damaged("api_keys", &row.id, column);
    Ok(ApiKey {
        id: row.id.parse().map_err(|_| wrong("id"))?,
        environment: row.environment.parse().map_err(|_| wrong("environment"))?,
        kind: row.kind.parse().map_err(|_| wrong("kind"))?,
        scopes: scopes_of(&row.scopes).map_err(|_| wrong("scopes"))?,
        allowed_ips: Networks::parse(split(&row.allowed_ips)).map_err(|_| wrong("allowed_ips"))?,
        limits: RateLimits {
            rate_per_minute: limit_of(row.rate_per_minute).map_err(|_| wrong("rate_per_minute"))?,
            burst_per_second: limit_of(row.burst_per_second).map_err(|_| wrong("burst_per_second"))?,
        },
        state: row.state.parse().map_err(|_| wrong("state"))?,
        expires_at: row.expires_at.map(Timestamp::from_millis),
        owner: row.owner.as_deref().map(str::parse).transpose().map_err(|_| wrong("owner"))?,
        customers,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
        rotated_at: Timestamp::from_millis(row.rotated_at),
        last_use: used_at.map(|at| LastUse {
            at: Timestamp::from_millis(at),
            address: used_from.as_deref().and_then(|address| address.parse().ok()),
        }),
        strings: strings.into_iter().map(StringRow::into_string).collect::<Result<_, _>>()?,
        name: row.name,
        description: row.description,
    })
}

impl StringRow {
    fn of(key: &ApiKeyId, string: &StoredString) -> Self {
        Self {
            digest: string.digest.to_vec(),
            key_id: key.to_string(),
            prefix: string.prefix.clone(),
            last_four: string.last_four.clone(),
            created_at: string.created_at.millis(),
            ends_at: string.ends_at.map(Timestamp::millis),
        }
    }

    fn into_string(self) -> Result<StoredString, StoreError> {
        Ok(StoredString {
            digest: self.digest.try_into().map_err(|_| damaged("api_key_strings", &self.key_id, "digest"))?,
            prefix: self.prefix,
            last_four: self.last_four,
            created_at: Timestamp::from_millis(self.created_at),
            ends_at: self.ends_at.map(Timestamp::from_millis),
        })
    }
}

/// Stores a new key with its strings and customers.
///
/// # Errors
/// The database fails.
pub fn insert(connection: &mut AnyConnection, key: &ApiKey) -> Result<(), StoreError> {
    diesel::insert_into(api_keys::table).values(Row::of(key)).execute(connection)?;
    for string in &key.strings {
        insert_string(connection, &key.id, string)?;
    }
    if key.customers.is_empty() {
        return Ok(());
    }
    credential_customers::set(connection, key.id.as_str(), &key.customers)
}

/// Stores every field of a key, but neither its strings nor its customers.
///
/// # Errors
/// The database fails.
pub fn update(connection: &mut AnyConnection, key: &ApiKey) -> Result<(), StoreError> {
    diesel::update(api_keys::table.find(key.id.as_str())).set(Row::of(key)).execute(connection)?;
    Ok(())
}

/// Stores a further string; the key is no longer due.
///
/// # Errors
/// The database fails.
pub fn insert_string(connection: &mut AnyConnection, key: &ApiKeyId, string: &StoredString) -> Result<(), StoreError> {
    diesel::insert_into(api_key_strings::table).values(StringRow::of(key, string)).execute(connection)?;
    diesel::update(api_keys::table.find(key.as_str()))
        .set(api_keys::due_noted_at.eq(None::<i64>))
        .execute(connection)?;
    Ok(())
}

/// Sets when a string ends.
///
/// # Errors
/// The database fails.
pub fn end_string(connection: &mut AnyConnection, digest: &[u8; 32], ends_at: Timestamp) -> Result<(), StoreError> {
    diesel::update(api_key_strings::table.find(digest.as_slice()))
        .set(api_key_strings::ends_at.eq(ends_at.millis()))
        .execute(connection)?;
    Ok(())
}

/// Notes when and from where a key was last used.
pub(super) fn note_use(connection: &mut AnyConnection, key: &str, used: &LastUse) -> Result<(), StoreError> {
    diesel::update(api_keys::table.find(key))
        .set((
            api_keys::last_used_at.eq(used.at.millis()),
            api_keys::last_used_address.eq(used.address.map(|address| address.to_string())),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes at most `limit` strings that ended before `before`.
///
/// # Errors
/// The database fails.
pub fn remove_ended_strings(
    connection: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<usize, StoreError> {
    let old: Vec<Vec<u8>> = api_key_strings::table
        .filter(api_key_strings::ends_at.lt(before.millis()))
        .limit(limit)
        .select(api_key_strings::digest)
        .load(connection)?;
    Ok(diesel::delete(api_key_strings::table.filter(api_key_strings::digest.eq_any(old))).execute(connection)?)
}

/// The id of the key that has a string with this digest, live or ended.
///
/// # Errors
/// The database fails.
pub fn id_by_digest(connection: &mut AnyConnection, digest: &[u8; 32]) -> Result<Option<String>, StoreError> {
    Ok(api_key_strings::table.find(digest.as_slice()).select(api_key_strings::key_id).first(connection).optional()?)
}

/// The key, with all its strings, newest first.
///
/// # Errors
/// The database fails, or the row is damaged.
pub fn find(connection: &mut AnyConnection, id: &ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
    let row: Option<RowWithUse> = api_keys::table
        .find(id.as_str())
        .select((Row::as_select(), api_keys::last_used_at, api_keys::last_used_address))
        .first(connection)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let strings = api_key_strings::table
        .filter(api_key_strings::key_id.eq(id.as_str()))
        .order(api_key_strings::created_at.desc())
        .select(StringRow::as_select())
        .load(connection)?;
    let customers = credential_customers::of(connection, id.as_str())?;
    into_key(row, strings, customers).map(Some)
}

/// Keys, newest first, at most `limit`. A damaged row is logged and left out.
///
/// # Errors
/// The database fails.
pub fn list(connection: &mut AnyConnection, filter: &CredentialFilter, limit: i64) -> Result<Vec<ApiKey>, StoreError> {
    let mut query = api_keys::table
        .select((Row::as_select(), api_keys::last_used_at, api_keys::last_used_address))
        .order(api_keys::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(api_keys::kind.eq(kind));
    }
    let rows: Vec<RowWithUse> = filtered!(query, api_keys, filter).load(connection)?;
    let ids: Vec<&str> = rows.iter().map(|(row, ..)| row.id.as_str()).collect();
    let found: Vec<StringRow> = api_key_strings::table
        .filter(api_key_strings::key_id.eq_any(ids.clone()))
        .order(api_key_strings::created_at.desc())
        .select(StringRow::as_select())
        .load(connection)?;
    let mut customers = credential_customers::of_each(connection, ids)?;
    let mut strings: HashMap<String, Vec<StringRow>> = HashMap::new();
    for string in found {
        strings.entry(string.key_id.clone()).or_default().push(string);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let own = strings.remove(&row.0.id).unwrap_or_default();
            let customers = customers.remove(&row.0.id).unwrap_or_default();
            into_key(row, own, customers).inspect_err(|error| log::error!("{error}")).ok()
        })
        .collect())
}
