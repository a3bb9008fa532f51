//! Rate limits of credentials on this node.

use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use crate::domain::rate::{Buckets, RateLimitStatus, RateLimits};
use crate::domain::time::Timestamp;

/// Credentials whose buckets are kept, at about 150 bytes each. An evicted credential starts again with full buckets; a
/// bucket that was not used for a minute is full anyway.
const CREDENTIALS: usize = 262_144;

/// The buckets of recently used credentials. They are kept when the credential changes.
#[derive(Debug)]
pub struct Limits(Cache<Arc<str>, Arc<Mutex<Buckets>>>);

impl Default for Limits {
    fn default() -> Self {
        Self(Cache::new(CREDENTIALS))
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

    fn with(
        &self,
        id: &Arc<str>,
        limits: RateLimits,
        work: impl FnOnce(&mut Buckets) -> RateLimitStatus,
    ) -> RateLimitStatus {
        if limits == RateLimits::UNLIMITED {
            return work(&mut Buckets::full(limits));
        }
        let full = || Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Buckets::full(limits))));
        let Ok(buckets) = self.0.get_or_insert_with(id, full);
        let mut buckets = buckets.lock();
        work(&mut buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_share_their_buckets_and_all_threads_do() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(1_000_000));
        let quota = RateLimits { rate_per_minute: Some(1_000), burst_per_second: Some(500) };
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let id: Arc<str> = "key_1".into();
                        (0..1_000).filter(|_| limits.take(&id, quota, 1, now).is_admitted).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 500);
        assert!(limits.take(&"key_2".into(), quota, 500, now).is_admitted);
        assert!(limits.take(&"key_1".into(), RateLimits::UNLIMITED, 1_000, now).is_admitted);
    }
}
