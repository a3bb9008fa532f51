//! Background loops yield to requests: while many events are stored, each step of such a loop is followed by a rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::journal::JournalStats;

/// Events in a second from which on the server is busy.
const BUSY: u128 = 1_000;
/// A rest is this many times as long as the step before it. The index of the audit log then keeps up with about a
/// quarter of the events that the server can store.
const REST: u32 = 15;
/// Longest rest.
const REST_MAX: Duration = Duration::from_secs(1);

/// Decides when a background loop rests.
#[derive(Clone, Debug)]
pub struct Pace {
    journal: Arc<JournalStats>,
}

impl Pace {
    /// Creates the pace of loops beside this journal.
    pub(super) const fn beside(journal: Arc<JournalStats>) -> Self {
        Self { journal }
    }

    /// Does a step of a background loop, and rests afterwards if the server is busy.
    pub async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        let (began, before) = (Instant::now(), self.journal.events.load(Ordering::Relaxed));
        let done = step.await;
        let took = began.elapsed();
        let stored = self.journal.events.load(Ordering::Relaxed) - before;
        if is_busy(stored, took) {
            tokio::time::sleep((took * REST).min(REST_MAX)).await;
        }
        done
    }
}

/// Returns whether so many events within this time show that the server is busy.
fn is_busy(events: u64, within: Duration) -> bool {
    u128::from(events) * 1_000_000 > within.as_micros() * BUSY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_busy_above_a_rate_however_long_the_step_was() {
        for (events, millis, expected) in
            [(0, 0, false), (0, 30, false), (30, 30, false), (31, 30, true), (10_000, 10_000, false), (1, 0, true)]
        {
            assert_eq!(is_busy(events, Duration::from_millis(millis)), expected, "{events} in {millis} ms");
        }
    }

    #[tokio::test]
    async fn a_loop_rests_beside_a_busy_journal() {
        let journal = Arc::new(JournalStats::default());
        let began = Instant::now();
        let step = async {
            journal.events.fetch_add(1_000_000, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(2));
            "done"
        };
        assert_eq!(Pace::beside(Arc::clone(&journal)).step(step).await, "done");
        assert!(began.elapsed() >= Duration::from_millis(32), "{:?}", began.elapsed());
    }
}
