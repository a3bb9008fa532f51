//! An index of the audit log: the seconds in which each credential or target has events.
//!
//! An index with an entry for every event would cost more than the events: under load each commit would change a page
//! for every credential in it. This one has at most one row per credential and second, and a search reads the events of
//! those seconds.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

use diesel::prelude::*;

use super::schema::audit_seconds;
use super::{AnyConnection, StoreError};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

/// Entries that a process keeps in memory.
const REMEMBERED: usize = 20_000;
/// Seconds that one query reads.
pub const STEP: usize = 500;

/// A second since the epoch in which a credential or target has events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexEntry {
    subject: Arc<str>,
    second: i64,
}

impl IndexEntry {
    fn of(event: &AuditEvent) -> impl Iterator<Item = Self> {
        let second = second_of(event.time);
        [&event.credential, &event.target]
            .into_iter()
            .flatten()
            .map(move |subject| Self { subject: Arc::clone(subject), second })
    }
}

fn second_of(time: Timestamp) -> i64 {
    time.millis().div_euclid(1000)
}

/// Entries that are known to be in the database and need not be stored again.
#[derive(Debug, Default)]
pub struct KnownEntries(HashSet<IndexEntry>);

impl KnownEntries {
    /// Returns the entries of `events` that are not known to be stored. They are ordered, so that nodes which store the
    /// same entries at once do not deadlock.
    pub fn missing<'e>(&self, events: impl IntoIterator<Item = &'e AuditEvent>) -> BTreeSet<IndexEntry> {
        events.into_iter().flat_map(IndexEntry::of).filter(|entry| !self.0.contains(entry)).collect()
    }

    /// Adds entries whose transaction is committed.
    pub fn remember(&mut self, entries: BTreeSet<IndexEntry>) {
        if self.0.len() + entries.len() > REMEMBERED {
            self.0.clear();
        }
        self.0.extend(entries.into_iter().take(REMEMBERED));
    }
}

/// Stores entries that are not there already.
pub fn insert(connection: &mut AnyConnection, entries: &BTreeSet<IndexEntry>) -> Result<(), StoreError> {
    for entry in entries {
        let row = (audit_seconds::subject.eq(&*entry.subject), audit_seconds::second.eq(entry.second));
        let insert = diesel::insert_into(audit_seconds::table).values(row).on_conflict_do_nothing();
        match connection {
            AnyConnection::Sqlite(connection) => insert.execute(connection)?,
            AnyConnection::Postgres(connection) => insert.execute(connection)?,
        };
    }
    Ok(())
}

/// Rebuilds the index from all stored events.
pub fn rebuild(connection: &mut AnyConnection) -> Result<(), StoreError> {
    diesel::delete(audit_seconds::table).execute(connection)?;
    diesel::sql_query(
        "INSERT INTO audit_seconds (subject, second) \
         SELECT credential, time / 1000 FROM audit_log WHERE credential IS NOT NULL \
         UNION SELECT target, time / 1000 FROM audit_log WHERE target IS NOT NULL",
    )
    .execute(connection)?;
    Ok(())
}

/// Returns the last [`STEP`] seconds within `among` in which `subject` has events, latest first.
pub fn latest(connection: &mut AnyConnection, subject: &str, among: &Range<i64>) -> Result<Vec<i64>, StoreError> {
    Ok(audit_seconds::table
        .select(audit_seconds::second)
        .filter(audit_seconds::subject.eq(subject))
        .filter(audit_seconds::second.ge(among.start))
        .filter(audit_seconds::second.lt(among.end))
        .order(audit_seconds::second.desc())
        .limit(i64::try_from(STEP).unwrap_or(i64::MAX))
        .load(connection)?)
}

/// Returns the seconds in which events with ids in `ids` were created.
pub fn seconds_of(ids: &Range<Option<EventId>>) -> Range<i64> {
    let start = ids.start.as_ref().map_or(0, |id| second_of(id.time()));
    let end = ids.end.as_ref().map_or(i64::MAX, |id| second_of(id.time()) + 1);
    start..end
}

/// Joins consecutive seconds into periods; `seconds` begin with the latest.
pub fn runs(seconds: &[i64]) -> impl Iterator<Item = Range<Timestamp>> {
    let start_of = |second: i64| Timestamp::from_millis(second.saturating_mul(1000));
    seconds.chunk_by(|later, earlier| later - 1 == *earlier).filter_map(move |run| {
        let (last, first) = (run.first()?, run.last()?);
        Some(start_of(*first)..start_of(last + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_that_follow_one_another_are_read_together() {
        let runs: Vec<(i64, i64)> =
            runs(&[9, 8, 7, 5, 3, 2]).map(|run| (run.start.millis() / 1000, run.end.millis() / 1000)).collect();
        assert_eq!(runs, [(7, 10), (5, 6), (2, 4)]);
    }
}
