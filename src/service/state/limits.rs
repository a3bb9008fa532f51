//! Rate limits of credentials on this node.

use std::sync::Arc;

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

use super::cache::bounded;
use crate::domain::ids;
use crate::domain::rate::{Buckets, RateLimitStatus, RateLimits};
use crate::domain::time::Timestamp;

/// Credentials whose buckets are kept, at about 80 bytes each. An evicted credential starts again with full buckets; a
/// bucket that was not used for a minute is full anyway.
const CREDENTIALS: usize = 230_000;

/// The buckets of recently used credentials, by the digits of their ids. They are kept when the credential changes.
#[derive(Debug)]
pub struct Limits(Cache<[u8; 16], Buckets>);

impl Default for Limits {
    fn default() -> Self {
        Self(bounded(CREDENTIALS, CREDENTIALS as u64, UnitWeighter))
    }
}

impl Limits {
    /// Takes `cost` requests from the buckets of the credential `id` at `now`, all or none.
    pub fn take(&self, id: &Arc<str>, limits: RateLimits, cost: u32, now: Timestamp) -> RateLimitStatus {
        self.with(id, limits, |buckets| buckets.take(limits, cost, now))
    }

    /// Returns the rate limit status of `id` at `now`, and takes nothing.
    pub fn status(&self, id: &Arc<str>, limits: RateLimits, now: Timestamp) -> RateLimitStatus {
        self.with(id, limits, |buckets| buckets.status(limits, now))
    }

    fn with(&self, id: &str, limits: RateLimits, work: impl Fn(&mut Buckets) -> RateLimitStatus) -> RateLimitStatus {
        let mut full = Buckets::full(limits);
        let Some(digits) = ids::digits(id).filter(|_| limits != RateLimits::UNLIMITED) else { return work(&mut full) };
        match self.0.entry(&digits, None, |_, buckets| EntryAction::Retain(work(buckets))) {
            EntryResult::Retained(status) => status,
            EntryResult::Vacant(guard) => {
                let status = work(&mut full);
                // Fails only if the cache was cleared in the meantime.
                let _unless_cleared = guard.insert(full);
                status
            }
            // Neither is asked for.
            EntryResult::Removed(..) | EntryResult::Replaced(..) | EntryResult::Timeout => work(&mut full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Arc<str> {
        format!("key_{number:032x}").into()
    }

    #[test]
    fn credentials_do_not_share_their_buckets_and_all_threads_do() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(1_000_000));
        let quota = RateLimits { rate_per_minute: Some(1_000), burst_per_second: Some(500) };
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let id = id(1);
                        (0..1_000).filter(|_| limits.take(&id, quota, 1, now).is_admitted).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 500);
        assert!(limits.take(&id(2), quota, 500, now).is_admitted);
        assert!(limits.take(&id(1), RateLimits::UNLIMITED, 1_000, now).is_admitted);
    }
}
