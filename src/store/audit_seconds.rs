//! Which seconds of the audit log speak of which credential or target: an index of one entry for a thousand events.
//!
//! An index with an entry for every event would cost more than the events: under load each commit would change a page for
//! every credential in it. Here a credential has at most one row for each second in which something happened with it, and
//! a search reads the events of those seconds. Where very many credentials are used in one second, even that is a row for every
//! event, each in another page: then a credential gets one row for the minute.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

use diesel::prelude::*;

use super::schema::audit_seconds;
use super::{AnyConnection, StoreError};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

/// Marks of seconds, and of minutes, that a process remembers.
const REMEMBERED: (usize, usize) = (20_000, 262_144);
/// With so many marks in one second, what follows in it is marked by the minute.
const CROWD: usize = 2_000;
/// Seconds, or minutes, read at once.
pub const STEP: usize = 500;

/// Something happened with this credential or target in a second (since the epoch), or, where that is negative, in the minute
/// of which it is the negative number.
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

    fn of_minute(&self) -> Self {
        Self { subject: Arc::clone(&self.subject), second: -minute_of(self.second) }
    }
}

fn second_of(time: Timestamp) -> i64 {
    time.millis().div_euclid(1000)
}

fn minute_of(second: i64) -> i64 {
    second.div_euclid(60)
}

/// Marks that are known to be in the database, so that they need not be stored again.
#[derive(Debug, Default)]
pub struct Marked {
    seconds: HashSet<Mark>,
    minutes: HashSet<Mark>,
    /// The latest second that was marked, and how often.
    latest: (i64, usize),
}

impl Marked {
    /// The marks of `events` that are not known to be there; in order, so that nodes which store the same ones at once wait
    /// for each other and not in a circle.
    pub fn missing<'e>(&self, events: impl IntoIterator<Item = &'e AuditEvent>) -> BTreeSet<Mark> {
        events.into_iter().flat_map(Mark::of).filter_map(|mark| self.missing_mark(mark)).collect()
    }

    fn missing_mark(&self, mark: Mark) -> Option<Mark> {
        let of_minute = mark.of_minute();
        if self.seconds.contains(&mark) || self.minutes.contains(&of_minute) {
            return None;
        }
        let (second, count) = self.latest;
        Some(if mark.second == second && count >= CROWD { of_minute } else { mark })
    }

    /// Remembers marks whose transaction is committed.
    pub fn remember(&mut self, marks: BTreeSet<Mark>) {
        for mark in marks {
            if mark.second > self.latest.0 {
                if minute_of(mark.second) > minute_of(self.latest.0) {
                    self.minutes.clear();
                }
                self.latest = (mark.second, 0);
            }
            self.latest.1 += usize::from(mark.second == self.latest.0);
            let (known, most) =
                if mark.second < 0 { (&mut self.minutes, REMEMBERED.1) } else { (&mut self.seconds, REMEMBERED.0) };
            if known.len() >= most {
                known.clear();
            }
            known.insert(mark);
        }
    }
}

/// Stores marks; those that are there already stay.
///
/// # Errors
/// The database fails.
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
///
/// # Errors
/// The database fails.
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

/// The latest seconds of a credential or target that have events.
#[derive(Debug)]
pub struct Latest {
    /// The seconds, the latest first.
    pub seconds: Vec<i64>,
    /// There may be more before this one.
    pub before: Option<i64>,
}

