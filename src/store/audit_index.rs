//! An index of the audit log: which events have a value that lists are filtered by.
//!
//! A row has the serials of some events that follow one another and have one value in common. Rows are made in the
//! background, from a batch of events each time, and are never changed, so that a commit stores events and nothing
//! else. A search reads the events that are not indexed yet directly, and compares all that it finds with its filter:
//! the index says where to look.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use diesel::prelude::*;

use super::audit_terms::{Indexed, Term};
use super::schema::{audit_index, audit_log};
use super::{AnyConnection, StoreError, audit_chain};

/// The cursor of the events that are indexed.
const CURSOR: &str = "index";
/// Events that are indexed together. As many may wait, more under load: the larger a batch, the fewer rows have a
/// single event.
const BATCH: i64 = 4_096;
/// Events of a row at most, so that a page reads few that it does not show.
const ROW: usize = 128;
/// Milliseconds between the events of a row at most. A search looks at rows whose latest event is this much later than
/// the latest that it wants.
pub const SPAN: i64 = 600_000;
/// Rows of one statement. They lie anywhere in the index: on SQLite events of requests wait meanwhile.
const ROWS_AT_ONCE: usize = 500;

/// Events with one term: a row of the table `audit_index`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_index)]
pub struct IndexRow {
    term: i64,
    /// When the latest of the events happened, which is not always the last.
    pub latest: i64,
    /// The serial of the first event.
    pub serial: i64,
    earliest: i64,
    /// From each serial to the next one.
    gaps: String,
}

impl IndexRow {
    /// Returns the serials of the events.
    pub fn serials(&self) -> impl Iterator<Item = i64> {
        let gaps = super::split(&self.gaps).filter_map(|gap| gap.parse::<i64>().ok());
        std::iter::once(0).chain(gaps).scan(self.serial, |serial, gap| {
            *serial = serial.saturating_add(gap);
            Some(*serial)
        })
    }
}

/// The events of one term that are put into a row, as serials and times.
#[derive(Default)]
struct Row {
    events: Vec<(i64, i64)>,
    times: (i64, i64),
}

impl Row {
    fn admits(&self, time: i64) -> bool {
        let (earliest, latest) = self.times;
        self.events.is_empty() || self.events.len() < ROW && latest.max(time) - earliest.min(time) <= SPAN
    }

    fn add(&mut self, serial: i64, time: i64) {
        let (earliest, latest) = if self.events.is_empty() { (time, time) } else { self.times };
        self.times = (earliest.min(time), latest.max(time));
        self.events.push((serial, time));
    }

    fn into_row(self, term: Term) -> Option<IndexRow> {
        let (earliest, latest) = self.times;
        let (serial, _) = *self.events.first()?;
        let gaps = super::join(self.events.windows(2).map(|pair| pair[1].0 - pair[0].0));
        Some(IndexRow { term: term.0, latest, serial, earliest, gaps })
    }
}

/// Makes rows of events in the order of their serials. Rows that lie together in the index follow one another.
fn rows_of(events: &[Indexed]) -> Vec<IndexRow> {
    let mut of_terms: BTreeMap<Term, Vec<Row>> = BTreeMap::new();
    for event in events {
        for term in event.terms() {
            let rows = of_terms.entry(term).or_default();
            if !rows.last().is_some_and(|row| row.admits(event.time)) {
                rows.push(Row::default());
            }
            if let Some(row) = rows.last_mut() {
                row.add(event.serial, event.time);
            }
        }
    }
    let rows = of_terms.into_iter().flat_map(|(term, rows)| rows.into_iter().filter_map(move |row| row.into_row(term)));
    rows.collect()
}

/// A part of the index that is not stored yet.
pub struct Batch {
    rows: Vec<IndexRow>,
    until: i64,
}

