//! Tokens that were revoked before their time.

use diesel::prelude::*;

use super::schema::revoked_tokens;
use super::{AnyConnection, StoreError};
use crate::domain::time::Timestamp;

/// Revokes a token; a second time changes nothing.
///
/// # Errors
/// The database fails.
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
    diesel::insert_into(revoked_tokens::table)
        .values((
            revoked_tokens::jti.eq(jti),
            revoked_tokens::client_id.eq(client),
            revoked_tokens::revoked_at.eq(now.millis()),
            revoked_tokens::expires_at.eq(expires_at.millis()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Whether the token was revoked.
///
/// # Errors
/// The database fails.
pub fn contains(connection: &mut AnyConnection, jti: &str) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(revoked_tokens::table.find(jti))).get_result(connection)?)
}

/// Removes at most `limit` rows of tokens that expired before `before`.
///
/// # Errors
/// The database fails.
pub fn remove_expired(connection: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<String> = revoked_tokens::table
        .filter(revoked_tokens::expires_at.lt(before.millis()))
        .limit(limit)
        .select(revoked_tokens::jti)
        .load(connection)?;
    Ok(diesel::delete(revoked_tokens::table.filter(revoked_tokens::jti.eq_any(old))).execute(connection)?)
}
