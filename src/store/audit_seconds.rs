//! Which seconds of the audit log speak of which credential or target: an index of one entry for a thousand events.
//!
//! An index with an entry for every event would cost more than the events: under load each commit would change a page
//! for every credential in it. Here a credential has at most one row for each second in which something happened with
//! it, and a search reads the events of those seconds.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

use diesel::prelude::*;

use super::schema::audit_seconds;
use super::{AnyConnection, StoreError};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

/// Marks that a process remembers.
const REMEMBERED: usize = 20_000;
/// Seconds read at once.
pub const STEP: usize = 500;

/// Something happened in this second (since the epoch) with this credential or target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    subject: Arc<str>,
    second: i64,
}

impl Mark {
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

/// Marks that are known to be in the database, so that they need not be stored again.
#[derive(Debug, Default)]
pub struct Marked(HashSet<Mark>);

impl Marked {
    /// The marks of `events` that are not known to be there; in order, so that nodes which store the same ones at once
    /// wait for each other and not in a circle.
    pub fn missing<'e>(&self, events: impl IntoIterator<Item = &'e AuditEvent>) -> BTreeSet<Mark> {
        events.into_iter().flat_map(Mark::of).filter(|mark| !self.0.contains(mark)).collect()
    }

    /// Remembers marks whose transaction is committed.
    pub fn remember(&mut self, marks: BTreeSet<Mark>) {
        if self.0.len() + marks.len() > REMEMBERED {
            self.0.clear();
        }
        self.0.extend(marks.into_iter().take(REMEMBERED));
    }
}

/// Stores marks; those that are there already stay.
pub fn insert(connection: &mut AnyConnection, marks: &BTreeSet<Mark>) -> Result<(), StoreError> {
    for mark in marks {
        let row = (audit_seconds::subject.eq(&*mark.subject), audit_seconds::second.eq(mark.second));
        let insert = diesel::insert_into(audit_seconds::table).values(row).on_conflict_do_nothing();
        match connection {
            AnyConnection::Sqlite(connection) => insert.execute(connection)?,
            AnyConnection::Postgres(connection) => insert.execute(connection)?,
        };
    }
    Ok(())
}

/// Makes the marks of all events that are stored.
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

/// The last [`STEP`] seconds of `subject` within `among` that have events.
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

/// The seconds that events with ids in `ids` were made in.
pub fn seconds_of(ids: &Range<Option<EventId>>) -> Range<i64> {
    let start = ids.start.as_ref().map_or(0, |id| second_of(id.time()));
    let end = ids.end.as_ref().map_or(i64::MAX, |id| second_of(id.time()) + 1);
    start..end
}

/// Seconds that follow one another, joined; `seconds` begin with the latest.
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
