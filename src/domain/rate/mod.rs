//! Rate limits of credentials, decided by the generic cell rate algorithm (GCRA, ITU-T I.371).

use super::time::Timestamp;

mod quota;

pub use quota::{Bucket, Quota};

/// Largest limit that can be set, other than unlimited.
pub const LIMIT_MAX: u32 = 1_000_000;

/// The rate limits of a credential. `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests that a full bucket admits at once; it refills as many per minute.
    pub rate_per_minute: Option<u32>,
    /// Requests that a full bucket admits at once; it refills as many per second.
    pub burst_per_second: Option<u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { rate_per_minute: Some(100), burst_per_second: Some(10) }
    }
}

impl RateLimits {
    /// No limit of either kind.
    pub const UNLIMITED: Self = Self { rate_per_minute: None, burst_per_second: None };

    /// Returns the quotas, with their names in `RateLimit-Policy`.
    fn quotas(self) -> [Option<Quota>; 2] {
        let quota = |name, limit: Option<u32>, window_millis| limit.map(|limit| Quota { name, limit, window_millis });
        [quota("burst", self.burst_per_second, 1_000), quota("minute", self.rate_per_minute, 60_000)]
    }
}

/// The status of one of a credential's buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketStatus {
    /// Its quota.
    pub quota: Quota,
    /// Events that it would admit at once.
    pub remaining: u32,
    /// Milliseconds until it is full.
    pub reset_after: u64,
    /// Milliseconds until it admits the refused request: 0 if it refused nothing, `None` if it never does, because the
    /// request costs more than the limit.
    pub retry_after: Option<u32>,
}

impl BucketStatus {
    /// Returns the whole seconds until it is full, rounded up.
    pub fn reset_after_seconds(&self) -> u32 {
        seconds(self.reset_after)
    }
}

/// Converts milliseconds to whole seconds, rounded up so that waiting them is enough.
fn seconds(millis: u64) -> u32 {
    u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// The status of a credential's buckets after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// Whether the request was admitted.
    pub is_admitted: bool,
    buckets: [Option<BucketStatus>; 2],
}

impl RateLimitStatus {
    /// Returns the buckets of the limits that are set.
    pub fn buckets(&self) -> impl Iterator<Item = &BucketStatus> {
        self.buckets.iter().flatten()
    }

    /// Returns the bucket that will refuse first, or that refuses forever; `None` if there is no limit.
    pub fn tightest(&self) -> Option<&BucketStatus> {
        self.buckets().min_by_key(|bucket| match bucket.retry_after {
            None => (false, 0, 0),
            Some(millis) => (true, bucket.remaining, u32::MAX - millis),
        })
    }

    /// Returns the milliseconds until the refused request is admitted: 0 if nothing was refused, `None` if it never is.
    pub fn retry_after(&self) -> Option<u32> {
        self.buckets().try_fold(0, |longest, bucket| bucket.retry_after.map(|millis| millis.max(longest)))
    }

    /// Returns the whole seconds for `Retry-After`, likewise.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after().map(|millis| seconds(u64::from(millis)))
    }
}

/// The buckets of a credential. A request takes from both or, if one refuses, from none.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    limits: RateLimits,
    buckets: [Bucket; 2],
}

impl Buckets {
    /// Creates full buckets with `limits`.
    pub fn full(limits: RateLimits) -> Self {
        Self { limits, buckets: [Bucket::default(); 2] }
    }

    /// Takes `cost` from both at `now`. `limits` may have changed since the last call: events that were taken before
    /// remain taken.
    pub fn take(&mut self, limits: RateLimits, cost: u32, now: Timestamp) -> RateLimitStatus {
        self.convert_to(limits);
        for (bucket, quota) in self.buckets.iter_mut().zip(limits.quotas()) {
            *bucket = quota.map_or(*bucket, |quota| quota.clamped(*bucket, now));
        }
        let mut after = self.buckets;
        let mut retry_after = [Some(0); 2];
        for (at, quota) in limits.quotas().into_iter().enumerate() {
            match quota.map(|quota| quota.take(self.buckets[at], cost, now)) {
                Some(Ok(bucket)) => after[at] = bucket,
                Some(Err(millis)) => retry_after[at] = millis,
                None => {}
            }
        }
        let is_admitted = retry_after == [Some(0); 2];
        if is_admitted {
            self.buckets = after;
        }
        let mut status = self.status(limits, now);
        status.is_admitted = is_admitted;
        for (bucket, millis) in status.buckets.iter_mut().zip(retry_after) {
            if let Some(bucket) = bucket {
                bucket.retry_after = millis;
            }
        }
        status
    }

    /// Returns the status at `now` without taking anything.
    pub fn status(&mut self, limits: RateLimits, now: Timestamp) -> RateLimitStatus {
        self.convert_to(limits);
        let quotas = limits.quotas();
        let status = |at: usize| {
            quotas[at].map(|quota| BucketStatus {
                quota,
                remaining: quota.remaining(self.buckets[at], now),
                reset_after: quota.reset_after(self.buckets[at], now),
                retry_after: Some(0),
            })
        };
        RateLimitStatus { is_admitted: true, buckets: [status(0), status(1)] }
    }

