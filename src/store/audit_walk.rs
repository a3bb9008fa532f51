//! Walks through the index of the audit log, from the latest events to the earliest.

use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;

use diesel::prelude::*;

use super::audit_index::{IndexRow, SPAN};
use super::audit_terms::Term;
use super::schema::audit_index;
use super::{AnyConnection, StoreError};

/// Rows that the first statement and any statement reads at most.
const STEPS: (i64, i64) = (4, 64);

/// The rows of one term that are still to come.
struct Rows {
    term: Term,
    ready: VecDeque<IndexRow>,
    /// Time and serial of the last row that was read.
    last: Option<(i64, i64)>,
    step: i64,
    is_over: bool,
}

impl Rows {
    fn new(term: Term) -> Self {
        Self { term, ready: VecDeque::new(), last: None, step: STEPS.0, is_over: false }
    }

    /// Returns when the latest event of the next row happened.
    fn next(&mut self, connection: &mut AnyConnection, times: &RangeInclusive<i64>) -> Result<Option<i64>, StoreError> {
        if self.ready.is_empty() && !self.is_over {
            self.read(connection, times)?;
        }
        Ok(self.ready.front().map(|row| row.latest))
    }

    fn read(&mut self, connection: &mut AnyConnection, times: &RangeInclusive<i64>) -> Result<(), StoreError> {
        let mut query = audit_index::table
            .select(IndexRow::as_select())
            .filter(audit_index::term.eq(self.term.0))
            .filter(audit_index::latest.ge(times.start()))
            .filter(audit_index::latest.le(times.end().saturating_add(SPAN)))
            .filter(audit_index::earliest.le(times.end()))
            .order((audit_index::latest.desc(), audit_index::serial.desc()))
            .limit(self.step)
            .into_boxed();
        if let Some((latest, serial)) = self.last {
            query = query
                .filter(audit_index::latest.le(latest))
                .filter(audit_index::latest.lt(latest).or(audit_index::serial.lt(serial)));
        }
        let rows: Vec<IndexRow> = query.load(connection)?;
        self.is_over = i64::try_from(rows.len()).is_ok_and(|read| read < self.step);
        self.last = rows.last().map(|row| (row.latest, row.serial)).or(self.last);
        self.step = (self.step * 2).min(STEPS.1);
        self.ready.extend(rows);
        Ok(())
    }
}

/// What a walk has found in one step.
pub struct Found {
    /// The serials of events with one of the terms.
    pub serials: BTreeSet<i64>,
    /// No other event that the walk has not found is later; `None` if there is none.
    pub bound: Option<i64>,
}

/// A walk through the events that have one of some terms.
pub struct Walk {
    rows: Vec<Rows>,
    times: RangeInclusive<i64>,
}

impl Walk {
    /// Begins with the latest events within `times`.
    pub fn new(terms: &[Term], times: RangeInclusive<i64>) -> Self {
        Self { rows: terms.iter().copied().map(Rows::new).collect(), times }
    }

    /// Finds the next events, `count` or somewhat more, if there are as many.
    pub fn step(&mut self, connection: &mut AnyConnection, count: usize) -> Result<Found, StoreError> {
        let mut serials = BTreeSet::new();
        loop {
            let mut latest: Option<(i64, usize)> = None;
            for (place, rows) in self.rows.iter_mut().enumerate() {
                latest = latest.max(rows.next(connection, &self.times)?.map(|time| (time, place)));
            }
            let Some((bound, place)) = latest else { return Ok(Found { serials, bound: None }) };
            if serials.len() >= count {
                return Ok(Found { serials, bound: Some(bound) });
            }
            if let Some(row) = self.rows[place].ready.pop_front() {
                serials.extend(row.serials());
            }
        }
    }
}
