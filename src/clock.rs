//! The only code that reads the system clock; everywhere else time is an argument, or comes from a [`Clock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::time::{Duration, Timestamp};

/// A source of the current time: the system's clock, or one that a test moves.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    source: Source,
    /// The latest time that was read, in milliseconds since the epoch.
    latest: Arc<AtomicI64>,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    /// Milliseconds since the epoch.
    Manual(Arc<AtomicI64>),
    /// Offset from the system's clock, in milliseconds.
    Moved(Arc<AtomicI64>),
}

impl Clock {
    /// Creates a clock that follows the system's.
    pub fn system() -> Self {
        Self::default()
    }

    /// Creates a clock that stays at `start` until its [`ManualClock`] moves it.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        Self::with_source(Source::Manual(Arc::new(AtomicI64::new(start.millis()))))
    }

    /// Creates a clock that follows the system's, offset by its [`ManualClock`]. It advances by itself, so that ids in
    /// tests differ in time.
    pub fn moved() -> (Self, ManualClock) {
        Self::with_source(Source::Moved(Arc::default()))
    }

    fn with_source(source: Source) -> (Self, ManualClock) {
        (Self { source: source.clone(), latest: Arc::default() }, ManualClock(source))
    }

    /// Returns the current time, to the millisecond.
    pub fn now(&self) -> Timestamp {
        let now = match &self.source {
            Source::System => system_now(),
            Source::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
            Source::Moved(offset) => Timestamp::from_millis(system_now().millis() + offset.load(Ordering::SeqCst)),
        };
        self.latest.fetch_max(now.millis(), Ordering::SeqCst);
        now
    }

    /// Returns the latest time that this clock has ever shown: now, unless it stepped back.
    pub fn latest(&self) -> Timestamp {
        let now = self.now();
        now.max(Timestamp::from_millis(self.latest.load(Ordering::SeqCst)))
    }
}

/// Moves a clock of [`Clock::manual`] or [`Clock::moved`] forward or back, as a system's clock may be moved.
#[derive(Clone, Debug)]
pub struct ManualClock(Source);

impl ManualClock {
    /// Moves the clock by `duration`; back if it is negative.
    pub fn advance(&self, duration: Duration) {
        self.advance_millis(duration.millis());
    }

    /// Moves the clock by `millis` milliseconds; back if they are negative.
    pub fn advance_millis(&self, millis: i64) {
        match &self.0 {
            Source::Manual(value) | Source::Moved(value) => {
                value.fetch_add(millis, Ordering::SeqCst);
            }
            Source::System => {}
        }
    }

    /// Sets the clock to `now`.
    pub fn set(&self, now: Timestamp) {
        match &self.0 {
            Source::Manual(time) => time.store(now.millis(), Ordering::SeqCst),
            Source::Moved(offset) => offset.store(now.millis() - system_now().millis(), Ordering::SeqCst),
            Source::System => {}
        }
    }
}

/// Reads the system's clock. A time before 1970 or after the year 292 million becomes the nearest valid time.
fn system_now() -> Timestamp {
    let millis = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(_) => 0,
    };
    Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_told_to() {
        let (clock, control) = Clock::manual(Timestamp::from_seconds(100));
        assert_eq!(clock.now(), Timestamp::from_seconds(100));
        control.advance(Duration::seconds(5));
        assert_eq!(clock.clone().now(), Timestamp::from_seconds(105));
        control.advance_millis(-1);
        assert_eq!(clock.now(), Timestamp::from_millis(104_999));
        control.set(Timestamp::from_seconds(1));
        assert_eq!(clock.now(), Timestamp::from_seconds(1));
        assert_eq!(clock.clone().latest(), Timestamp::from_seconds(105));
    }

    #[test]
    fn a_moved_clock_runs_from_where_it_was_moved_to() {
        let (clock, control) = Clock::moved();
        assert!(clock.now() >= system_now().minus(Duration::seconds(60)));
        control.advance(Duration::seconds(3600));
        assert!(clock.now() >= system_now().plus(Duration::seconds(3540)));
        control.set(Timestamp::from_seconds(1));
        assert!(clock.now() >= Timestamp::from_seconds(1) && clock.now() < Timestamp::from_seconds(60));
    }
}
