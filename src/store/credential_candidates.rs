//! Where a list looks for its credentials: the index of one of its conditions.

use std::cmp::Reverse;

use diesel::prelude::*;

use super::credential_list::after_prefix;
use super::schema::{credential_customers as ties, credential_secrets, credentials};
use super::{AnyConnection, StoreError};
use crate::domain::credential::{CredentialFilter, CredentialId, CredentialKind, Due, Status};
use crate::domain::ids::CustomerId;
use crate::domain::time::Timestamp;

/// Names with one prefix that are sorted by id in memory. If there are more, they are found among the others.
const NAMED: usize = 20_000;
/// Credentials that are looked at first, and how many of them have such a name where it is found among the others.
const SAMPLE: (usize, usize) = (500, 50);
/// Credentials that have just expired or become due, and that no background job has flagged yet.
const UNFLAGGED: i64 = 2_000;

/// A range of ids, of which the list returns the highest first.
#[derive(Clone, Debug)]
pub struct IdRange {
    start: &'static str,
    /// The end, which is not in the range.
    pub end: String,
}

impl IdRange {
    /// Returns the ids of a kind, before one if there is one. The digits after the prefix are below `g`.
    pub fn of(kind: CredentialKind, before: Option<&CredentialId>) -> Self {
        let (start, end) = match kind {
            CredentialKind::Client => ("cli_", "cli_g"),
            CredentialKind::ApiKey => ("key_", "key_g"),
        };
        Self { start, end: before.map_or_else(|| end.to_owned(), ToString::to_string) }
    }

    fn contains(&self, id: &str) -> bool {
        self.start <= id && id < self.end.as_str()
    }
}