/// The latest seconds of `subject` within `among` that have events, or may have: of a minute that is marked as a whole, each.
///
/// # Errors
/// The database fails.
pub fn latest(connection: &mut AnyConnection, subject: &str, among: &Range<i64>) -> Result<Latest, StoreError> {
    let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
    let marks =
        || audit_seconds::table.select(audit_seconds::second).filter(audit_seconds::subject.eq(subject)).limit(limit);
    let seconds: Vec<i64> = marks()
        .filter(audit_seconds::second.ge(among.start.max(0)))
        .filter(audit_seconds::second.lt(among.end))
        .order(audit_seconds::second.desc())
        .load(connection)?;
    // The negative numbers of minutes: the least is the latest.
    let minutes: Vec<i64> = marks()
        .filter(audit_seconds::second.ge(-minute_of(among.end.saturating_sub(1))))
        .filter(audit_seconds::second.le((-minute_of(among.start.max(0))).min(-1)))
        .order(audit_seconds::second.asc())
        .load(connection)?;
    Ok(merged(&seconds, &minutes, among))
}

/// Both kinds of marks as seconds. Where there were more of a kind than were read, only what is not before the last of them is
/// complete.
fn merged(seconds: &[i64], minutes: &[i64], among: &Range<i64>) -> Latest {
    let cut = |marks: &[i64]| marks.last().copied().filter(|_| marks.len() == STEP);
    let before = [cut(seconds), cut(minutes).map(|minute| -minute * 60)].into_iter().flatten().max();
    let of_minutes = minutes.iter().flat_map(|minute| (-minute * 60)..(-minute * 60 + 60));
    let all: BTreeSet<i64> = seconds
        .iter()
        .copied()
        .chain(of_minutes)
        .filter(|second| among.contains(second) && before.is_none_or(|before| *second >= before))
        .collect();
    Latest { seconds: all.into_iter().rev().collect(), before: before.filter(|before| *before > among.start) }
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

    fn mark(subject: usize, second: i64) -> Mark {
        Mark { subject: subject.to_string().into(), second }
    }

    #[test]
    fn a_crowd_is_marked_by_the_minute_and_each_of_it_once() {
        let mut marked = Marked::default();
        let second = 60 * 1_000;
        for subject in 0..CROWD {
            let missing = marked.missing_mark(mark(subject, second));
            assert_eq!(missing, Some(mark(subject, second)));
            marked.remember(missing.into_iter().collect());
        }
        assert_eq!(marked.missing_mark(mark(0, second)), None);
        let missing = marked.missing_mark(mark(CROWD, second));
        assert_eq!(missing, Some(mark(CROWD, -1_000)));
        marked.remember(missing.into_iter().collect());
        for later in [second, second + 1, second + 59] {
            assert_eq!(marked.missing_mark(mark(CROWD, later)), None, "{later}");
        }
        assert_eq!(marked.missing_mark(mark(0, second + 1)), Some(mark(0, second + 1)));
        assert_eq!(marked.missing_mark(mark(CROWD, second + 60)), Some(mark(CROWD, second + 60)));
    }

    #[test]
    fn seconds_and_minutes_are_merged_and_nothing_between_is_left_out() {
        let latest = merged(&[130, 61, 7], &[-1], &(0..1_000));
        assert_eq!((latest.seconds.len(), latest.seconds[0], latest.before), (62, 130, None));
        assert_eq!(latest.seconds[1..61], (60..120).rev().collect::<Vec<_>>());
        let full: Vec<i64> = (1_000..).take(STEP).collect::<Vec<_>>().into_iter().rev().collect();
        let latest = merged(&full, &[-20, -1], &(0..9_000));
        assert_eq!((latest.before, latest.seconds.last()), (Some(1_000), Some(&1_000)));
        assert!(latest.seconds.contains(&1_259) && latest.seconds.contains(&1_200));
        let within = merged(&[], &[-1], &(70..80));
        assert_eq!(within.seconds, (70..80).rev().collect::<Vec<_>>());
    }

    #[test]
    fn seconds_that_follow_one_another_are_read_together() {
        let runs: Vec<(i64, i64)> =
            runs(&[9, 8, 7, 5, 3, 2]).map(|run| (run.start.millis() / 1000, run.end.millis() / 1000)).collect();
        assert_eq!(runs, [(7, 10), (5, 6), (2, 4)]);
    }
}
