//! Lists audit events.
//!
//! The log has no index beside its primary key, whose order is that of time, and the seconds of each credential. Other
//! conditions are found by reading the log backwards, a window after the other; a deadline ends the search between two
//! windows.

use std::ops::Range;
use std::time::Instant;

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::prelude::*;

use super::audit_log::EventRow;
use super::audit_seconds::Latest;
use super::schema::audit_log;
use super::{AnyConnection, StoreError, audit_chain, audit_seconds};
use crate::domain::audit::{EventFilter, RecordedEvent};
use crate::domain::ids::{EventId, RequestId};
use crate::domain::listing::Listing;
use crate::domain::time::Duration;

/// The longest time between the arrival of a request and its decision.
const LONGEST_REQUEST: Duration = Duration::seconds(3600);
/// Events that the first statement and any statement reads at most.
const WINDOWS: (i64, i64) = (1_000, 10_000);

type Ids = Range<Option<EventId>>;
type Backend = <AnyConnection as diesel::Connection>::Backend;
/// Events with the conditions of a filter.
type Query<'f> = audit_log::BoxedQuery<'f, Backend, SqlTypeOf<AsSelect<EventRow, Backend>>>;

/// Returns the range of ids of events that can pass `filter`. Ids of events and requests start with their time, so the
/// primary key finds a period or a request.
fn ids_of(filter: &EventFilter) -> Ids {
    let request_time = filter.request_id.as_ref().map(RequestId::time);
    let since = filter.since.max(request_time);
    let until = [filter.until, request_time.map(|time| time.plus(LONGEST_REQUEST))].into_iter().flatten().min();
    let end = [until.map(EventId::floor), filter.before.clone()].into_iter().flatten().min();
    since.map(EventId::floor)..end
}

/// Lists events, newest first, at most `limit`, and where the rest begins. At the `deadline` it returns what it has.
pub fn page(
    connection: &mut AnyConnection,
    filter: &EventFilter,
    limit: usize,
    deadline: Instant,
) -> Result<Listing<RecordedEvent, EventId>, StoreError> {
    let ids = ids_of(filter);
    let mut search = Search { filter, found: vec![], count: limit + 1, window: WINDOWS.0, deadline };
    let rest = match &filter.credential {
        None => search.read(connection, &ids)?,
        Some(subject) => search.read_of(connection, subject, &ids)?,
    };
    let position = |event: &RecordedEvent| event.id.parse().ok();
    Ok(Listing::cut(search.found, limit, rest, position))
}

/// A search in the log, from the newest event to the oldest.
struct Search<'f> {
    filter: &'f EventFilter,
    found: Vec<RecordedEvent>,
    count: usize,
    window: i64,
    deadline: Instant,
}

impl Search<'_> {
    fn is_complete(&self) -> bool {
        self.found.len() >= self.count
    }

    /// Reads events within `ids`, and returns where the deadline ended that.
    fn read(&mut self, connection: &mut AnyConnection, ids: &Ids) -> Result<Option<EventId>, StoreError> {
        let mut end = ids.end.clone();
        loop {
            let floor = before(connection, &(ids.start.clone()..end.clone()), self.window)?;
            let start = floor.clone().or(ids.start.clone());
            let missing = i64::try_from(self.count - self.found.len()).unwrap_or(i64::MAX);
            self.found.append(&mut list_among(connection, self.filter, &(start..end), missing)?);
            let Some(floor) = floor.filter(|_| !self.is_complete()) else { return Ok(None) };
            if self.deadline <= Instant::now() {
                return Ok(Some(floor));
            }
            self.window = (self.window * 2).min(WINDOWS.1);
            end = Some(floor);
        }
    }

    /// Reads events of a credential or target within `ids`, and returns where the deadline ended that.
    fn read_of(
        &mut self,
        connection: &mut AnyConnection,
        subject: &str,
        ids: &Ids,
    ) -> Result<Option<EventId>, StoreError> {
        let mut seconds = audit_seconds::seconds_of(ids);
        let unindexed = audit_seconds::unindexed(connection, subject)?;
        loop {
            let Latest { seconds: latest, rest } = audit_seconds::latest(connection, subject, &seconds, &unindexed)?;
            for run in audit_seconds::runs(&latest) {
                let start = ids.start.clone().max(Some(EventId::floor(run.start)));
                let end = [Some(EventId::floor(run.end)), ids.end.clone()].into_iter().flatten().min();
                // The second in which the page before ended.
                if start >= end {
                    continue;
                }
                let cut = self.read(connection, &(start.clone()..end))?;
                if cut.is_some() || self.is_complete() {
                    return Ok(cut);
                }
                if self.deadline <= Instant::now() {
                    return Ok(start);
                }
            }
            match rest {
                Some(end) => seconds.end = end,
                None => return Ok(None),
            }
        }
    }
}

