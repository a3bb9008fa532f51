//! What queries for clients and for API keys have in common.

use diesel::prelude::*;

use super::schema::{api_keys, clients};
use super::{AnyConnection, StoreError, api_keys as keys, clients as oauth_clients, split};
use crate::domain::api_key::LastUse;
use crate::domain::credential::Status;
use crate::domain::environment::Environment;
use crate::domain::ids::{CustomerId, UserId};
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;

/// Which credentials to list.
#[derive(Clone, Debug, Default)]
pub struct CredentialFilter {
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// With exactly this name.
    pub name: Option<String>,
    /// Of this type (keys only).
    pub kind: Option<&'static str>,
    /// Of this owner.
    pub owner: Option<UserId>,
    /// Tied to this customer, by either id.
    pub customer: Option<String>,
    /// Tied to some of these customers and to no other; any, if empty.
    pub within: Vec<CustomerId>,
    /// With this status at this time.
    pub status: Option<(Status, Timestamp)>,
    /// Due to be rotated, or not.
    pub due: Option<Due>,
    /// Made before the credential with this id.
    pub before: Option<String>,
}

/// Whether credentials are due to be rotated at a time: they have not ended, and their newest secret or string was made before
/// another time.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Those that are, or those that are not.
    pub is_due: bool,
    /// When the newest secret or string of one that is due was made at the latest.
    pub rotated_before: Timestamp,
    /// The time at which this is asked.
    pub now: Timestamp,
}

/// A boxed query for `$table` with what `$filter` asks for.
macro_rules! filtered {
    ($query:expr, $table:ident, $filter:expr) => {{
        use crate::domain::credential::Status;
        use $crate::store::schema::{credential_customers as ties, customers};
        let (mut query, filter): (_, &CredentialFilter) = ($query, $filter);
        let texts = |customers: &[crate::domain::ids::CustomerId]| {
            customers.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        if let Some(environment) = filter.environment {
            query = query.filter($table::environment.eq(environment.as_str()));
        }
        if let Some(name) = &filter.name {
            query = query.filter($table::name.eq(name.clone()));
        }
        if let Some(owner) = &filter.owner {
            query = query.filter($table::owner.eq(owner.to_string()));
        }
        if let Some(customer) = &filter.customer {
            let named = customers::id.eq(customer.clone()).or(customers::external_id.eq(customer.clone()));
            let named = customers::table.filter(named).select(customers::id);
            let tied = ties::table.filter(ties::customer.eq_any(named)).select(ties::credential);
            query = query.filter($table::id.eq_any(tied));
        }
        if !filter.within.is_empty() {
            let tied = ties::table.filter(ties::customer.eq_any(texts(&filter.within))).select(ties::credential);
            let others = ties::table.filter(ties::customer.ne_all(texts(&filter.within))).select(ties::credential);
            query = query.filter($table::id.eq_any(tied)).filter($table::id.ne_all(others));
        }
        if let Some((status, now)) = filter.status {
            let has_ended = $table::expires_at.is_not_null().and($table::expires_at.assume_not_null().le(now.millis()));
            query = match status {
                Status::Revoked => query.filter($table::state.eq("revoked")),
                Status::Expired => query.filter($table::state.ne("revoked")).filter(has_ended),
                Status::Inactive => query.filter($table::state.eq("disabled")).filter(diesel::dsl::not(has_ended)),
                Status::Active => query.filter($table::state.eq("enabled")).filter(diesel::dsl::not(has_ended)),
            };
        }
        if let Some(due) = filter.due {
            let is_old = $table::rotated_at.le(due.rotated_before.millis());
            let ends = $table::expires_at.is_not_null();
            let has_ended = ends.and($table::expires_at.assume_not_null().le(due.now.millis()));
            let is_due = is_old.and($table::state.ne("revoked")).and(diesel::dsl::not(has_ended));
            query = if due.is_due { query.filter(is_due) } else { query.filter(diesel::dsl::not(is_due)) };
        }
        if let Some(before) = &filter.before {
            query = query.filter($table::id.lt(before.clone()));
        }
        query
    }};
}
pub(super) use filtered;

/// Reads a column of scopes.
pub(super) fn scopes_of(text: &str) -> Result<Scopes, &'static str> {
    split(text).map(str::parse).collect::<Result<Vec<_>, _>>().and_then(Scopes::new)
}

/// Reads a limit's column.
pub(super) fn limit_of(value: Option<i64>) -> Result<Option<u32>, std::num::TryFromIntError> {
    value.map(u32::try_from).transpose()
}

/// What was used: a client's secret, or a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Used {
    /// The secret with this id.
    Secret(std::sync::Arc<str>),
    /// The key with this id.
    Key(std::sync::Arc<str>),
}

pub(super) fn note_uses(connection: &mut AnyConnection, used: &[(Used, LastUse)]) -> Result<(), StoreError> {
    for (what, last) in used {
        match what {
            Used::Secret(id) => oauth_clients::note_use(connection, id, last)?,
            Used::Key(id) => keys::note_use(connection, id, last)?,
        }
    }
    Ok(())
}

/// Finds at most `limit` credentials that are due to be rotated and whose event has not been told, and notes that it is: the
/// newest secret or string was made before `rotated_before`. Their ids with their environments.
///
/// # Errors
/// The database fails.
pub fn note_due(
    connection: &mut AnyConnection,
    rotated_before: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    macro_rules! due {
        ($table:ident) => {{
            let due: Vec<(String, String)> = $table::table
                .filter($table::due_noted_at.is_null())
                .filter($table::rotated_at.le(rotated_before.millis()))
                .filter($table::state.ne("revoked"))
                .filter($table::expires_at.is_null().or($table::expires_at.gt(now.millis())))
                .select(($table::id, $table::environment))
                .limit(limit)
                .load(connection)?;
            let ids: Vec<&str> = due.iter().map(|(id, _)| id.as_str()).collect();
            diesel::update($table::table.filter($table::id.eq_any(ids)))
                .set($table::due_noted_at.eq(now.millis()))
                .execute(connection)?;
            due
        }};
    }
    let mut all = due!(clients);
    all.extend(due!(api_keys));
    Ok(all)
}

/// How many credentials belong to `owner`.
///
/// # Errors
/// The database fails.
pub fn count_of_owner(connection: &mut AnyConnection, owner: &UserId) -> Result<i64, StoreError> {
    let clients: i64 = clients::table.filter(clients::owner.eq(owner.as_str())).count().get_result(connection)?;
    let keys: i64 = api_keys::table.filter(api_keys::owner.eq(owner.as_str())).count().get_result(connection)?;
    Ok(clients + keys)
}