    /// Converts the buckets to new limits.
    fn convert_to(&mut self, limits: RateLimits) {
        if self.limits == limits {
            return;
        }
        for (at, (old, new)) in self.limits.quotas().into_iter().zip(limits.quotas()).enumerate() {
            self.buckets[at] = match (old, new) {
                (Some(old), Some(new)) => self.buckets[at].converted(old, new),
                _ => Bucket::default(),
            };
        }
        self.limits = limits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn after_a_step_back_of_an_hour_requests_are_admitted_within_a_window() {
        let limits = RateLimits::default();
        let mut buckets = Buckets::full(limits);
        assert!(buckets.take(limits, 1, at(10_000_000)).is_admitted);
        assert!(!buckets.take(limits, 1, at(6_400_000)).is_admitted, "nothing is given back");
        assert!(buckets.take(limits, 1, at(6_400_600)).is_admitted, "100 a minute are one every 600 ms");
        assert_eq!(buckets.status(limits, at(6_461_000)).tightest().map(|bucket| bucket.remaining), Some(10));
    }

    #[test]
    fn nothing_is_taken_unless_both_admit() {
        let limits = RateLimits { rate_per_minute: Some(20), burst_per_second: Some(5) };
        let mut buckets = Buckets::full(limits);
        for left in (0..5).rev() {
            let status = buckets.take(limits, 1, at(1_000_000));
            assert!(status.is_admitted);
            assert_eq!(status.tightest().map(|bucket| (bucket.quota.limit, bucket.remaining)), Some((5, left)));
        }
        for _ in 0..100 {
            let refused = buckets.take(limits, 1, at(1_000_000));
            assert_eq!((refused.is_admitted, refused.retry_after()), (false, Some(200)));
        }
        for cost in [6, 21] {
            let refused = buckets.take(limits, cost, at(1_000_000));
            assert_eq!((refused.is_admitted, refused.retry_after()), (false, None), "{cost} is above a limit");
            assert_eq!(refused.tightest().map(|bucket| bucket.quota.limit), Some(5), "of those, the one named first");
        }
        let status = buckets.take(limits, 5, at(1_001_000));
        assert!(status.is_admitted);
        // Ten were taken in all, and one third of one came back in this second.
        assert_eq!(status.buckets().map(|bucket| bucket.remaining).collect::<Vec<_>>(), [0, 10]);
    }

    #[test]
    fn what_was_taken_stays_taken_when_limits_change() {
        let (narrow, wide) = (
            RateLimits { rate_per_minute: Some(10), burst_per_second: None },
            RateLimits { rate_per_minute: Some(1_000), burst_per_second: None },
        );
        let mut buckets = Buckets::full(narrow);
        assert!(buckets.take(narrow, 10, at(1_000_000)).is_admitted);
        assert_eq!(buckets.status(wide, at(1_000_000)).tightest().map(|bucket| bucket.remaining), Some(0));
        assert_eq!(buckets.status(wide, at(1_030_000)).tightest().map(|bucket| bucket.remaining), Some(500));
        assert!(buckets.status(RateLimits::UNLIMITED, at(1_000_000)).tightest().is_none());
    }

    /// The definition in fractions, as exact pairs of whole numbers: a bucket holds at most `limit`, gains
    /// `limit / window` per millisecond, and gives `cost` if it holds as much.
    struct Reference {
        /// The content in units of 1/window.
        held: i128,
        since: i128,
    }

    impl Reference {
        fn refill(&mut self, limit: i128, window: i128, now: i128) {
            self.held = (self.held + (now - self.since) * limit).min(limit * window);
            self.since = now;
        }
    }

    /// Runs 10,000 windows of both buckets together, under random limits, costs and pauses.
    #[test]
    fn ten_thousand_windows_never_differ_from_the_definition_by_one_request() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut requests = 0_u64;
        for (per_minute, per_second) in
            [(100, 10), (7, 3), (1, 1), (60, 1), (999_983, 1_000_000), (11, 13), (1_000, 17)]
        {
            let limits = RateLimits { rate_per_minute: Some(per_minute), burst_per_second: Some(per_second) };
            let mut buckets = Buckets::full(limits);
            let shapes = [(i128::from(per_second), 1_000_i128), (i128::from(per_minute), 60_000)];
            let start = 1_800_000_000_000_i64;
            let mut reference =
                shapes.map(|(limit, window)| Reference { held: limit * window, since: i128::from(start) });
            let mut now = start;
            // The shorter window is the one that more often decides.
            let end = start + if per_minute <= 60 { 10_000 * 60_000 } else { 10_000 * 1_000 };
            let scale = (60_000 / i64::from(per_minute)).max(1_000 / i64::from(per_second)).max(1);
            while now < end {
                now += match random.u8(0..10) {
                    0..4 => 0,
                    4..8 => random.i64(0..=scale),
                    8 => scale,
                    _ => random.i64(0..=scale * 20),
                };
                let cost = if random.u8(0..8) == 0 { random.u32(1..=10) } else { 1 };
                for (reference, (limit, window)) in reference.iter_mut().zip(shapes) {
                    reference.refill(limit, window, i128::from(now));
                }
                let expected = reference
                    .iter()
                    .zip(shapes)
                    .all(|(reference, (_, window))| reference.held >= i128::from(cost) * window);
                if expected {
                    for (reference, (_, window)) in reference.iter_mut().zip(shapes) {
                        reference.held -= i128::from(cost) * window;
                    }
                }
                let status = buckets.take(limits, cost, at(now));
                assert_eq!(status.is_admitted, expected, "{limits:?} at {}", now - start);
                let left = reference.iter().zip(shapes).map(|(reference, (_, window))| reference.held / window);
                assert!(status.buckets().map(|bucket| i128::from(bucket.remaining)).eq(left), "{limits:?} at {now}");
                requests += 1;
            }
        }
        assert!(requests > 100_000, "{requests}");
    }
}
