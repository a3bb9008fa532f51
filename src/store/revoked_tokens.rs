//! Tokens that were revoked before they expired.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::revoked_tokens;
use super::{AnyConnection, StoreError};
use crate::domain::time::Timestamp;

/// A row of the table `revoked_tokens`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = revoked_tokens)]
pub struct RevokedTokenRow {
    pub(super) jti: String,
    client_id: String,
    revoked_at: i64,
    expires_at: i64,
}

/// Stores that a token is revoked. Doing it again changes nothing.
pub fn insert(
    connection: &mut AnyConnection,
    jti: &str,
    client: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    if contains(connection, jti)? {
        return Ok(());
    }
    let row = RevokedTokenRow {
        jti: jti.to_owned(),
        client_id: client.to_owned(),
        revoked_at: now.millis(),
        expires_at: expires_at.millis(),
    };
    diesel::insert_into(revoked_tokens::table).values(row).execute(connection)?;
    Ok(())
}

/// Returns whether the token was revoked.
pub fn contains(connection: &mut AnyConnection, jti: &str) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(revoked_tokens::table.find(jti))).get_result(connection)?)
}

/// Removes at most `limit` tokens that expired before `before`.
pub fn remove_expired(connection: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<String> = revoked_tokens::table
        .filter(revoked_tokens::expires_at.lt(before.millis()))
        .limit(limit)
        .select(revoked_tokens::jti)
        .load(connection)?;
    Ok(diesel::delete(revoked_tokens::table.filter(revoked_tokens::jti.eq_any(old))).execute(connection)?)
}