/// What can be looked up in an index.
#[derive(Debug)]
pub enum Candidates {
    /// All of a kind.
    All,
    /// Those of an environment.
    Environment(&'static str),
    /// Those of an owner.
    Owner(String),
    /// Keys of a type.
    KeyType(&'static str),
    /// Those in one of these states, with whether they are flagged as expired.
    States(Vec<(&'static str, i32)>),
    /// Those that are flagged as due for rotation.
    Due,
    /// Those of customers.
    Customers(Vec<String>),
    /// Ids that are known already.
    Known(Vec<String>),
    /// Those of an index, and some that are known already.
    Both(Box<Self>, Vec<String>),
}

impl Candidates {
    /// Returns the candidates of the condition that selects the fewest, and the first `count` of them: the one whose
    /// first ids reach furthest back.
    pub fn most_selective(
        connection: &mut AnyConnection,
        filter: &CredentialFilter,
        customer: Option<&str>,
        range: &IdRange,
        count: usize,
    ) -> Result<(Self, Vec<String>), StoreError> {
        let mut all = Self::of_conditions(connection, filter, customer, range)?;
        if all.is_empty() {
            all.push(Self::All);
        }
        let mut best: Option<(Option<String>, Self, Vec<String>)> = None;
        for candidates in all {
            let ids = candidates.next(connection, range, count)?;
            let last = (ids.len() >= count).then(|| ids.last().cloned()).flatten();
            if best.as_ref().is_none_or(|(best, ..)| last < *best) {
                best = Some((last, candidates, ids));
            }
        }
        let (_, candidates, ids) = best.unwrap_or((None, Self::Known(vec![]), vec![]));
        Ok((candidates, ids))
    }

    fn of_conditions(
        connection: &mut AnyConnection,
        filter: &CredentialFilter,
        customer: Option<&str>,
        range: &IdRange,
    ) -> Result<Vec<Self>, StoreError> {
        let mut all = Vec::new();
        all.extend(customer.map(|customer| Self::Customers(vec![customer.to_owned()])));
        if !filter.within.is_empty() {
            all.push(Self::Customers(filter.within.iter().map(CustomerId::to_string).collect()));
        }
        if filter.prefix.is_some() || filter.last_four.is_some() {
            all.extend(shown(connection, filter, range)?.map(Self::Known));
        }
        if let Some(prefix) = &filter.name {
            all.extend(named(connection, prefix, range)?.map(Self::Known));
        }
        all.extend(filter.owner.as_ref().map(|owner| Self::Owner(owner.to_string())));
        if let Some(due) = filter.due.filter(|due| due.is_due) {
            all.push(Self::Both(Box::new(Self::Due), unflagged_due(connection, due, range)?));
        }
        all.extend(filter.key_type.map(|key_type| Self::KeyType(key_type.as_str())));
        match filter.status {
            Some((Status::Revoked, _)) => all.push(Self::States(vec![("revoked", 0), ("revoked", 1)])),
            Some((Status::Inactive, _)) => all.push(Self::States(vec![("disabled", 0)])),
            Some((Status::Active, _)) => all.push(Self::States(vec![("enabled", 0)])),
            Some((Status::Expired, now)) => {
                let flagged = Self::States(vec![("enabled", 1), ("disabled", 1)]);
                all.push(Self::Both(Box::new(flagged), unflagged_expired(connection, now, range)?));
            }
            None => {}
        }
        all.extend(filter.environment.map(|environment| Self::Environment(environment.as_str())));
        Ok(all)
    }

    /// Returns the highest ids within `range`, at most `count`, highest first.
    pub fn next(
        &self,
        connection: &mut AnyConnection,
        range: &IdRange,
        count: usize,
    ) -> Result<Vec<String>, StoreError> {
        let known = |ids: &[String]| ids.iter().filter(|id| range.contains(id)).cloned().collect::<Vec<_>>();
        let mut found = match self {
            Self::Known(ids) => known(ids),
            Self::Both(indexed, ids) => [indexed.next(connection, range, count)?, known(ids)].concat(),
            Self::Customers(customers) => {
                let each = customers.iter().map(|customer| of_customer(connection, customer, range, count));
                each.collect::<Result<Vec<_>, _>>()?.concat()
            }
            Self::States(states) => {
                let each = states.iter().map(|state| of_credentials(connection, self, Some(*state), range, count));
                each.collect::<Result<Vec<_>, _>>()?.concat()
            }
            _ => of_credentials(connection, self, None, range, count)?,
        };
        found.sort_unstable_by_key(|id| Reverse(id.clone()));
        found.dedup();
        found.truncate(count);
        Ok(found)
    }
}

/// Looks ids up in an index of the table `credentials`.
fn of_credentials(
    connection: &mut AnyConnection,
    candidates: &Candidates,
    state: Option<(&str, i32)>,
    range: &IdRange,
    count: usize,
) -> Result<Vec<String>, StoreError> {
    let mut query = credentials::table
        .select(credentials::id)
        .filter(credentials::id.ge(range.start))
        .filter(credentials::id.lt(&range.end))
        .order(credentials::id.desc())
        .limit(limit(count))
        .into_boxed();
    if let Some((state, is_flagged)) = state {
        query = query.filter(credentials::state.eq(state)).filter(credentials::expiry_flagged.eq(is_flagged));
    }
    query = match candidates {
        Candidates::Environment(environment) => query.filter(credentials::environment.eq(*environment)),
        Candidates::Owner(owner) => query.filter(credentials::owner.eq(owner)),
        Candidates::KeyType(key_type) => query.filter(credentials::key_type.eq(*key_type)),
        Candidates::Due => query.filter(credentials::due_flagged_at.is_not_null()),
        _ => query,
    };
    Ok(query.load(connection)?)
}

fn of_customer(
    connection: &mut AnyConnection,
    customer: &str,
    range: &IdRange,
    count: usize,
) -> Result<Vec<String>, StoreError> {
    Ok(ties::table
        .select(ties::credential)
        .filter(ties::customer.eq(customer))
        .filter(ties::credential.ge(range.start))
        .filter(ties::credential.lt(&range.end))
        .order(ties::credential.desc())
        .limit(limit(count))
        .load(connection)?)
}

/// Returns the ids within `range` of the credentials whose names begin with `prefix`; `None` if there are too many.
fn named(connection: &mut AnyConnection, prefix: &str, range: &IdRange) -> Result<Option<Vec<String>>, StoreError> {
    let sample: Vec<String> = credentials::table
        .select(credentials::name)
        .filter(credentials::id.ge(range.start))
        .filter(credentials::id.lt(&range.end))
        .order(credentials::id.desc())
        .limit(limit(SAMPLE.0))
        .load(connection)?;
    if sample.iter().filter(|name| name.starts_with(prefix)).count() >= SAMPLE.1 {
        return Ok(None);
    }
    let named: Vec<String> = credentials::table
        .select(credentials::id)
        .filter(credentials::name.ge(prefix))
        .filter(credentials::name.lt(after_prefix(prefix)))
        .limit(limit(NAMED + 1))
        .load(connection)?;
    Ok((named.len() <= NAMED).then(|| named.into_iter().filter(|id| range.contains(id)).collect()))
}

/// Returns the ids within `range` of the API keys that have a value of which the filter's characters are shown; `None`
/// if there are too many.
fn shown(
    connection: &mut AnyConnection,
    filter: &CredentialFilter,
    range: &IdRange,
) -> Result<Option<Vec<String>>, StoreError> {
    let mut query = credential_secrets::table
        .select(credential_secrets::credential)
        .filter(credential_secrets::digest.is_not_null())
        .limit(limit(NAMED + 1))
        .into_boxed();
    if let Some(prefix) = &filter.prefix {
        query = query.filter(credential_secrets::prefix.eq(prefix));
    }
    if let Some(last_four) = &filter.last_four {
        query = query.filter(credential_secrets::last_four.eq(last_four));
    }
    let shown: Vec<String> = query.load(connection)?;
    Ok((shown.len() <= NAMED).then(|| shown.into_iter().filter(|id| range.contains(id)).collect()))
}

/// Returns credentials within `range` that have expired and are not flagged yet.
fn unflagged_expired(
    connection: &mut AnyConnection,
    now: Timestamp,
    range: &IdRange,
) -> Result<Vec<String>, StoreError> {
    let ids = expired(connection, now, UNFLAGGED)?;
    Ok(ids.into_iter().filter(|id| range.contains(id)).collect())
}

/// Returns at most `limit` credentials that have expired, and that are neither flagged as such nor revoked.
pub fn expired(connection: &mut AnyConnection, now: Timestamp, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(credentials::table
        .select(credentials::id)
        // Literals, as in the index.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("expiry_flagged = 0 AND state <> 'revoked'"))
        .filter(credentials::expires_at.is_not_null())
        .filter(credentials::expires_at.le(now.millis()))
        // Without an order PostgreSQL may read the table, past all that is flagged, as long as it believes few are.
        .order(credentials::expires_at.asc())
        .limit(limit)
        .load(connection)?)
}

/// Returns credentials within `range` that are due for rotation and are not flagged yet.
fn unflagged_due(connection: &mut AnyConnection, due: Due, range: &IdRange) -> Result<Vec<String>, StoreError> {
    let ids = due_rotations(connection, due.rotated_before, due.now, UNFLAGGED)?;
    Ok(ids.into_iter().filter(|id| range.contains(id)).collect())
}

/// Returns at most `limit` credentials that are due for rotation, because their newest secret was created before
/// `rotated_before`, and that are not flagged as such.
pub fn due_rotations(
    connection: &mut AnyConnection,
    rotated_before: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    Ok(credentials::table
        .select(credentials::id)
        // Literals, as in the index.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("expiry_flagged = 0 AND state <> 'revoked'"))
        .filter(credentials::due_flagged_at.is_null())
        .filter(credentials::rotated_at.le(rotated_before.millis()))
        .filter(credentials::expires_at.is_null().or(credentials::expires_at.gt(now.millis())))
        .order(credentials::rotated_at.asc())
        .limit(limit)
        .load(connection)?)
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
