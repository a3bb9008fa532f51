//! Stores and lists audit events.

use std::ops::Range;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::audit_seconds::Latest;
use super::schema::{audit_beat, audit_log};
use super::{AnyConnection, StoreError, audit_seconds};
use crate::domain::audit::{AuditEvent, EventFilter, RecordedEvent};
use crate::domain::environment::Environment;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::{Duration, Timestamp};

/// Rows per statement on PostgreSQL, which accepts at most 65,535 values in one.
const ROWS_PER_STATEMENT: usize = 500;

/// The longest time between the arrival of a request and its decision.
const LONGEST_REQUEST: Duration = Duration::seconds(3600);

#[derive(Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
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

/// Stores events. Call it inside a transaction. Positions and the index by credential follow from the rows, by
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
    let rows = events.into_iter().map(NewRow::of);
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(audit_log::table).values(row).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            let rows: Vec<NewRow<'_>> = rows.collect();
            for chunk in rows.chunks(ROWS_PER_STATEMENT) {
                diesel::insert_into(audit_log::table).values(chunk).execute(connection)?;
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

/// Returns the range of ids of events that can pass `filter`. Ids of events and requests start with their time, so the
/// primary key finds a period or a request.
fn ids_of(filter: &EventFilter) -> Range<Option<EventId>> {
    let request_time = filter.request_id.as_ref().map(RequestId::time);
    let since = filter.since.max(request_time);
    let until = [filter.until, request_time.map(|time| time.plus(LONGEST_REQUEST))].into_iter().flatten().min();
    let end = [until.map(EventId::floor), filter.before.clone()].into_iter().flatten().min();
    since.map(EventId::floor)..end
}

/// Lists events, newest first, at most `limit`.
pub fn list(
    connection: &mut AnyConnection,
    filter: &EventFilter,
    limit: i64,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let ids = ids_of(filter);
    let Some(subject) = &filter.credential else { return list_among(connection, filter, &ids, limit) };
    let mut found = Vec::new();
    let mut seconds = audit_seconds::seconds_of(&ids);
    let unindexed = audit_seconds::unindexed(connection, subject)?;
    loop {
        let Latest { seconds: latest, rest } = audit_seconds::latest(connection, subject, &seconds, &unindexed)?;
        for run in audit_seconds::runs(&latest) {
            let start = ids.start.clone().max(Some(EventId::floor(run.start)));
            let end = [Some(EventId::floor(run.end)), ids.end.clone()].into_iter().flatten().min();
            let missing = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(i64::MAX));
            if missing == 0 {
                return Ok(found);
            }
            found.append(&mut list_among(connection, filter, &(start..end), missing)?);
        }
        match rest {
            Some(end) => seconds.end = end,
            None => return Ok(found),
        }
    }
}

/// Lists events whose ids are within `ids`, newest first, at most `limit`.
fn list_among(
    connection: &mut AnyConnection,
    filter: &EventFilter,
    ids: &Range<Option<EventId>>,
    limit: i64,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut query =
        audit_log::table.select(EventRow::as_select()).order(audit_log::id.desc()).limit(limit).into_boxed();
    if let Some(first) = &ids.start {
        query = query.filter(audit_log::id.ge(first.to_string()));
    }
    if let Some(end) = &ids.end {
        query = query.filter(audit_log::id.lt(end.to_string()));
    }
    if let Some(environment) = &filter.environment {
        let own = audit_log::environment.eq(environment);
        query =
            if filter.with_shared { query.filter(own.or(audit_log::environment.is_null())) } else { query.filter(own) };
    }
    if let Some(credential) = &filter.credential {
        query = query.filter(audit_log::credential.eq(credential).or(audit_log::target.eq(credential)));
    }
    if !filter.customers.is_empty() {
        query = query.filter(audit_log::customer.eq_any(filter.customers.clone()));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_log::action.eq(action.as_str()));
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(audit_log::outcome.eq(outcome.as_str()));
    }
    if let Some(request_id) = &filter.request_id {
        query = query.filter(audit_log::request_id.eq(request_id.to_string()));
    }
    let rows: Vec<EventRow> = query.load(connection)?;
    Ok(rows.into_iter().map(EventRow::into_event).collect())
}
