//! Leases: a background loop that must run once holds a row, so that exactly one of several processes runs it.
//!
//! The holder increases a counter. Others judge it by their own monotonic clocks: a counter that does not change for
//! [`EXPIRY`] has no living holder. Clocks of different machines are never compared. A holder that was stopped, and
//! does not know that another took over, is refused by the fence: each of its writes checks it in its transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use parking_lot::Mutex;

use super::schema::leases;
use super::{AnyConnection, Store, StoreError, blocking};
use crate::domain::lease::Lease;

/// A holder whose counter has not changed for this long, by the clock of who looks, has lost its lease.
const EXPIRY: Duration = Duration::from_secs(5);
/// The holder of a lease that was returned.
const NOBODY: &str = "";

#[derive(Queryable, Selectable)]
#[diesel(table_name = leases)]
struct Row {
    name: String,
    holder: String,
    heartbeat: i64,
    fence: i64,
}

/// What this process knows about one lease.
#[derive(Debug, Default)]
struct Known {
    /// The fence, if this process holds the lease.
    held: Option<i64>,
    /// Fence and counter of another holder, and when they were first seen.
    other: Option<(i64, i64, Instant)>,
}

impl Known {
    /// Notes another holder's row, and returns whether that holder is gone.
    fn is_abandoned(&mut self, row: &Row, now: Instant) -> bool {
        if row.holder == NOBODY {
            return true;
        }
        match self.other {
            Some((fence, heartbeat, since)) if (fence, heartbeat) == (row.fence, row.heartbeat) => {
                now.saturating_duration_since(since) >= EXPIRY
            }
            _ => {
                self.other = Some((row.fence, row.heartbeat, now));
                false
            }
        }
    }
}

/// The leases of one process: those that it wants, and those that it holds.
#[derive(Debug)]
pub struct Leases {
    store: Store,
    /// A name that no other process has, and this one only until it ends.
    holder: String,
    wanted: Mutex<BTreeMap<Arc<str>, Known>>,
    /// Locked while the rows are looked at; `true` once the leases are returned.
    is_closed: Mutex<bool>,
}

impl Leases {
    /// Creates the leases of a process. It holds none before [`Leases::keep`].
    pub fn new(store: Store, holder: String) -> Self {
        Self { store, holder, wanted: Mutex::default(), is_closed: Mutex::default() }
    }

    /// Wants a lease: [`Leases::keep`] takes it as soon as no other process holds it.
    pub fn want(&self, name: &str) {
        self.wanted.lock().entry(name.into()).or_default();
    }

    /// Returns a lease if this process held it when it last looked.
    pub fn held(&self, name: &str) -> Option<Lease> {
        let wanted = self.wanted.lock();
        let (name, known) = wanted.get_key_value(name)?;
        known.held.map(|fence| Lease { name: Arc::clone(name), fence })
    }

    /// Shows other processes that this one lives, and takes the wanted leases that nobody holds. Call it every second.
    ///
    /// # Errors
    /// The database cannot be reached. What was held may be held by another process then; the fence tells.
    pub async fn keep(self: &Arc<Self>, now: Instant) -> Result<(), StoreError> {
        let leases = Arc::clone(self);
        blocking(move || leases.keep_blocking(now)).await
    }

    /// Returns all leases, and takes none again. A process that ends does this, so that others need not wait.
    ///
    /// # Errors
    /// The database cannot be reached. The leases expire then.
    pub async fn release(self: &Arc<Self>) -> Result<(), StoreError> {
        let leases = Arc::clone(self);
        blocking(move || leases.release_blocking()).await
    }

    fn keep_blocking(&self, now: Instant) -> Result<(), StoreError> {
        let is_closed = self.is_closed.lock();
        if *is_closed {
            return Ok(());
        }
        let connection = &mut *self.store.connection()?;
        if self.wanted.lock().values().any(|known| known.held.is_some()) {
            self.store.transaction_on(connection, |connection| {
                let own = leases::table.filter(leases::holder.eq(&self.holder));
                diesel::update(own).set(leases::heartbeat.eq(leases::heartbeat + 1)).execute(connection)?;
                Ok::<_, StoreError>(())
            })?;
        }
        let rows: Vec<Row> = leases::table.select(Row::as_select()).load(connection)?;
        let names: Vec<Arc<str>> = self.wanted.lock().keys().cloned().collect();
        for name in names {
            let fence = match rows.iter().find(|row| *row.name == *name) {
                None => self.create(connection, &name)?,
                Some(row) if row.holder == self.holder => Some(row.fence),
                Some(row) => {
                    let is_abandoned =
                        self.wanted.lock().get_mut(&name).is_some_and(|known| known.is_abandoned(row, now));
                    if is_abandoned { self.take(connection, row)? } else { None }
                }
            };
            self.note(&name, fence);
        }
        Ok(())
    }

