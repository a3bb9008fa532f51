//! The positions of audit events: runs of events whose serials follow one another.
//!
//! Positions have the order of serials. A serial that is missing between others belongs to a transaction that has not
//! ended, or to one that was rolled back; see `audit::Sequencer`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::audit_log::EventRow;
use super::schema::{audit_chain, audit_cursors, audit_log};
use super::{AnyConnection, StoreError, audit_index, audit_seals};
use crate::domain::audit::{AuditLag, RecordedEvent};
use crate::domain::time::Timestamp;

/// Events with consecutive positions and consecutive serials: a row of the table `audit_chain`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = audit_chain)]
pub struct Run {
    /// The position of the first event.
    pub position: i64,
    /// The serial of the first event.
    pub first_serial: i64,
    /// The number of events.
    pub events: i64,
}

impl Run {
    /// Returns the position of the last event.
    pub const fn last_position(&self) -> i64 {
        self.position + self.events - 1
    }

    /// Returns the serial of the last event.
    pub const fn last_serial(&self) -> i64 {
        self.first_serial + self.events - 1
    }

    /// Returns the position of the event with this serial, if it is one of the run.
    fn position_of(&self, serial: i64) -> Option<i64> {
        let is_within = (self.first_serial..=self.last_serial()).contains(&serial);
        is_within.then(|| self.position + (serial - self.first_serial))
    }
}

/// How far a reader of the events has come: a row of the table `audit_cursors`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = audit_cursors)]
pub struct CursorRow {
    pub(super) name: String,
    position: i64,
}

/// Returns the last run.
pub fn last(connection: &mut AnyConnection) -> Result<Option<Run>, StoreError> {
    let last = audit_chain::table.select(Run::as_select()).order(audit_chain::position.desc());
    Ok(last.first(connection).optional()?)
}

/// Returns the position of the last event that has one; 0 if none has.
pub fn end(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    Ok(last(connection)?.map_or(0, |run| run.last_position()))
}

/// Adds runs, which must follow the last one. Call it under the lease of the sequencer.
pub fn append(connection: &mut AnyConnection, runs: &[Run]) -> Result<(), StoreError> {
    for run in runs {
        diesel::insert_into(audit_chain::table).values(run).execute(connection)?;
    }
    Ok(())
}

/// Lists the serials of stored events after `serial` in their order, at most `limit`.
pub fn serials_after(connection: &mut AnyConnection, serial: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    let after = audit_log::table.filter(audit_log::serial.gt(serial)).order(audit_log::serial.asc());
    Ok(after.select(audit_log::serial).limit(limit).load(connection)?)
}

#[derive(diesel::QueryableByName)]
struct Writer {
    #[diesel(sql_type = diesel::sql_types::Text)]
    transaction: String,
}

/// Returns the transactions that may have taken serials and have not ended. Each insert holds this lock on the table
/// from before it takes its first serial until its transaction ends. On SQLite there are none: it has one writer at a
/// time, so what can be seen has no gaps but those of rows that somebody removed.
pub fn writers(connection: &mut AnyConnection) -> Result<BTreeSet<String>, StoreError> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(BTreeSet::new()) };
    let writers: Vec<Writer> = diesel::sql_query(
        "SELECT DISTINCT virtualtransaction AS transaction FROM pg_locks WHERE locktype = 'relation' \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND relation = 'audit_log'::regclass AND mode = 'RowExclusiveLock' AND granted",
    )
    .load(connection)?;
    Ok(writers.into_iter().map(|writer| writer.transaction).collect())
}

/// Returns the run that has `position`, or would if it were longer.
fn run_at(connection: &mut AnyConnection, position: i64) -> Result<Option<Run>, StoreError> {
    let until = audit_chain::table.select(Run::as_select()).filter(audit_chain::position.le(position));
    Ok(until.order(audit_chain::position.desc()).first(connection).optional()?)
}

/// Returns the serial of the event at `position`; 0 for position 0.
pub fn serial_at(connection: &mut AnyConnection, position: i64) -> Result<i64, StoreError> {
    let run = run_at(connection, position)?;
    Ok(run.map_or(0, |run| (run.first_serial + (position - run.position)).min(run.last_serial())))
}

