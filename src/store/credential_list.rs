//! Lists of credentials.
//!
//! One condition is looked up in its index, which returns ids in the order of the list, in steps. The rows with these
//! ids are then compared with all conditions. So no statement reads more than a step, whatever the database's planner
//! believes, and a deadline can end the search between two steps.

use std::collections::HashMap;
use std::time::Instant;

use diesel::dsl::{AsSelect, SqlTypeOf, exists, not};
use diesel::prelude::*;

use super::credential_candidates::{Candidates, IdRange};
use super::credential_rows::{CredentialRow, SecretRow};
use super::schema::{credential_customers as ties, credential_secrets, credentials, customers};
use super::{AnyConnection, StoreError, credential_customers, epoch_rows, epochs};
use crate::domain::credential::{Credential, CredentialFilter, CredentialId, Status};
use crate::domain::epoch::Epoch;
use crate::domain::ids::CustomerId;
use crate::domain::listing::Listing;
use crate::domain::time::Timestamp;

/// Ids that the first step and any step look up at most.
const STEPS: (usize, usize) = (500, 4_000);

type Backend = <AnyConnection as diesel::Connection>::Backend;
/// Credentials with the conditions of a filter.
type Query<'f> = credentials::BoxedQuery<'f, Backend, SqlTypeOf<AsSelect<CredentialRow, Backend>>>;

/// Lists credentials, newest first, at most `limit`, and where the rest begins. At the `deadline` it returns what it
/// has.
pub fn page(
    connection: &mut AnyConnection,
    filter: &CredentialFilter,
    limit: usize,
    deadline: Option<Instant>,
) -> Result<Listing<Credential, CredentialId>, StoreError> {
    let position = |row: &CredentialRow| row.id.parse().ok();
    // Before the rows: an epoch that is expanded in between has changed them.
    let open = epochs::open(connection)?;
    let (rows, rest) = search(connection, filter, (limit + 1, &open), deadline)?;
    let Listing { rows, rest } = Listing::cut(rows, limit, rest, position);
    let mut rows = into_credentials(connection, rows)?;
    for credential in &mut rows {
        credential.apply_epochs(&open);
    }
    Ok(Listing { rows, rest })
}

/// Finds the first rows that pass `filter`, at most `count`, and where the search was cut, if it was.
fn search(
    connection: &mut AnyConnection,
    filter: &CredentialFilter,
    (count, open): (usize, &[Epoch]),
    deadline: Option<Instant>,
) -> Result<(Vec<CredentialRow>, Option<CredentialId>), StoreError> {
    let Some(customer) = named_customer(connection, filter)? else { return Ok((vec![], None)) };
    let mut range = IdRange::of(filter.kind, filter.before.as_ref());
    let mut step = count.clamp(STEPS.0, STEPS.1);
    // Most lists have one condition: then as many ids as are asked for are enough.
    let (mut found, mut part) = (Vec::new(), count);
    let (candidates, mut ids) =
        Candidates::most_selective(connection, &by_rows(filter, open), customer.as_deref(), &range, step)?;
    loop {
        let is_last = ids.len() < step;
        let mut left = ids.as_slice();
        while !left.is_empty() {
            let (these, rest) = left.split_at(part.min(left.len()));
            found.extend(matching(connection, filter, customer.as_deref(), (these, open))?);
            if found.len() >= count {
                found.truncate(count);
                return Ok((found, None));
            }
            left = rest;
            part = (part * 4).min(STEPS.1);
        }
        let Some(last) = ids.last().filter(|_| !is_last) else { return Ok((found, None)) };
        range.end.clone_from(last);
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok((found, last.parse().ok()));
        }
        step = (step * 2).min(STEPS.1);
        ids = candidates.next(connection, &range, step)?;
    }
}

/// Returns the conditions that an index shows. Which rows an epoch has ended, none shows yet.
fn by_rows(filter: &CredentialFilter, open: &[Epoch]) -> CredentialFilter {
    let status = filter.status.filter(|(status, _)| open.is_empty() || *status != Status::Revoked);
    CredentialFilter { status, ..filter.clone() }
}

