//! The seals of audit events: rows that each have the digests of the events at consecutive positions.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::audit_seals;
use super::{AnyConnection, StoreError, base64_text};

/// The digests of some events: a row of the table `audit_seals`. The three lists have as many entries as there are
/// events, one after another.
#[derive(Clone, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = audit_seals)]
pub struct SealRow {
    /// The position of the first event.
    pub position: i64,
    /// The number of events.
    pub events: i64,
    /// When they were sealed, in milliseconds.
    pub sealed_at: i64,
    /// Digests of what happened, 32 bytes each.
    #[serde(with = "base64_text::bytes")]
    pub contents: Vec<u8>,
    /// Digests of what may name a person, 32 bytes each.
    #[serde(with = "base64_text::bytes")]
    pub persons: Vec<u8>,
    /// Their salts, 16 bytes each.
    #[serde(with = "base64_text::bytes")]
    pub salts: Vec<u8>,
    /// The value of the chain after the last event.
    #[serde(with = "base64_text::bytes")]
    pub chain: Vec<u8>,
}

impl SealRow {
    /// Returns the position of the last event.
    pub const fn last_position(&self) -> i64 {
        self.position + self.events - 1
    }
}

/// Returns the last seal.
pub fn last(connection: &mut AnyConnection) -> Result<Option<SealRow>, StoreError> {
    let last = audit_seals::table.select(SealRow::as_select()).order(audit_seals::position.desc());
    Ok(last.first(connection).optional()?)
}

/// Returns the position of the last event that is sealed; 0 if none is.
pub fn end(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let last = audit_seals::table.select((audit_seals::position, audit_seals::events));
    let last: Option<(i64, i64)> = last.order(audit_seals::position.desc()).first(connection).optional()?;
    Ok(last.map_or(0, |(position, events)| position + events - 1))
}

/// Returns the first seal of events after `position`.
pub fn after(connection: &mut AnyConnection, position: i64) -> Result<Option<SealRow>, StoreError> {
    let after = audit_seals::table.select(SealRow::as_select()).filter(audit_seals::position.gt(position));
    Ok(after.order(audit_seals::position.asc()).first(connection).optional()?)
}

/// Stores the next seal. Call it under the lease of the sealer.
pub fn append(connection: &mut AnyConnection, seal: SealRow) -> Result<(), StoreError> {
    diesel::insert_into(audit_seals::table).values(seal).execute(connection)?;
    Ok(())
}