/// Events in the order of their positions.
#[derive(Debug, Default)]
pub struct Page {
    /// The events with their positions.
    pub events: Vec<(i64, RecordedEvent)>,
    /// The position up to which the page has every event that is still stored.
    pub until: i64,
    /// The ids of events between these that have no position. Sealwright stores none there: the sequencer has settled
    /// all gaps up to the last position.
    pub strays: Vec<String>,
}

/// Reads the events at the `limit` positions after `position`.
pub fn read_after(connection: &mut AnyConnection, position: i64, limit: i64) -> Result<Page, StoreError> {
    let first = run_at(connection, position + 1)?.map_or(1, |run| run.position);
    let runs: Vec<Run> = audit_chain::table
        .select(Run::as_select())
        .filter(audit_chain::position.ge(first))
        .order(audit_chain::position.asc())
        .limit(limit)
        .load(connection)?;
    let until = runs.last().map_or(position, |last| last.last_position().min(position + limit));
    if until <= position {
        return Ok(Page { until: position, ..Page::default() });
    }
    let serial_of = |position| {
        let run = runs.iter().rev().find(|run| run.position <= position);
        run.map_or(0, |run| run.first_serial + (position - run.position))
    };
    let rows: Vec<EventRow> = audit_log::table
        .select(EventRow::as_select())
        .filter(audit_log::serial.gt(serial_at(connection, position)?))
        .filter(audit_log::serial.le(serial_of(until)))
        .order(audit_log::serial.asc())
        .load(connection)?;
    let mut page = Page { until, ..Page::default() };
    let mut runs = runs.iter().peekable();
    for row in rows {
        while runs.next_if(|run| run.last_serial() < row.serial).is_some() {}
        match runs.peek().and_then(|run| run.position_of(row.serial)) {
            Some(position) => page.events.push((position, row.into_event())),
            None => page.strays.push(row.into_event().id),
        }
    }
    Ok(page)
}

/// Returns when the first event happened that has no position yet; `None` if there is none.
pub fn oldest_without(connection: &mut AnyConnection) -> Result<Option<Timestamp>, StoreError> {
    let last = last(connection)?.map_or(0, |run| run.last_serial());
    oldest_after(connection, last)
}

/// Returns when the first event happened that is stored after `serial`; `None` if there is none.
fn oldest_after(connection: &mut AnyConnection, serial: i64) -> Result<Option<Timestamp>, StoreError> {
    let after = audit_log::table.filter(audit_log::serial.gt(serial)).order(audit_log::serial.asc());
    let time: Option<i64> = after.select(audit_log::time).first(connection).optional()?;
    Ok(time.map(Timestamp::from_millis))
}

/// Returns when the first event happened that is stored behind the one at `position`; `None` if there is none.
pub fn oldest_from(connection: &mut AnyConnection, position: i64) -> Result<Option<Timestamp>, StoreError> {
    let serial = serial_at(connection, position)?;
    oldest_after(connection, serial)
}

/// Returns how far the loops that follow the log are behind it.
pub fn lag(connection: &mut AnyConnection) -> Result<AuditLag, StoreError> {
    let sealed = audit_seals::end(connection)?;
    let indexed = audit_index::indexed(connection)?;
    Ok(AuditLag {
        unpositioned_since: oldest_without(connection)?,
        unsealed_since: oldest_from(connection, sealed)?,
        unindexed: end(connection)? - indexed,
    })
}

/// Returns the position of the last event that a reader has read; 0 before the first.
pub fn cursor(connection: &mut AnyConnection, reader: &str) -> Result<i64, StoreError> {
    let position =
        audit_cursors::table.find(reader).select(audit_cursors::position).get_result(connection).optional()?;
    Ok(position.unwrap_or(0))
}

/// Stores how far a reader has read. Readers hold a lease, so that each has one process.
pub fn set_cursor(connection: &mut AnyConnection, reader: &str, position: i64) -> Result<(), StoreError> {
    let row = audit_cursors::table.find(reader);
    let known = diesel::update(row).set(audit_cursors::position.eq(position)).execute(connection)?;
    if known == 0 {
        let row = CursorRow { name: reader.to_owned(), position };
        diesel::insert_into(audit_cursors::table).values(row).execute(connection)?;
    }
    Ok(())
}
