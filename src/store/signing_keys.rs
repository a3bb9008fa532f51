//! Signing keys, with their private keys sealed.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::schema::signing_keys;
use super::{AnyConnection, StoreError, base64_text, damaged};
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, PublicJwk, SigningKey};
use crate::domain::time::Timestamp;

/// A row of the table `signing_keys`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false)]
pub struct SigningKeyRow {
    pub(super) kid: String,
    environment: String,
    algorithm: String,
    generation: i64,
    public_jwk: String,
    #[serde(with = "base64_text::optional")]
    private_key_sealed: Option<Vec<u8>>,
    created_at: i64,
    activates_at: i64,
    retires_at: Option<i64>,
    destroyed_at: Option<i64>,
}

/// A signing key with its sealed private key, if it still has one.
#[derive(Clone)]
pub struct StoredKey {
    /// The public part and the dates.
    pub key: SigningKey,
    /// PKCS #8, sealed under a master key.
    pub private_key_sealed: Option<Vec<u8>>,
}

impl SigningKeyRow {
    fn into_stored(self) -> Result<StoredKey, StoreError> {
        let wrong = |column| damaged("signing_keys", &self.kid, column);
        // A damaged text would otherwise break the set of all keys.
        serde_json::from_str::<Map<String, Value>>(&self.public_jwk).map_err(|_| wrong("public_jwk"))?;
        Ok(StoredKey {
            key: SigningKey {
                environment: self.environment.parse().map_err(|_| wrong("environment"))?,
                algorithm: self.algorithm.parse().map_err(|_| wrong("algorithm"))?,
                generation: self.generation,
                public_jwk: PublicJwk::from_json(self.public_jwk),
                created_at: Timestamp::from_millis(self.created_at),
                activates_at: Timestamp::from_millis(self.activates_at),
                retires_at: self.retires_at.map(Timestamp::from_millis),
                destroyed_at: self.destroyed_at.map(Timestamp::from_millis),
                kid: self.kid.into(),
            },
            private_key_sealed: self.private_key_sealed,
        })
    }
}

/// Stores a new key.
///
/// # Errors
/// [`StoreError::Duplicate`] if its generation exists: another node was faster.
pub fn insert(connection: &mut AnyConnection, stored: &StoredKey) -> Result<(), StoreError> {
    let key = &stored.key;
    let row = SigningKeyRow {
        kid: key.kid.to_string(),
        environment: key.environment.to_string(),
        algorithm: key.algorithm.to_string(),
        generation: key.generation,
        public_jwk: key.public_jwk.as_str().to_owned(),
        private_key_sealed: stored.private_key_sealed.clone(),
        created_at: key.created_at.millis(),
        activates_at: key.activates_at.millis(),
        retires_at: key.retires_at.map(Timestamp::millis),
        destroyed_at: key.destroyed_at.map(Timestamp::millis),
    };
    diesel::insert_into(signing_keys::table).values(row).execute(connection)?;
    Ok(())
}

/// Stores the dates at which a key activates, retires and was destroyed.
pub fn update_dates(connection: &mut AnyConnection, key: &SigningKey) -> Result<(), StoreError> {
    diesel::update(signing_keys::table.find(&*key.kid))
        .set((
            signing_keys::activates_at.eq(key.activates_at.millis()),
            signing_keys::retires_at.eq(key.retires_at.map(Timestamp::millis)),
            signing_keys::destroyed_at.eq(key.destroyed_at.map(Timestamp::millis)),
        ))
        .execute(connection)?;
    Ok(())
}

/// Replaces the sealed private key; `None` erases it.
pub fn set_private_key(connection: &mut AnyConnection, kid: &str, sealed: Option<&[u8]>) -> Result<(), StoreError> {
    diesel::update(signing_keys::table.find(kid))
        .set(signing_keys::private_key_sealed.eq(sealed))
        .execute(connection)?;
    Ok(())
}

/// Returns all keys, oldest first. There are few: one per quarter, environment and algorithm.
///
/// # Errors
/// A row is damaged.
pub fn all(connection: &mut AnyConnection) -> Result<Vec<Result<StoredKey, StoreError>>, StoreError> {
    let rows: Vec<SigningKeyRow> = signing_keys::table
        .order((signing_keys::created_at.asc(), signing_keys::kid.asc()))
        .select(SigningKeyRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(SigningKeyRow::into_stored).collect())
}

/// Returns the keys of one environment and algorithm, newest first.
///
/// # Errors
/// A row is damaged.
pub fn of(
    connection: &mut AnyConnection,
    environment: Environment,
    algorithm: Algorithm,
) -> Result<Vec<SigningKey>, StoreError> {
    let rows: Vec<SigningKeyRow> = signing_keys::table
        .filter(signing_keys::environment.eq(environment.as_str()))
        .filter(signing_keys::algorithm.eq(algorithm.as_str()))
        .order(signing_keys::generation.desc())
        .select(SigningKeyRow::as_select())
        .load(connection)?;
    rows.into_iter().map(|row| row.into_stored().map(|stored| stored.key)).collect()
}

/// Finds a key by its `kid`.
///
/// # Errors
/// The row is damaged.
pub fn find(connection: &mut AnyConnection, kid: &str) -> Result<Option<SigningKey>, StoreError> {
    let row: Option<SigningKeyRow> =
        signing_keys::table.find(kid).select(SigningKeyRow::as_select()).get_result(connection).optional()?;
    row.map(|row| row.into_stored().map(|stored| stored.key)).transpose()
}
