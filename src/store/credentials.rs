//! Stores, finds and changes credentials: clients and API keys.

use diesel::prelude::*;

use super::credential_rows::{CredentialRow, SecretRow, Settings};
use super::schema::{credential_secrets, credentials};
use super::{AnyConnection, StoreError, credential_customers, epochs};
use crate::domain::credential::{Credential, CredentialId, LastUse, State, StoredSecret};
use crate::domain::environment::Environment;
use crate::domain::ids::SecretId;
use crate::domain::time::Timestamp;

/// Stores a new credential with its secrets and customers.
///
/// # Errors
/// [`StoreError::Duplicate`] if one of its ids is taken.
pub fn insert(connection: &mut AnyConnection, credential: &Credential) -> Result<(), StoreError> {
    diesel::insert_into(credentials::table).values(CredentialRow::new(credential)).execute(connection)?;
    for secret in &credential.secrets {
        insert_secret(connection, &credential.id, secret)?;
    }
    let sequence = credential.numbers.customers;
    credential_customers::insert_all(connection, credential.id.as_str(), &credential.customers, sequence)
}

/// Stores the settings of a credential, but not its secrets and its customers. Background jobs flag it again, where
/// that is due.
pub fn update(connection: &mut AnyConnection, credential: &Credential) -> Result<(), StoreError> {
    let row = credentials::table.find(credential.id.as_str());
    diesel::update(row).set((Settings::of(credential), credentials::expiry_flagged.eq(0))).execute(connection)?;
    if credential.state == State::Revoked {
        diesel::update(row).set(credentials::due_flagged_at.eq(None::<i64>)).execute(connection)?;
    }
    Ok(())
}

/// Stores another secret. The credential is no longer flagged as due for rotation.
///
/// # Errors
/// [`StoreError::Duplicate`] if its id or its digest is taken.
pub fn add_secret(
    connection: &mut AnyConnection,
    credential: &CredentialId,
    secret: &StoredSecret,
) -> Result<(), StoreError> {
    insert_secret(connection, credential, secret)?;
    diesel::update(credentials::table.find(credential.as_str()))
        .set(credentials::due_flagged_at.eq(None::<i64>))
        .execute(connection)?;
    Ok(())
}

fn insert_secret(
    connection: &mut AnyConnection,
    credential: &CredentialId,
    secret: &StoredSecret,
) -> Result<(), StoreError> {
    diesel::insert_into(credential_secrets::table).values(SecretRow::new(credential, secret)).execute(connection)?;
    Ok(())
}

/// Sets the time at which a secret ends.
pub fn end_secret(connection: &mut AnyConnection, secret: &SecretId, ends_at: Timestamp) -> Result<(), StoreError> {
    diesel::update(credential_secrets::table.find(secret.as_str()))
        .set(credential_secrets::ends_at.eq(ends_at.millis()))
        .execute(connection)?;
    Ok(())
}

/// Stores the time and address at which secrets were last used.
pub(super) fn note_uses(connection: &mut AnyConnection, used: &[(SecretId, LastUse)]) -> Result<(), StoreError> {
    for (secret, last) in used {
        diesel::update(credential_secrets::table.find(secret.as_str()))
            .set((
                credential_secrets::last_used_at.eq(last.at.millis()),
                credential_secrets::last_used_address.eq(last.address.map(|address| address.to_string())),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Removes at most `limit` secrets that ended before `before`. Their last use stays with the credential.
pub fn remove_ended_secrets(
    connection: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<usize, StoreError> {
    let old: Vec<SecretRow> = credential_secrets::table
        .filter(credential_secrets::ends_at.lt(before.millis()))
        .limit(limit)
        .select(SecretRow::as_select())
        .load(connection)?;
    for secret in old.iter().filter(|secret| secret.last_used_at.is_some()) {
        let is_later = credentials::earlier_used_at.is_null().or(credentials::earlier_used_at.lt(secret.last_used_at));
        diesel::update(credentials::table.find(&secret.credential).filter(is_later))
            .set((
                credentials::earlier_used_at.eq(secret.last_used_at),
                credentials::earlier_used_address.eq(secret.last_used_address.as_deref()),
            ))
            .execute(connection)?;
    }
    let ids: Vec<&str> = old.iter().map(|secret| secret.id.as_str()).collect();
    Ok(diesel::delete(credential_secrets::table.filter(credential_secrets::id.eq_any(ids))).execute(connection)?)
}

/// Finds the id of the credential that has a secret with this SHA-256, live or ended.
pub fn id_by_digest(connection: &mut AnyConnection, digest: &[u8; 32]) -> Result<Option<String>, StoreError> {
    Ok(credential_secrets::table
        .filter(credential_secrets::digest.eq(digest.as_slice()))
        .select(credential_secrets::credential)
        .first(connection)
        .optional()?)
}

/// Finds a credential with all its secrets, newest first, as it is under all epochs. An unknown id takes the same
/// queries as a known one.
///
/// # Errors
/// The row is damaged.
pub fn find(connection: &mut AnyConnection, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
    // Before the row: an epoch that is expanded in between has changed the row.
    let open = epochs::open(connection)?;
    let mut found = find_row(connection, id)?;
    if let Some(credential) = &mut found {
        credential.apply_epochs(&open);
    }
    Ok(found)
}

/// Finds a credential as [`find`] does, as its row shows it: an epoch that is not expanded may have ended it. Only for
/// the cache, which applies the epochs that it has in memory.
///
/// # Errors
/// The row is damaged.
pub fn find_row(connection: &mut AnyConnection, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
    let row: Option<CredentialRow> =
        credentials::table.find(id.as_str()).select(CredentialRow::as_select()).get_result(connection).optional()?;
    let secrets = credential_secrets::table
        .filter(credential_secrets::credential.eq(id.as_str()))
        .order((credential_secrets::created_at.desc(), credential_secrets::id.desc()))
        .select(SecretRow::as_select())
        .load(connection)?;
    let customers = credential_customers::of(connection, id.as_str())?;
    row.map(|row| row.into_credential(secrets, customers)).transpose()
}

/// Flags those of the credentials `ids` that are due for rotation, because their newest secret was created before
/// `rotated_before`. Returns the ids and environments of those that were not flagged already.
pub fn flag_due_rotations(
    connection: &mut AnyConnection,
    ids: &[String],
    rotated_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<(String, Option<Environment>)>, StoreError> {
    let due: Vec<(String, String)> = credentials::table
        .filter(credentials::id.eq_any(ids))
        .filter(credentials::due_flagged_at.is_null())
        .filter(credentials::rotated_at.le(rotated_before.millis()))
        .filter(credentials::state.ne("revoked"))
        .filter(credentials::expires_at.is_null().or(credentials::expires_at.gt(now.millis())))
        .select((credentials::id, credentials::environment))
        .load(connection)?;
    let ids: Vec<&str> = due.iter().map(|(id, _)| id.as_str()).collect();
    diesel::update(credentials::table.filter(credentials::id.eq_any(ids)))
        .set(credentials::due_flagged_at.eq(now.millis()))
        .execute(connection)?;
    Ok(due.into_iter().map(|(id, environment)| (id, environment.parse().ok())).collect())
}

/// Flags those of the credentials `ids` that have expired, for lists.
pub(super) fn flag_expired(connection: &mut AnyConnection, ids: &[String], now: Timestamp) -> Result<(), StoreError> {
    diesel::update(credentials::table.filter(credentials::id.eq_any(ids)))
        .filter(credentials::expires_at.le(now.millis()))
        .set(credentials::expiry_flagged.eq(1))
        .execute(connection)?;
    Ok(())
}