/// Returns the id of the customer that the filter names by either id, within another option: `None` if there is no such
/// customer.
#[allow(clippy::option_option)]
fn named_customer(
    connection: &mut AnyConnection,
    filter: &CredentialFilter,
) -> Result<Option<Option<String>>, StoreError> {
    let Some(name) = &filter.customer else { return Ok(Some(None)) };
    let named = customers::table
        .filter(customers::id.eq(name).or(customers::external_id.eq(name)))
        .select(customers::id)
        .first(connection)
        .optional()?;
    Ok(named.map(Some))
}

/// Returns the rows among `ids` that pass `filter`, newest first.
fn matching(
    connection: &mut AnyConnection,
    filter: &CredentialFilter,
    customer: Option<&str>,
    (ids, open): (&[String], &[Epoch]),
) -> Result<Vec<CredentialRow>, StoreError> {
    let mut query = credentials::table
        .select(CredentialRow::as_select())
        .filter(credentials::id.eq_any(ids))
        .order(credentials::id.desc())
        .into_boxed();
    if let Some(environment) = filter.environment {
        query = query.filter(credentials::environment.eq(environment.as_str()));
    }
    if let Some(prefix) = &filter.name {
        query = query.filter(credentials::name.ge(prefix)).filter(credentials::name.lt(after_prefix(prefix)));
    }
    if let Some(key_type) = filter.key_type {
        query = query.filter(credentials::key_type.eq(key_type.as_str()));
    }
    let query = filter_by_ownership(filter_by_value(query, filter), filter, customer);
    Ok(filter_by_state(query, filter, open).load(connection)?)
}

/// Returns the end of the names that begin with `prefix`.
pub(super) fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Filters by the characters of a value that are shown: those of one value.
fn filter_by_value<'f>(query: Query<'f>, filter: &'f CredentialFilter) -> Query<'f> {
    let values = credential_secrets::table.filter(credential_secrets::credential.eq(credentials::id));
    match (&filter.prefix, &filter.last_four) {
        (Some(prefix), Some(last_four)) => query.filter(exists(
            values.filter(credential_secrets::prefix.eq(prefix)).filter(credential_secrets::last_four.eq(last_four)),
        )),
        (Some(prefix), None) => query.filter(exists(values.filter(credential_secrets::prefix.eq(prefix)))),
        (None, Some(last_four)) => query.filter(exists(values.filter(credential_secrets::last_four.eq(last_four)))),
        (None, None) => query,
    }
}

/// Filters by owner, by customer, and by the customers that the caller is tied to.
fn filter_by_ownership<'f>(mut query: Query<'f>, filter: &'f CredentialFilter, customer: Option<&'f str>) -> Query<'f> {
    let own = ties::table.filter(ties::credential.eq(credentials::id));
    if let Some(owner) = &filter.owner {
        query = query.filter(credentials::owner.eq(owner.as_str()));
    }
    if let Some(customer) = customer {
        query = query.filter(exists(own.filter(ties::customer.eq(customer))));
    }
    if !filter.within.is_empty() {
        let within: Vec<&str> = filter.within.iter().map(CustomerId::as_str).collect();
        query = query
            .filter(exists(own.filter(ties::customer.eq_any(within.clone()))))
            .filter(not(exists(own.filter(ties::customer.ne_all(within)))));
    }
    query
}

