//! Responses kept for requests that are repeated with the same `Idempotency-Key`.

use diesel::prelude::*;

use super::schema::idempotency_keys;
use super::{AnyConnection, StoreError};
use crate::domain::time::Timestamp;

/// What is kept of a response: enough to show the object as it is at the time of the repetition.
#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub struct KeptResponse {
    /// The actor that sent the request.
    pub actor: String,
    /// The `Idempotency-Key` as it was sent.
    pub idempotency_key: String,
    /// A keyed digest of the request, which distinguishes it from others.
    pub request_digest: Vec<u8>,
    /// The action of the audit event.
    pub action: String,
    /// The id of the object.
    pub object: String,
    /// The id of the secret that was revealed.
    pub secret_id: Option<String>,
    /// That secret, sealed under a master key, for one hour.
    pub sealed_secret: Option<Vec<u8>>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

/// Stores a response for repetitions of its request.
///
/// # Errors
/// [`StoreError::Duplicate`] if the same key was used in the meantime.
pub fn insert(connection: &mut AnyConnection, response: &KeptResponse) -> Result<(), StoreError> {
    diesel::insert_into(idempotency_keys::table).values(response.clone()).execute(connection)?;
    Ok(())
}

/// Finds the response that `actor` received under `key`.
pub fn find(connection: &mut AnyConnection, actor: &str, key: &str) -> Result<Option<KeptResponse>, StoreError> {
    Ok(idempotency_keys::table
        .find((actor, key))
        .select(KeptResponse::as_select())
        .get_result(connection)
        .optional()?)
}

/// Removes the response that `actor` received under `key`, if it was stored before `before`.
pub fn expire_one(connection: &mut AnyConnection, actor: &str, key: &str, before: Timestamp) -> Result<(), StoreError> {
    let old = idempotency_keys::table.find((actor, key)).filter(idempotency_keys::created_at.le(before.millis()));
    diesel::delete(old).execute(connection)?;
    Ok(())
}

/// Returns all responses that still have a secret.
pub fn sealed(connection: &mut AnyConnection) -> Result<Vec<KeptResponse>, StoreError> {
    Ok(idempotency_keys::table
        .filter(idempotency_keys::sealed_secret.is_not_null())
        .select(KeptResponse::as_select())
        .load(connection)?)
}

/// Replaces the sealed secret of a response.
pub fn set_sealed(connection: &mut AnyConnection, response: &KeptResponse, sealed: &[u8]) -> Result<(), StoreError> {
    diesel::update(idempotency_keys::table.find((&response.actor, &response.idempotency_key)))
        .set(idempotency_keys::sealed_secret.eq(sealed))
        .execute(connection)?;
    Ok(())
}

/// Erases the secrets of responses stored before `secrets_before`, and removes the responses stored before
/// `all_before`.
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
            .filter(idempotency_keys::sealed_secret.is_not_null()),
    )
    .set(idempotency_keys::sealed_secret.eq(None::<Vec<u8>>))
    .execute(connection)?;
    Ok(())
}
