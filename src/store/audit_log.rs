//! Stores audit events.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use serde::{Deserialize, Serialize};

use super::schema::{audit_beat, audit_log};
use super::{AnyConnection, StoreError};
use crate::domain::audit::{AuditEvent, RecordedEvent};
use crate::domain::environment::Environment;
use crate::domain::time::Timestamp;

/// Rows per statement on PostgreSQL, which accepts at most 65,535 values in one.
const ROWS_PER_STATEMENT: usize = 500;

/// A row to insert. Its members have the names of the columns.
struct NewRow<'e> {
    id: &'e str,
    time: i64,
    actor: &'e str,
    credential: Option<&'e str>,
    customer: Option<&'e str>,
    action: &'e str,
    target: Option<&'e str>,
    environment: Option<&'e str>,
    outcome: &'e str,
    status: i32,
    reason: &'e str,
    method: &'e str,
    path: &'e str,
    address: Option<String>,
    user_agent: &'e str,
    request_id: &'e str,
    gateway_request_id: Option<&'e str>,
    jti: Option<&'e str>,
    duration_micros: i64,
    count: i64,
}

impl<'e> NewRow<'e> {
    fn of(event: &'e AuditEvent) -> Self {
        Self {
            id: event.id.as_str(),
            time: event.time.millis(),
            actor: &event.actor,
            credential: event.credential.as_deref(),
            customer: event.customer.as_deref(),
            action: event.action.as_str(),
            target: event.target.as_deref(),
            environment: event.environment.map(Environment::as_str),
            outcome: event.outcome.as_str(),
            status: i32::from(event.status),
            reason: event.reason.as_str(),
            method: &event.origin.method,
            path: &event.origin.path,
            address: event.origin.address.map(|address| address.to_string()),
            user_agent: &event.origin.user_agent,
            request_id: event.origin.request_id.as_str(),
            gateway_request_id: event.origin.gateway_request_id.as_deref(),
            jti: event.jti.as_deref(),
            duration_micros: event.duration_micros,
            count: event.count,
        }
    }
}

/// An insertion of rows. Diesel's own walks a tree of types three times for each row, which took a sixth of the time of
/// the thread that every request waits for.
struct Insertion<'r>(&'r [NewRow<'r>]);

impl QueryId for Insertion<'_> {
    type QueryId = Insertion<'static>;
}

impl RunQueryDsl<SqliteConnection> for Insertion<'_> {}
impl RunQueryDsl<PgConnection> for Insertion<'_> {}

/// Defines the statement from its columns.
macro_rules! insertion_of {
    ($first:ident: $of_first:ty, $($column:ident: $of:ty,)*) => {
        const INSERT: &str = concat!(
            "INSERT INTO audit_log (", stringify!($first), $(", ", stringify!($column),)* ") VALUES "
        );

        impl<DB: Backend> QueryFragment<DB> for Insertion<'_>
        where
            str: ToSql<Text, DB>,
            String: ToSql<Text, DB>,
            i32: ToSql<Integer, DB>,
            i64: ToSql<BigInt, DB>,
        {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                if self.0.len() > 1 {
                    // There are as many statements as numbers of rows.
                    out.unsafe_to_cache_prepared();
                }
                out.push_sql(INSERT);
                for (place, row) in self.0.iter().enumerate() {
                    out.push_sql(if place == 0 { "(" } else { ", (" });
                    out.push_bind_param::<$of_first, _>(&row.$first)?;
                    $(
                        out.push_sql(", ");
                        out.push_bind_param::<$of, _>(&row.$column)?;
                    )*
                    out.push_sql(")");
                }
                Ok(())
            }
        }
    };
}

insertion_of! {
    id: Text,
    time: BigInt,
    actor: Text,
    credential: Nullable<Text>,
    customer: Nullable<Text>,
    action: Text,
    target: Nullable<Text>,
    environment: Nullable<Text>,
    outcome: Text,
    status: Integer,
    reason: Text,
    method: Text,
    path: Text,
    address: Nullable<Text>,
    user_agent: Text,
    request_id: Text,
    gateway_request_id: Nullable<Text>,
    jti: Nullable<Text>,
    duration_micros: BigInt,
    count: BigInt,
}

/// Stores events. Call it inside a transaction. Positions and the index for lists follow from the rows, by
/// background loops.
///
/// On SQLite one prepared statement per row is cheapest; on PostgreSQL few round trips are.
///
/// # Errors
/// The database fails or refuses.
pub fn insert<'e>(
    connection: &mut AnyConnection,
    events: impl IntoIterator<Item = &'e AuditEvent>,
) -> Result<(), StoreError> {
    let rows: Vec<NewRow<'_>> = events.into_iter().map(NewRow::of).collect();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in rows.chunks(1) {
                Insertion(row).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            for chunk in rows.chunks(ROWS_PER_STATEMENT) {
                Insertion(chunk).execute(connection)?;
            }
        }
    }
    Ok(())
}

/// Takes events back in the transaction that inserted them.
pub(super) fn take_back(connection: &mut AnyConnection, ids: &[&str]) -> Result<(), StoreError> {
    for chunk in ids.chunks(ROWS_PER_STATEMENT) {
        diesel::delete(audit_log::table.filter(audit_log::id.eq_any(chunk))).execute(connection)?;
    }
    Ok(())
}

/// Increments one number. A transaction that does this takes as long as one that stores an event.
///
/// # Errors
/// The database fails or refuses.
pub fn beat(connection: &mut AnyConnection) -> Result<(), StoreError> {
    diesel::update(audit_beat::table).set(audit_beat::beats.eq(audit_beat::beats + 1)).execute(connection)?;
    Ok(())
}

/// A row of the table `audit_log`.
#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
pub struct EventRow {
    pub(super) serial: i64,
    id: String,
    time: i64,
    actor: String,
    credential: Option<String>,
    customer: Option<String>,
    action: String,
    target: Option<String>,
    environment: Option<String>,
    outcome: String,
    status: i32,
    reason: String,
    method: String,
    path: String,
    address: Option<String>,
    user_agent: String,
    request_id: String,
    gateway_request_id: Option<String>,
    jti: Option<String>,
    duration_micros: i64,
    count: i64,
}

impl EventRow {
    pub(super) fn into_event(self) -> RecordedEvent {
        RecordedEvent {
            id: self.id,
            time: Timestamp::from_millis(self.time),
            actor: self.actor,
            credential: self.credential,
            customer: self.customer,
            action: self.action,
            target: self.target,
            environment: self.environment,
            outcome: self.outcome,
            status: self.status,
            reason: self.reason,
            method: self.method,
            path: self.path,
            address: self.address,
            user_agent: self.user_agent,
            request_id: self.request_id,
            gateway_request_id: self.gateway_request_id,
            jti: self.jti,
            duration_micros: self.duration_micros,
            count: self.count,
        }
    }
}
