//! The change log: what other processes must drop from their caches. Sequence numbers come from one row inside the
//! transaction of the change, so that they become visible in order and a follower never misses one.

use diesel::prelude::*;

use super::schema::{change_log, installation};
use super::{AnyConnection, StoreError};
use crate::domain::change::{Basis, ChangeKind, Head, Position};
use crate::domain::time::Timestamp;

/// Entries that are compared with decisions that lag behind; those that lag further are stale.
const COMPARED: i64 = 2_000;

/// One change that other processes must apply.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its sequence number.
    pub sequence: i64,
    /// `None` where a newer release wrote a kind that this one does not know: drop everything that is cached.
    pub kind: Option<ChangeKind>,
    /// The object that changed, as its kind names it.
    pub subject: String,
}

/// Returns the end of the log.
pub fn head(connection: &mut AnyConnection) -> Result<Head, StoreError> {
    let columns = (installation::incarnation, installation::change_sequence, installation::pruned_to);
    // Not `first`: SQLite would prepare the statement again each time, because it plans by the number after LIMIT.
    let (incarnation, sequence, pruned_to) = installation::table.find(1).select(columns).get_result(connection)?;
    Ok(Head { position: Position { incarnation, sequence }, pruned_to })
}

/// Returns which of the decisions are stale: one is if, since the state that it is based on, something has changed that
/// it is based on, or if what has changed cannot be told any more.
pub(super) fn stale<'b>(
    connection: &mut AnyConnection,
    bases: impl Iterator<Item = &'b Basis> + Clone,
) -> Result<Vec<bool>, StoreError> {
    let head = head(connection)?;
    let mut late = bases.clone().filter(|basis| !basis.is_empty() && basis.position() != head.position).peekable();
    if late.peek().is_none() {
        return Ok(bases.map(|_| false).collect());
    }
    let comparable = late.map(Basis::position).filter(|position| head.continues(*position));
    let changes = match comparable.map(|position| position.sequence).min() {
        Some(oldest) => newest_after(connection, oldest, COMPARED)?,
        None => vec![],
    };
    // Again after the entries: what was not pruned now was among them.
    let head = self::head(connection)?;
    let compared_from = if changes.len() < usize::try_from(COMPARED).unwrap_or(usize::MAX) {
        i64::MIN
    } else {
        changes.last().map_or(i64::MIN, |oldest| oldest.sequence)
    };
    let after = |from: i64| changes.iter().filter(move |change| change.sequence > from);
    let overtakes = |basis: &Basis| {
        let from = basis.position().sequence;
        let is_cut = from < compared_from && basis.position() != head.position && !basis.is_empty();
        is_cut || head.overtakes(basis, after(from).map(|change| (change.kind, change.subject.as_str())))
    };
    Ok(bases.map(overtakes).collect())
}

/// Takes the next sequence number. Other changes wait until the transaction ends.
pub(super) fn next_sequence(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    diesel::update(installation::table.find(1))
        .set(installation::change_sequence.eq(installation::change_sequence + 1))
        .execute(connection)?;
    Ok(installation::table.find(1).select(installation::change_sequence).get_result(connection)?)
}

/// Gives a sequence number back that nothing was announced under, in the transaction that took it.
pub(super) fn give_back(connection: &mut AnyConnection, sequence: i64) -> Result<(), StoreError> {
    diesel::update(installation::table.find(1))
        .set(installation::change_sequence.eq(sequence - 1))
        .execute(connection)?;
    Ok(())
}

pub(super) fn append(
    connection: &mut AnyConnection,
    sequence: i64,
    now: Timestamp,
    kind: ChangeKind,
    subject: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(change_log::table)
        .values((
            change_log::sequence.eq(sequence),
            change_log::changed_at.eq(now.millis()),
            change_log::kind.eq(<&str>::from(kind)),
            change_log::subject.eq(subject),
        ))
        .execute(connection)?;
    Ok(())
}

type Row = (i64, String, String);

fn entry((sequence, kind, subject): Row) -> Entry {
    Entry { sequence, kind: kind.parse().ok(), subject }
}

/// Lists entries after `sequence`, oldest first, at most `limit`.
pub fn after(connection: &mut AnyConnection, sequence: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<Row> = change_log::table
        .filter(change_log::sequence.gt(sequence))
        .order(change_log::sequence.asc())
        .limit(limit)
        .select((change_log::sequence, change_log::kind, change_log::subject))
        .load(connection)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Lists entries after `sequence`, newest first, at most `limit`.
fn newest_after(connection: &mut AnyConnection, sequence: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<Row> = change_log::table
        .filter(change_log::sequence.gt(sequence))
        .order(change_log::sequence.desc())
        .limit(limit)
        .select((change_log::sequence, change_log::kind, change_log::subject))
        .load(connection)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Removes at most `limit` entries that are older than `before`, in the transaction of its caller, and stores up to
/// where the log is pruned.
pub fn remove_before(connection: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<i64> = change_log::table
        .filter(change_log::changed_at.lt(before.millis()))
        .order(change_log::sequence.asc())
        .limit(limit)
        .select(change_log::sequence)
        .load(connection)?;
    let Some(last) = old.last().copied() else { return Ok(0) };
    // By number, not by time: after a step back of the clock, the older of two entries may have the later time.
    let removed = diesel::delete(change_log::table.filter(change_log::sequence.le(last))).execute(connection)?;
    diesel::update(installation::table.find(1)).set(installation::pruned_to.eq(last)).execute(connection)?;
    Ok(removed)
}
