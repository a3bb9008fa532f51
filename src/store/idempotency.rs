//! Answers that are kept for replay to a repeated `Idempotency-Key`.

use diesel::prelude::*;

use super::schema::idempotency_keys;
use super::{AnyConnection, StoreError};
use crate::domain::time::Timestamp;

/// A kept answer.
#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub struct KeptAnswer {
    /// Who asked.
    pub actor: String,
    /// The key as it was sent.
    pub idempotency_key: String,
    /// SHA-256 of method, path and body.
    pub request_digest: Vec<u8>,
    /// HTTP status.
    pub status: i32,
    /// The answer without its secret.
    pub body: String,
    /// The whole answer under a master key, for its hour.
    pub sealed_body: Option<Vec<u8>>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

/// Keeps an answer.
///
/// # Errors
/// [`StoreError::Duplicate`] if the same key was used meanwhile.
pub fn insert(connection: &mut AnyConnection, answer: &KeptAnswer) -> Result<(), StoreError> {
    diesel::insert_into(idempotency_keys::table).values(answer.clone()).execute(connection)?;
    Ok(())
}

/// The answer that `actor` got under `key`.
///
/// # Errors
/// The database fails.
pub fn find(connection: &mut AnyConnection, actor: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError> {
    Ok(idempotency_keys::table.find((actor, key)).select(KeptAnswer::as_select()).first(connection).optional()?)
}

/// Forgets the answer that `actor` got under `key`, if it was kept before `before`.
///
/// # Errors
/// The database fails.
pub fn expire_one(connection: &mut AnyConnection, actor: &str, key: &str, before: Timestamp) -> Result<(), StoreError> {
    let old = idempotency_keys::table.find((actor, key)).filter(idempotency_keys::created_at.le(before.millis()));
    diesel::delete(old).execute(connection)?;
    Ok(())
}

/// Every answer that still carries a secret.
///
/// # Errors
/// The database fails.
pub fn sealed(connection: &mut AnyConnection) -> Result<Vec<KeptAnswer>, StoreError> {
    Ok(idempotency_keys::table
        .filter(idempotency_keys::sealed_body.is_not_null())
        .select(KeptAnswer::as_select())
        .load(connection)?)
}

/// Replaces the sealed part of an answer.
///
/// # Errors
/// The database fails.
pub fn set_sealed(connection: &mut AnyConnection, answer: &KeptAnswer, sealed: &[u8]) -> Result<(), StoreError> {
    diesel::update(idempotency_keys::table.find((&answer.actor, &answer.idempotency_key)))
        .set(idempotency_keys::sealed_body.eq(sealed))
        .execute(connection)?;
    Ok(())
}

/// Destroys the secrets of answers kept before `secrets_before`, and forgets the answers kept before `all_before`.
///
/// # Errors
/// The database fails.
pub fn expire(
    connection: &mut AnyConnection,
    secrets_before: Timestamp,
    all_before: Timestamp,
) -> Result<(), StoreError> {
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(all_before.millis())))
        .execute(connection)?;
    diesel::update(
        idempotency_keys::table
            .filter(idempotency_keys::created_at.lt(secrets_before.millis()))
            .filter(idempotency_keys::sealed_body.is_not_null()),
    )
    .set(idempotency_keys::sealed_body.eq(None::<Vec<u8>>))
    .execute(connection)?;
    Ok(())
}