    fn note(&self, name: &str, fence: Option<i64>) {
        let mut wanted = self.wanted.lock();
        let Some(known) = wanted.get_mut(name) else { return };
        match (known.held, fence) {
            (Some(_), None) => log::warn!("another process has taken over the lease \"{name}\""),
            (None, Some(fence)) => log::debug!("lease \"{name}\" taken with fence {fence}"),
            _ => {}
        }
        known.held = fence;
        if fence.is_some() {
            known.other = None;
        }
    }

    /// Creates the row of a lease that nobody has ever held. Returns `None` if another process was faster.
    fn create(&self, connection: &mut AnyConnection, name: &str) -> Result<Option<i64>, StoreError> {
        let fence = 1;
        let created = self.store.transaction_on(connection, |connection| {
            let row = (
                leases::name.eq(name),
                leases::holder.eq(&self.holder),
                leases::heartbeat.eq(0),
                leases::fence.eq(fence),
            );
            Ok(diesel::insert_into(leases::table).values(row).execute(connection)?)
        });
        match created {
            Ok(_) => Ok(Some(fence)),
            Err(StoreError::Duplicate) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a lease, unless its row has changed meanwhile.
    fn take(&self, connection: &mut AnyConnection, seen: &Row) -> Result<Option<i64>, StoreError> {
        let fence = seen.fence + 1;
        let taken = self.store.transaction_on(connection, |connection| {
            let row = leases::table
                .find(&seen.name)
                .filter(leases::fence.eq(seen.fence))
                .filter(leases::heartbeat.eq(seen.heartbeat));
            let values =
                (leases::holder.eq(&self.holder), leases::fence.eq(fence), leases::heartbeat.eq(leases::heartbeat + 1));
            Ok::<_, StoreError>(diesel::update(row).set(values).execute(connection)?)
        })?;
        Ok((taken == 1).then_some(fence))
    }

    fn release_blocking(&self) -> Result<(), StoreError> {
        let mut is_closed = self.is_closed.lock();
        *is_closed = true;
        self.wanted.lock().values_mut().for_each(|known| known.held = None);
        self.store.transaction(|connection| {
            let own = leases::table.filter(leases::holder.eq(&self.holder));
            diesel::update(own).set(leases::holder.eq(NOBODY)).execute(connection)?;
            Ok(())
        })
    }
}

/// Checks, inside a transaction, that no other process has taken over `lease`. The row stays locked until the
/// transaction ends, so that it ends before another process takes the lease.
///
/// # Errors
/// [`StoreError::LeaseLost`]: the transaction must not be committed.
pub fn check(connection: &mut AnyConnection, lease: &Lease) -> Result<(), StoreError> {
    let row = leases::table.find(&*lease.name).filter(leases::fence.eq(lease.fence));
    let held = diesel::update(row).set(leases::heartbeat.eq(leases::heartbeat + 1)).execute(connection)?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost(lease.name.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_gone_when_its_counter_stays_by_the_clock_of_who_looks() {
        let row = |holder: &str, heartbeat, fence| Row { name: "x".into(), holder: holder.into(), heartbeat, fence };
        let start = Instant::now();
        let mut known = Known::default();
        assert!(!known.is_abandoned(&row("other", 7, 1), start));
        assert!(!known.is_abandoned(&row("other", 7, 1), start + EXPIRY / 2));
        assert!(!known.is_abandoned(&row("other", 8, 1), start + EXPIRY), "it lives");
        assert!(!known.is_abandoned(&row("other", 8, 1), start + EXPIRY + EXPIRY / 2));
        assert!(known.is_abandoned(&row("other", 8, 1), start + EXPIRY * 2));
        assert!(!known.is_abandoned(&row("third", 8, 2), start + EXPIRY * 3), "a new holder");
        assert!(known.is_abandoned(&row(NOBODY, 8, 2), start + EXPIRY * 3), "returned");
    }
}