/// Filters by status, and by whether the credential is due for rotation.
fn filter_by_state<'f>(mut query: Query<'f>, filter: &CredentialFilter, open: &'f [Epoch]) -> Query<'f> {
    let has_ended = |now: Timestamp| {
        credentials::expires_at.is_not_null().and(credentials::expires_at.assume_not_null().le(now.millis()))
    };
    // An expression that no index has. Beside some ids SQLite would look the state up in its index, and read millions
    // of rows: it believes that few have the same.
    let state = || credentials::state.concat("");
    if let Some((status, now)) = filter.status {
        query = match status {
            Status::Revoked => match epoch_rows::are_ended(open) {
                Some(are_ended) => query.filter(state().eq("revoked").or(are_ended)),
                None => query.filter(state().eq("revoked")),
            },
            Status::Expired => query.filter(state().ne("revoked")).filter(has_ended(now)),
            Status::Inactive => query.filter(state().eq("disabled")).filter(not(has_ended(now))),
            Status::Active => query.filter(state().eq("enabled")).filter(not(has_ended(now))),
        };
        if let Some(are_ended) = epoch_rows::are_ended(open).filter(|_| status != Status::Revoked) {
            query = query.filter(not(are_ended));
        }
    }
    if let Some(due) = filter.due {
        let is_old = credentials::rotated_at.le(due.rotated_before.millis());
        let is_due = is_old.and(credentials::state.ne("revoked")).and(not(has_ended(due.now)));
        query = match (due.is_due, epoch_rows::are_ended(open)) {
            (true, None) => query.filter(is_due),
            (true, Some(are_ended)) => query.filter(is_due).filter(not(are_ended)),
            (false, None) => query.filter(not(is_due)),
            (false, Some(are_ended)) => query.filter(not(is_due).or(are_ended)),
        };
    }
    query
}

/// Reads the secrets and customers of rows, with one query each.
fn into_credentials(connection: &mut AnyConnection, rows: Vec<CredentialRow>) -> Result<Vec<Credential>, StoreError> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let found: Vec<SecretRow> = credential_secrets::table
        .filter(credential_secrets::credential.eq_any(ids.clone()))
        .order((credential_secrets::created_at.desc(), credential_secrets::id.desc()))
        .select(SecretRow::as_select())
        .load(connection)?;
    let mut customers = credential_customers::of_each(connection, ids)?;
    let mut secrets: HashMap<String, Vec<SecretRow>> = HashMap::new();
    for secret in found {
        secrets.entry(secret.credential.clone()).or_default().push(secret);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let own = secrets.remove(&row.id).unwrap_or_default();
            let customers = customers.remove(&row.id).unwrap_or_default();
            row.into_credential(own, customers).inspect_err(|error| log::error!("{error}")).ok()
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use diesel::connection::InstrumentationEvent;
    use diesel::sql_types::Text;
    use parking_lot::Mutex;

    use super::*;
    use crate::domain::credential::{CredentialKind, Due, KeyType};
    use crate::domain::environment::Environment;
    use crate::store::migrations;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
        let steps = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load::<Step>(connection).unwrap();
        steps.into_iter().map(|step| step.detail).collect()
    }

    /// SQLite has no statistics, and plans the same with ten rows and with ten millions.
    #[test]
    fn rows_are_read_by_their_ids_whatever_the_filter() {
        let all = || CredentialFilter::all(CredentialKind::ApiKey);
        let now = Timestamp::from_millis(1);
        let status = |status| CredentialFilter { status: Some((status, now)), ..all() };
        let due = |is_due| CredentialFilter { due: Some(Due { is_due, rotated_before: now, now }), ..all() };
        let filters = [
            CredentialFilter { environment: Some(Environment::Production), ..all() },
            CredentialFilter { name: Some("a".to_owned()), ..all() },
            CredentialFilter { key_type: Some(KeyType::Internal), ..all() },
            CredentialFilter { owner: "usr_00000000000000000000000000000001".parse().ok(), ..all() },
            status(Status::Active),
            status(Status::Inactive),
            status(Status::Expired),
            status(Status::Revoked),
            due(true),
            due(false),
        ];
        let seen = Arc::new(Mutex::new(String::new()));
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        migrations::apply_to_sqlite(&mut connection).unwrap();
        let noted = Arc::clone(&seen);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                *noted.lock() = query.to_string();
            }
        });
        let mut connection = AnyConnection::Sqlite(connection);
        let ids: Vec<String> = (10..60).map(|n| format!("key_{n}")).collect();
        for filter in filters {
            matching(&mut connection, &filter, None, (&ids, &[])).unwrap();
            let statement = seen.lock().clone();
            let AnyConnection::Sqlite(sqlite) = &mut connection else { unreachable!() };
            let plan = plan(sqlite, &statement);
            assert!(plan.iter().any(|step| step.contains("credentials") && step.contains("id=?")), "{plan:?}");
        }
    }
}
