//! Values that exist once per installation.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{installation, signing_keys};
use super::{AnyConnection, StoreError, base64_text};
use crate::domain::time::Timestamp;

/// The single row of the table `installation`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = installation, treat_none_as_default_value = false)]
pub struct InstallationRow {
    pub(super) id: i32,
    created_at: i64,
    incarnation: i64,
    change_sequence: i64,
    pruned_to: i64,
    #[serde(with = "base64_text::optional")]
    digest_key_sealed: Option<Vec<u8>>,
}

/// Returns the sealed key of the digests of client secrets; `None` before the first start.
pub fn digest_key(connection: &mut AnyConnection) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(installation::table.find(1).select(installation::digest_key_sealed).get_result(connection)?)
}

/// Sets the random number by which processes tell that this is another database than the one they have read. Its change
/// log begins here.
pub fn set_incarnation(connection: &mut AnyConnection, incarnation: i64) -> Result<(), StoreError> {
    diesel::update(installation::table.find(1))
        .set((installation::incarnation.eq(incarnation), installation::pruned_to.eq(installation::change_sequence)))
        .execute(connection)?;
    Ok(())
}

/// Stores the sealed key of the digests of client secrets.
pub fn set_digest_key(connection: &mut AnyConnection, now: Timestamp, sealed: &[u8]) -> Result<(), StoreError> {
    diesel::update(installation::table.find(1)).set(installation::digest_key_sealed.eq(sealed)).execute(connection)?;
    diesel::update(installation::table.find(1).filter(installation::created_at.eq(0)))
        .set(installation::created_at.eq(now.millis()))
        .execute(connection)?;
    Ok(())
}

/// Returns whether any value is sealed under a master key.
pub fn has_sealed_values(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let keys: i64 = signing_keys::table.count().get_result(connection)?;
    Ok(keys > 0 || digest_key(connection)?.is_some())
}