/// Makes the rows of the next events that have a position; `None` if there are too few for a batch.
pub fn next_batch(connection: &mut AnyConnection) -> Result<Option<Batch>, StoreError> {
    let indexed = indexed(connection)?;
    let until = indexed + BATCH;
    if audit_chain::end(connection)? < until {
        return Ok(None);
    }
    let events: Vec<Indexed> = audit_log::table
        .select(Indexed::as_select())
        .filter(audit_log::serial.gt(audit_chain::serial_at(connection, indexed)?))
        .filter(audit_log::serial.le(audit_chain::serial_at(connection, until)?))
        .order(audit_log::serial.asc())
        .load(connection)?;
    Ok(Some(Batch { rows: rows_of(&events), until }))
}

impl Batch {
    /// Stores some of the rows, and returns whether there are more. With the last ones the cursor moves: a batch of
    /// which only some are stored is made again.
    pub fn store_some(&mut self, connection: &mut AnyConnection) -> Result<bool, StoreError> {
        let rows = self.rows.split_off(self.rows.len().saturating_sub(ROWS_AT_ONCE));
        insert(connection, &rows)?;
        if self.rows.is_empty() {
            audit_chain::set_cursor(connection, CURSOR, self.until)?;
        }
        Ok(!self.rows.is_empty())
    }
}

/// Stores rows that are not stored yet.
fn insert(connection: &mut AnyConnection, rows: &[IndexRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    // One statement for both databases: numbers and spaces need no binding.
    let mut insert = "INSERT INTO audit_index (term, latest, serial, earliest, gaps) VALUES ".to_owned();
    for (place, IndexRow { term, latest, serial, earliest, gaps }) in rows.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        let _infallible = write!(insert, "{comma}({term}, {latest}, {serial}, {earliest}, '{gaps}')");
    }
    insert.push_str(" ON CONFLICT DO NOTHING");
    diesel::sql_query(insert).execute(connection)?;
    Ok(())
}

/// Builds the index anew, in the transaction of the caller.
pub fn rebuild(connection: &mut AnyConnection) -> Result<(), StoreError> {
    diesel::delete(audit_index::table).execute(connection)?;
    audit_chain::set_cursor(connection, CURSOR, 0)?;
    while let Some(mut batch) = next_batch(connection)? {
        while batch.store_some(connection)? {}
    }
    Ok(())
}

/// Returns the serial of the last event that is indexed.
///
/// Call it before the index is searched: an event that is indexed meanwhile is found by either.
pub fn indexed_to(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let indexed = indexed(connection)?;
    audit_chain::serial_at(connection, indexed)
}

/// Returns the position of the last event that is indexed.
pub fn indexed(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    audit_chain::cursor(connection, CURSOR)
}

#[cfg(test)]
mod tests {
    use super::super::audit_terms::tests::event;
    use super::*;

    fn row(term: Term, (earliest, latest): (i64, i64), serial: i64, gaps: &str) -> IndexRow {
        IndexRow { term: term.0, latest, serial, earliest, gaps: gaps.to_owned() }
    }

    #[test]
    fn events_of_a_term_share_rows_within_limits() {
        let events = [event(5, 2_000, "cli_1"), event(6, 1_000, "cli_1"), event(9, SPAN + 1_001, "cli_1")];
        let rows = rows_of(&events);
        assert_eq!(rows.len(), 10, "two rows for each of five terms: the first is too early for the third");
        let own = event(0, 0, "cli_1").terms().next().unwrap();
        let of_own: Vec<&IndexRow> = rows.iter().filter(|row| row.term == own.0).collect();
        let third = row(own, (SPAN + 1_001, SPAN + 1_001), 9, "");
        assert_eq!(of_own, [&row(own, (1_000, 2_000), 5, "1"), &third]);
        assert!(rows.is_sorted_by_key(|row| row.term));

        let many: Vec<Indexed> = (0..300).map(|n| event(n * 2, n, "cli_1")).collect();
        let rows = rows_of(&many);
        let counts: Vec<usize> = rows.iter().filter(|row| row.term == own.0).map(|row| row.serials().count()).collect();
        assert_eq!(counts, [ROW, ROW, 300 - 2 * ROW]);
        let serials: Vec<i64> = rows.iter().filter(|row| row.term == own.0).flat_map(IndexRow::serials).collect();
        assert_eq!(serials, (0..300).map(|n| n * 2).collect::<Vec<_>>());
    }
}
