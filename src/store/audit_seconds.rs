//! An index of the audit log: the seconds in which each credential or target has events.
//!
//! An index with an entry for every event would cost more than the events: under load each commit would change a page
//! for every credential in it. This one has at most one row per credential and second, and a search reads the events of
//! those seconds. It is extended in the background, by position, so that a commit stores events and nothing else; a
//! search reads the events that are not indexed yet directly.

use std::collections::BTreeSet;
use std::ops::Range;

use diesel::prelude::*;

use super::schema::{audit_log, audit_seconds};
use super::{AnyConnection, StoreError, audit_chain};
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

/// The cursor of the events that are indexed.
const CURSOR: &str = "index";
/// Seconds that one query reads.
const STEP: usize = 500;

fn second_of(time: Timestamp) -> i64 {
    time.millis().div_euclid(1000)
}

/// Returns how many events have a position and are not indexed.
pub fn unindexed_count(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let indexed = audit_chain::cursor(connection, CURSOR)?;
    Ok((audit_chain::end(connection)? - indexed).max(0))
}

/// Indexes the next events that have a position, at most `limit`.
pub fn extend(connection: &mut AnyConnection, limit: i64) -> Result<(), StoreError> {
    let indexed = audit_chain::cursor(connection, CURSOR)?;
    let until = audit_chain::end(connection)?.min(indexed + limit);
    if until <= indexed {
        return Ok(());
    }
    let after = audit_chain::serial_at(connection, indexed)?;
    let last = audit_chain::serial_at(connection, until)?;
    // One statement, ordered, so that rows of one page are inserted together.
    let new = format!("serial > {after} AND serial <= {last}");
    diesel::sql_query(format!(
        "INSERT INTO audit_seconds (subject, second) \
         SELECT subject, second FROM ( \
         SELECT credential AS subject, time / 1000 AS second FROM audit_log WHERE {new} AND credential IS NOT NULL \
         UNION SELECT target, time / 1000 FROM audit_log WHERE {new} AND target IS NOT NULL) AS entries \
         WHERE subject IS NOT NULL ORDER BY subject, second ON CONFLICT DO NOTHING"
    ))
    .execute(connection)?;
    audit_chain::set_cursor(connection, CURSOR, until)
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

/// Returns the seconds in which `subject` has events that are not indexed.
///
/// Call it before [`latest`]: an event that is indexed meanwhile is found by either.
pub fn unindexed(connection: &mut AnyConnection, subject: &str) -> Result<BTreeSet<i64>, StoreError> {
    let indexed = audit_chain::cursor(connection, CURSOR)?;
    let last = audit_chain::serial_at(connection, indexed)?;
    let seconds: Vec<i64> = audit_log::table
        .filter(audit_log::serial.gt(last))
        .filter(audit_log::credential.eq(subject).or(audit_log::target.eq(subject)))
        .select(audit_log::time / 1000)
        .distinct()
        .load(connection)?;
    Ok(seconds.into_iter().collect())
}

/// The latest seconds in which a credential or target has events.
#[derive(Debug, PartialEq, Eq)]
pub struct Latest {
    /// The seconds, latest first.
    pub seconds: Vec<i64>,
    /// The end of the seconds that may have more events; `None` if there are none.
    pub rest: Option<i64>,
}

/// Returns the latest seconds within `among` in which `subject` has events; `unindexed` are those that the index may
/// lack.
pub fn latest(
    connection: &mut AnyConnection,
    subject: &str,
    among: &Range<i64>,
    unindexed: &BTreeSet<i64>,
) -> Result<Latest, StoreError> {
    let indexed: Vec<i64> = audit_seconds::table
        .select(audit_seconds::second)
        .filter(audit_seconds::subject.eq(subject))
        .filter(audit_seconds::second.ge(among.start))
        .filter(audit_seconds::second.lt(among.end))
        .order(audit_seconds::second.desc())
        .limit(i64::try_from(STEP).unwrap_or(i64::MAX))
        .load(connection)?;
    Ok(merged(&indexed, STEP, among, unindexed))
}

/// Merges the latest seconds of the index, at most `step`, with those that it may lack.
fn merged(indexed: &[i64], step: usize, among: &Range<i64>, unindexed: &BTreeSet<i64>) -> Latest {
    let rest = indexed.last().copied().filter(|_| indexed.len() >= step);
    let start = rest.unwrap_or(among.start);
    let tail = unindexed.iter().copied().filter(|second| (start..among.end).contains(second));
    let seconds: BTreeSet<i64> = indexed.iter().copied().chain(tail).collect();
    Latest { seconds: seconds.into_iter().rev().collect(), rest }
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

    #[test]
    fn seconds_that_are_not_indexed_yet_are_among_the_latest() {
        let unindexed = BTreeSet::from([3, 6, 12, 20]);
        let among = 4..15;
        let whole = Latest { seconds: vec![12, 9, 6, 5], rest: None };
        assert_eq!(merged(&[9, 5], 3, &among, &unindexed), whole);
        let first = Latest { seconds: vec![12, 9, 7], rest: Some(7) };
        assert_eq!(merged(&[9, 7], 2, &among, &unindexed), first, "what is earlier comes with the next step");
        assert_eq!(merged(&[5], 2, &(4..7), &unindexed), Latest { seconds: vec![6, 5], rest: None });
        assert_eq!(merged(&[], 2, &among, &BTreeSet::new()), Latest { seconds: vec![], rest: None });
    }
}
