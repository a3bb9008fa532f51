//! Gives stored events their positions, and keeps the index for lists. One process at a time does this, under a
//! lease.
//!
//! On PostgreSQL, an event is stored under a serial that its transaction has taken, and the transaction may commit late
//! or never. So a gap between serials is either still being filled or will stay. The sequencer stops at a gap, until
//! every transaction that may fill it has ended: then what it does not see in the gap will never be there. Positions
//! are given in the order of serials, and no event can come to lie between two that have theirs.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;

use super::pace::Pace;
use crate::domain::lease::Lease;
use crate::store::audit_chain::{self, Run};
use crate::store::{AnyConnection, Store, StoreError, audit_index};

/// Serials that one step reads.
const STEP: i64 = 20_000;

/// What is known about gaps between serials.
#[derive(Debug, Default)]
struct Gaps {
    /// Below this serial, what cannot be seen will never be there.
    settled: i64,
    /// A serial, and the transactions that may still store events with lower ones.
    open: Option<(i64, BTreeSet<String>)>,
}

/// The sequencer of an installation, as one process runs it.
#[derive(Debug)]
pub struct Sequencer {
    store: Store,
    gaps: Arc<Mutex<Gaps>>,
    pace: Pace,
}

impl Sequencer {
    /// Creates a sequencer, which does nothing before it is called.
    pub fn new(store: Store, pace: Pace) -> Self {
        Self { store, gaps: Arc::default(), pace }
    }

    /// Gives positions to the events that were stored since the last call.
    ///
    /// # Errors
    /// The database cannot be written, or another process has taken over the lease. The next call does what is left.
    pub async fn step(&self, lease: &Lease) -> Result<(), StoreError> {
        loop {
            let gaps = Arc::clone(&self.gaps);
            let runs = self.store.read(move |connection| new_runs(connection, &mut gaps.lock())).await?;
            let events: i64 = runs.iter().map(|run| run.events).sum();
            if !runs.is_empty() {
                self.store.under(lease, move |connection| audit_chain::append(connection, &runs)).await?;
            }
            if events < STEP {
                return Ok(());
            }
        }
    }

    /// Indexes the events that have positions. While the server is busy, the index lags behind.
    ///
    /// # Errors
    /// As [`Sequencer::step`].
    pub async fn index(&self, lease: &Lease) -> Result<(), StoreError> {
        while self.pace.step(self.index_batch(lease)).await? {}
        Ok(())
    }

    /// Indexes a batch of events, and returns whether there was one.
    async fn index_batch(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut left = self.store.read(audit_index::next_batch).await?;
        let is_one = left.is_some();
        while let Some(mut batch) = left {
            left =
                self.store.under(lease, move |connection| Ok(batch.store_some(connection)?.then_some(batch))).await?;
        }
        Ok(is_one)
    }
}

/// Returns the runs of events that can be given positions now.
fn new_runs(connection: &mut AnyConnection, gaps: &mut Gaps) -> Result<Vec<Run>, StoreError> {
    if let Some((below, writers)) = &gaps.open
        && audit_chain::writers(connection)?.is_disjoint(writers)
    {
        gaps.settled = *below;
        gaps.open = None;
    }
    // Read after the writers: what they have committed is visible.
    let last = audit_chain::last(connection)?;
    let after = last.as_ref().map_or(0, Run::last_serial);
    let serials = audit_chain::serials_after(connection, after, STEP)?;
    let position = last.map_or(1, |run| run.last_position() + 1);
    let runs = runs_of(position, after, &serials, gaps.settled);
    let taken: i64 = runs.iter().map(|run| run.events).sum();
    let stopped = usize::try_from(taken).is_ok_and(|taken| taken < serials.len());
    if let (true, None, Some(highest)) = (stopped, &gaps.open, serials.last()) {
        // Every serial below the highest was taken before it was seen, so by one of these, or by one that has ended.
        gaps.open = Some((*highest, audit_chain::writers(connection)?));
    }
    Ok(runs)
}

/// Returns the runs of `serials`, which follow `after`, up to the first gap that may still be filled: one that does not
/// lie below `settled`.
fn runs_of(mut position: i64, mut after: i64, serials: &[i64], settled: i64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &serial in serials {
        let follows = serial == after + 1;
        if !follows && serial > settled {
            break;
        }
        match runs.last_mut().filter(|_| follows) {
            Some(run) => run.events += 1,
            None => runs.push(Run { position, first_serial: serial, events: 1 }),
        }
        position += 1;
        after = serial;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(position: i64, first_serial: i64, events: i64) -> Run {
        Run { position, first_serial, events }
    }

    #[test]
    fn positions_follow_serials_up_to_a_gap_that_may_still_be_filled() {
        assert_eq!(runs_of(1, 0, &[], 0), []);
        assert_eq!(runs_of(1, 0, &[1, 2, 3], 0), [run(1, 1, 3)]);
        assert_eq!(runs_of(8, 20, &[21, 22, 24, 25], 0), [run(8, 21, 2)], "23 may come");
        assert_eq!(runs_of(8, 20, &[22], 21), [], "21 is not below 21");
        assert_eq!(runs_of(8, 20, &[22, 23], 22), [run(8, 22, 2)]);
    }

    #[test]
    fn a_gap_that_stays_ends_a_run_and_takes_no_position() {
        let serials = [21, 24, 25, 27, 30];
        assert_eq!(runs_of(8, 20, &serials, 27), [run(8, 21, 1), run(9, 24, 2), run(11, 27, 1)], "28 may come");
        assert_eq!(
            runs_of(8, 20, &serials, 30),
            [run(8, 21, 1), run(9, 24, 2), run(11, 27, 1), run(12, 30, 1)],
            "positions are dense"
        );
    }
}
