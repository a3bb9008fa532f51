//! The change log: what other processes must drop from their caches. Sequence numbers come from one row inside the
//! transaction of the change, so that they become visible in order and a follower never misses one.

use diesel::prelude::*;

use super::schema::{change_log, installation};
use super::{AnyConnection, StoreError};
use crate::domain::time::Timestamp;

/// The kind of object that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// A client, an API key, or a secret of one; the subject is the credential's id.
    Credential,
    /// A customer; the subject is its id.
    Customer,
    /// A user; the subject is its id.
    User,
    /// A role; the subject is its name.
    Role,
    /// Signing keys; the subject is the environment.
    SigningKeys,
    /// The master keys that values are sealed under.
    MasterKeys,
    /// A scope was registered or removed; the subject is its name.
    Scope,
    /// A token was revoked; the subject is its `jti`.
    Token,
}

/// One change that other processes must apply.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its sequence number.
    pub sequence: i64,
    /// `None` where a newer release wrote a kind that this one does not know: drop everything that is cached.
    pub kind: Option<Kind>,
    /// The object that changed, as its kind names it.
    pub subject: String,
}

/// Takes the next sequence number. Other changes wait until the transaction ends.
pub(super) fn next_sequence(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    diesel::update(installation::table.find(1))
        .set(installation::change_sequence.eq(installation::change_sequence + 1))
        .execute(connection)?;
    Ok(installation::table.find(1).select(installation::change_sequence).first(connection)?)
}

pub(super) fn append(
    connection: &mut AnyConnection,
    sequence: i64,
    now: Timestamp,
    kind: Kind,
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

/// Returns the sequence number of the last change.
pub fn latest(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    Ok(installation::table.find(1).select(installation::change_sequence).first(connection)?)
}

/// Lists entries after `sequence`, oldest first, at most `limit`.
pub fn after(connection: &mut AnyConnection, sequence: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(i64, String, String)> = change_log::table
        .filter(change_log::sequence.gt(sequence))
        .order(change_log::sequence.asc())
        .limit(limit)
        .select((change_log::sequence, change_log::kind, change_log::subject))
        .load(connection)?;
    Ok(rows.into_iter().map(|(sequence, kind, subject)| Entry { sequence, kind: kind.parse().ok(), subject }).collect())
}

/// Removes at most `limit` entries that are older than `before`.
pub fn remove_before(connection: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<i64> = change_log::table
        .filter(change_log::changed_at.lt(before.millis()))
        .order(change_log::sequence.asc())
        .limit(limit)
        .select(change_log::sequence)
        .load(connection)?;
    Ok(diesel::delete(change_log::table.filter(change_log::sequence.eq_any(old))).execute(connection)?)
}