/// Returns the id of the event that is `count` events before the end of `ids`; `None` if there are fewer.
fn before(connection: &mut AnyConnection, ids: &Ids, count: i64) -> Result<Option<EventId>, StoreError> {
    let mut query =
        audit_log::table.select(audit_log::id).order(audit_log::id.desc()).offset(count).limit(1).into_boxed();
    if let Some(first) = &ids.start {
        query = query.filter(audit_log::id.ge(first.to_string()));
    }
    if let Some(end) = &ids.end {
        query = query.filter(audit_log::id.lt(end.to_string()));
    }
    let found: Option<String> = query.first(connection).optional()?;
    Ok(found.and_then(|id| id.parse().ok()))
}

/// Lists events whose ids are within `ids`, newest first, at most `limit`.
fn list_among(
    connection: &mut AnyConnection,
    filter: &EventFilter,
    ids: &Ids,
    limit: i64,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut query = matching(filter).order(audit_log::id.desc()).limit(limit);
    if let Some(first) = &ids.start {
        query = query.filter(audit_log::id.ge(first.to_string()));
    }
    if let Some(end) = &ids.end {
        query = query.filter(audit_log::id.lt(end.to_string()));
    }
    let rows: Vec<EventRow> = query.load(connection)?;
    Ok(rows.into_iter().map(EventRow::into_event).collect())
}

/// Lists in the order of their positions the events after `position` that pass `filter`, and up to which position they
/// are all of them. Time and id of the filter are not considered.
pub fn after(
    connection: &mut AnyConnection,
    filter: &EventFilter,
    position: i64,
) -> Result<(Vec<RecordedEvent>, i64), StoreError> {
    let until = audit_chain::end(connection)?.min(position.saturating_add(WINDOWS.0));
    if until <= position {
        return Ok((vec![], until));
    }
    let (first, last) = (audit_chain::serial_at(connection, position)?, audit_chain::serial_at(connection, until)?);
    let query = matching(filter).filter(audit_log::serial.gt(first)).filter(audit_log::serial.le(last));
    let rows: Vec<EventRow> = query.order(audit_log::serial.asc()).load(connection)?;
    Ok((rows.into_iter().map(EventRow::into_event).collect(), until))
}

/// Returns the events that pass `filter`, but for its times and ids.
fn matching(filter: &EventFilter) -> Query<'_> {
    let mut query = audit_log::table.select(EventRow::as_select()).into_boxed();
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
    if let Some(customer) = &filter.customer {
        query = query.filter(audit_log::customer.eq(customer));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_log::actor.eq(actor));
    }
    if let Some(target) = &filter.target {
        query = query.filter(audit_log::target.eq(target));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_log::action.eq(action.as_str()));
    }
    matching_request(query, filter)
}

/// Filters by how the request ended, and by what identifies it.
fn matching_request<'f>(mut query: Query<'f>, filter: &'f EventFilter) -> Query<'f> {
    if let Some(outcome) = filter.outcome {
        query = query.filter(audit_log::outcome.eq(outcome.as_str()));
    }
    if let Some(reason) = filter.reason {
        query = query.filter(audit_log::reason.eq(reason.as_str()));
    }
    if let Some(address) = filter.address {
        query = query.filter(audit_log::address.eq(address.to_string()));
    }
    if let Some(request_id) = &filter.request_id {
        query = query.filter(audit_log::request_id.eq(request_id.to_string()));
    }
    if let Some(id) = &filter.gateway_request_id {
        query = query.filter(audit_log::gateway_request_id.eq(id));
    }
    query
}
