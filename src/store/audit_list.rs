//! Lists audit events.
//!
//! The first window of events is read by their ids, whose order is that of time: what is frequent is found there. What
//! is rarer is looked up in the index, by the condition that selects the fewest events, and the events behind the index
//! are read. What no index knows is found by reading on, a window after the other. A deadline ends each search between
//! two steps.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Instant;

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::prelude::*;

use super::audit_log::EventRow;
use super::audit_terms::{self, Term};
use super::audit_walk::{Found, Walk};
use super::schema::audit_log;
use super::{AnyConnection, StoreError, audit_chain, audit_index};
use crate::domain::audit::{EventFilter, RecordedEvent};
use crate::domain::ids::{EventId, RequestId};
use crate::domain::listing::Listing;
use crate::domain::time::{Duration, Timestamp};

/// The longest time between the arrival of a request and its decision.
const LONGEST_REQUEST: Duration = Duration::seconds(3600);
/// Events that the first statement and any statement reads at most.
const WINDOWS: (i64, i64) = (1_000, 10_000);
/// Events that the first and any step through the index looks up.
const STEPS: (usize, usize) = (256, 4_000);
/// Events behind the index that are read at once. If there are more, the log is read in windows.
const BEHIND: i64 = 30_000;
/// Values of one condition that are looked up.
const TERMS: usize = 64;

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
    let mut search = Search { filter, found: vec![], count: limit + 1, window: WINDOWS.0, deadline };
    let rest = search.find(connection, ids_of(filter))?;
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
    fn missing(&self) -> usize {
        self.count.saturating_sub(self.found.len())
    }

    fn is_over(&self) -> bool {
        self.deadline <= Instant::now()
    }

    /// Finds events within `ids`, and returns where the deadline ended that.
    fn find(&mut self, connection: &mut AnyConnection, mut ids: Ids) -> Result<Option<EventId>, StoreError> {
        let mut conditions = audit_terms::conditions(self.filter);
        conditions.retain(|terms| terms.len() <= TERMS);
        if !conditions.is_empty() {
            let Some(floor) = self.read_window(connection, &ids)? else { return Ok(None) };
            ids.end = Some(floor);
            let indexed_to = audit_index::indexed_to(connection)?;
            if last_serial(connection)? - indexed_to <= BEHIND {
                return self.look_up(connection, &ids, &conditions, indexed_to);
            }
        }
        while let Some(floor) = self.read_window(connection, &ids)? {
            if self.is_over() {
                return Ok(Some(floor));
            }
            ids.end = Some(floor);
        }
        Ok(None)
    }

    /// Reads the latest events within `ids`, and returns the id before which the search continues, if it does.
    fn read_window(&mut self, connection: &mut AnyConnection, ids: &Ids) -> Result<Option<EventId>, StoreError> {
        let floor = before(connection, ids, self.window)?;
        let start = floor.clone().or(ids.start.clone());
        let missing = i64::try_from(self.missing()).unwrap_or(i64::MAX);
        self.found.append(&mut list_among(connection, self.filter, &(start..ids.end.clone()), missing)?);
        self.window = (self.window * 2).min(WINDOWS.1);
        Ok(floor.filter(|_| self.missing() > 0))
    }

    /// Looks events within `ids` up in the index, and returns where the deadline ended that.
    fn look_up(
        &mut self,
        connection: &mut AnyConnection,
        ids: &Ids,
        conditions: &[Vec<Term>],
        indexed_to: i64,
    ) -> Result<Option<EventId>, StoreError> {
        let is_within = |event: &RecordedEvent| {
            let (id, start, end) = (event.id.as_str(), ids.start.as_ref(), ids.end.as_ref());
            start.is_none_or(|start| start.as_str() <= id) && end.is_none_or(|end| id < end.as_str())
        };
        let behind = matching(self.filter).filter(audit_log::serial.gt(indexed_to));
        let mut events = load(connection, behind)?;
        let mut found = BTreeMap::new();
        let mut step = STEPS.0;
        let Some((mut walk, mut next)) = most_selective(connection, conditions, &times_of(ids))? else {
            return Ok(None);
        };
        let rest = loop {
            events.append(&mut among(connection, self.filter, &next)?);
            let new = events.drain(..).filter(is_within);
            found.extend(new.map(|event| (Reverse(event.id.clone()), event)));
            // Nothing that is still to be found comes before this id in the list.
            let Some(bound) = next.bound.map(|time| EventId::floor(Timestamp::from_millis(time + 1))) else {
                break None;
            };
            let bound = ids.end.clone().map_or(bound.clone(), |end| end.min(bound));
            let certain = found.range(..=Reverse(bound.to_string())).count();
            if certain >= self.missing() {
                break None;
            }
            if self.is_over() {
                found.retain(|_, event| event.id.as_str() >= bound.as_str());
                break Some(bound);
            }
            step = (step * 2).min(STEPS.1);
            next = walk.step(connection, step)?;
        };
        self.found.extend(found.into_values().take(self.missing()));
        Ok(rest)
    }
}

/// Returns the times that events with these ids can have.
fn times_of(ids: &Ids) -> RangeInclusive<i64> {
    let start = ids.start.as_ref().map_or(0, |id| id.time().millis());
    start..=ids.end.as_ref().map_or(i64::MAX, |id| id.time().millis())
}

/// Begins a walk for each condition, and returns the one whose first events reach furthest back, with these events.
fn most_selective(
    connection: &mut AnyConnection,
    conditions: &[Vec<Term>],
    times: &RangeInclusive<i64>,
) -> Result<Option<(Walk, Found)>, StoreError> {
    let mut best: Option<(Walk, Found)> = None;
    for terms in conditions {
        let mut walk = Walk::new(terms, times.clone());
        let found = walk.step(connection, STEPS.0)?;
        if best.as_ref().is_none_or(|(_, best)| found.bound < best.bound) {
            best = Some((walk, found));
        }
    }
    Ok(best)
}

/// Returns the serial of the last event; 0 if there is none.
fn last_serial(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let last =
        audit_log::table.select(audit_log::serial).order(audit_log::serial.desc()).first(connection).optional()?;
    Ok(last.unwrap_or(0))
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
    load(connection, query)
}

/// Reads those of some events that pass the filter.
fn among(connection: &mut AnyConnection, filter: &EventFilter, of: &Found) -> Result<Vec<RecordedEvent>, StoreError> {
    load(connection, matching(filter).filter(audit_log::serial.eq_any(of.serials.iter().copied().collect::<Vec<_>>())))
}

fn load(connection: &mut AnyConnection, query: Query<'_>) -> Result<Vec<RecordedEvent>, StoreError> {
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
    Ok((load(connection, query.order(audit_log::serial.asc()))?, until))
}

/// Selects the events that pass the filter, whatever their times and ids.
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
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_log::actor.eq(actor));
    }
    if let Some(target) = &filter.target {
        query = query.filter(audit_log::target.eq(target));
    }
    if let Some(customer) = &filter.customer {
        query = query.filter(audit_log::customer.eq(customer));
    }
    if !filter.customers.is_empty() {
        query = query.filter(audit_log::customer.eq_any(filter.customers.clone()));
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
