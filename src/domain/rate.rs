//! Rates: a credential's limits, and the generic cell rate algorithm (GCRA, ITU-T I.371) that limits are decided by.
//!
//! All arithmetic is in whole numbers of milliseconds times the limit, so that nothing is ever rounded: over any time the
//! algorithm admits exactly what the definition says.

use super::time::Timestamp;

/// Largest limit that can be set; beyond it, say `unlimited`.
pub const LIMIT_MAX: u32 = 1_000_000;

/// How often a credential may be used. `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests at once, refilled at as many a minute.
    pub rate_per_minute: Option<u32>,
    /// Requests at once, refilled at as many a second.
    pub burst_per_second: Option<u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { rate_per_minute: Some(100), burst_per_second: Some(10) }
    }
}

impl RateLimits {
    /// No limits at all.
    pub const UNLIMITED: Self = Self { rate_per_minute: None, burst_per_second: None };

    /// The quotas by their names in `RateLimit-Policy`.
    fn quotas(self) -> [Option<Quota>; 2] {
        let quota = |name, limit: Option<u32>, window_millis| limit.map(|limit| Quota { name, limit, window_millis });
        [quota("burst", self.burst_per_second, 1_000), quota("minute", self.rate_per_minute, 60_000)]
    }
}

/// A quota of `limit` events at once, refilled evenly over `window_millis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What it is called.
    pub name: &'static str,
    /// Events that a full bucket admits at once; at least 1.
    pub limit: u32,
    /// Milliseconds in which an empty bucket fills up.
    pub window_millis: u32,
}

/// A bucket's whole state: its theoretical arrival time, in milliseconds times the quota's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket(i64);

impl Quota {
    /// Takes `cost` events at `now`: the bucket afterwards, or, where so many are not left, the milliseconds until they are.
    /// A cost above the limit is never admitted; it is told when the bucket is full.
    ///
    /// # Errors
    /// The bucket has too little; it is left as it was.
    pub fn take(self, bucket: Bucket, cost: u32, now: Timestamp) -> Result<Bucket, u64> {
        let limit = i64::from(self.limit);
        let arrival = self.arrival(bucket, now) + i64::from(self.window_millis) * i64::from(cost);
        let excess = arrival - self.units(now) - i64::from(self.window_millis) * limit;
        if excess <= 0 {
            Ok(Bucket(arrival))
        } else if cost > self.limit {
            Err(self.reset_after(bucket, now).max(1))
        } else {
            Err(u64::try_from((excess + limit - 1) / limit).unwrap_or(0))
        }
    }

    /// Events that the bucket would admit at once.
    pub fn remaining(self, bucket: Bucket, now: Timestamp) -> u32 {
        let window = i64::from(self.window_millis);
        let room = self.units(now) + window * i64::from(self.limit) - self.arrival(bucket, now);
        u32::try_from(room / window).unwrap_or(0)
    }

    /// Milliseconds until the bucket is full.
    pub fn reset_after(self, bucket: Bucket, now: Timestamp) -> u64 {
        let limit = i64::from(self.limit);
        u64::try_from((self.arrival(bucket, now) - self.units(now) + limit - 1) / limit).unwrap_or(0)
    }

    fn units(self, now: Timestamp) -> i64 {
        now.millis().saturating_mul(i64::from(self.limit))
    }

    /// The bucket's arrival time, which lies between `now` (full) and one window later (empty). What lies further in the
    /// future was written before the clock stepped back, and counts as empty: nobody waits longer than one window.
    fn arrival(self, bucket: Bucket, now: Timestamp) -> i64 {
        let full = self.units(now);
        bucket.0.clamp(full, full.saturating_add(i64::from(self.window_millis).saturating_mul(i64::from(self.limit))))
    }
}

/// How one of a credential's buckets stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketStatus {
    /// Its quota.
    pub quota: Quota,
    /// Events that it would admit at once.
    pub remaining: u32,
    /// Milliseconds until it is full.
    pub reset_after: u64,
    /// Milliseconds until it admits what it refused; 0 if it refused nothing.
    pub retry_after: u64,
}

impl BucketStatus {
    /// Whole seconds until it is full.
    pub fn reset_after_seconds(&self) -> u32 {
        seconds(self.reset_after)
    }
}

/// Milliseconds as whole seconds, rounded up: who waits them has waited enough.
fn seconds(millis: u64) -> u32 {
    u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// How a credential's buckets stand after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// Whether the request was admitted.
    pub is_admitted: bool,
    buckets: [Option<BucketStatus>; 2],
}

impl RateLimitStatus {
    /// The buckets that there are.
    pub fn buckets(&self) -> impl Iterator<Item = &BucketStatus> {
        self.buckets.iter().flatten()
    }

    /// The bucket that will refuse first; `None` where there is no limit.
    pub fn tightest(&self) -> Option<&BucketStatus> {
        self.buckets().min_by_key(|bucket| (bucket.remaining, u64::MAX - bucket.retry_after))
    }

    /// Milliseconds until what was refused is admitted.
    pub fn retry_after(&self) -> u64 {
        self.buckets().map(|bucket| bucket.retry_after).max().unwrap_or(0)
    }

    /// The same in whole seconds, for `Retry-After`; 0 if nothing was refused.
    pub fn retry_after_seconds(&self) -> u32 {
        seconds(self.retry_after())
    }
}

/// A credential's buckets: both must admit, and nothing is taken unless both do.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    limits: RateLimits,
    buckets: [Bucket; 2],
}

impl Buckets {
    /// Full buckets.
    pub fn full(limits: RateLimits) -> Self {
        Self { limits, buckets: [Bucket::default(); 2] }
    }

    /// Takes `cost` from both at `now` under `limits`, which may have changed since: what was taken stays taken, in time.
    pub fn take(&mut self, limits: RateLimits, cost: u32, now: Timestamp) -> RateLimitStatus {
        self.adopt(limits);
        let mut after = self.buckets;
        let mut retry_after = [0; 2];
        for (at, quota) in limits.quotas().into_iter().enumerate() {
            match quota.map(|quota| quota.take(self.buckets[at], cost, now)) {
                Some(Ok(bucket)) => after[at] = bucket,
                Some(Err(millis)) => retry_after[at] = millis,
                None => {}
            }
        }
        let is_admitted = retry_after == [0; 2];
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

    /// How they stand at `now`; nothing is taken.
    pub fn status(&mut self, limits: RateLimits, now: Timestamp) -> RateLimitStatus {
        self.adopt(limits);
        let quotas = limits.quotas();
        let status = |at: usize| {
            quotas[at].map(|quota| BucketStatus {
                quota,
                remaining: quota.remaining(self.buckets[at], now),
                reset_after: quota.reset_after(self.buckets[at], now),
                retry_after: 0,
            })
        };
        RateLimitStatus { is_admitted: true, buckets: [status(0), status(1)] }
    }

    /// An arrival time counts in units of its limit.
    fn adopt(&mut self, limits: RateLimits) {
        if self.limits == limits {
            return;
        }
        for (at, (old, new)) in self.limits.quotas().into_iter().zip(limits.quotas()).enumerate() {
            self.buckets[at] = match (old, new) {
                (Some(old), Some(new)) => Bucket(self.buckets[at].0 / i64::from(old.limit) * i64::from(new.limit)),
                _ => Bucket::default(),
            };
        }
        self.limits = limits;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUOTA: Quota = Quota { name: "test", limit: 30, window_millis: 60_000 };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_full_bucket_admits_its_limit_at_once_and_then_refills_evenly() {
        let mut bucket = Bucket::default();
        for _ in 0..30 {
            bucket = QUOTA.take(bucket, 1, at(1_000_000)).unwrap();
        }
        assert_eq!(QUOTA.take(bucket, 1, at(1_000_000)), Err(2_000));
        assert_eq!(QUOTA.take(bucket, 3, at(1_000_000)), Err(6_000));
        assert_eq!(QUOTA.take(bucket, 1, at(1_001_999)), Err(1));
        assert!(QUOTA.take(bucket, 1, at(1_002_000)).is_ok());
        assert_eq!((QUOTA.remaining(bucket, at(1_003_999)), QUOTA.remaining(bucket, at(1_004_000))), (1, 2));
        assert_eq!(QUOTA.reset_after(bucket, at(1_000_000)), 60_000);
        assert_eq!(QUOTA.take(bucket, 31, at(9_000_000)), Err(1), "more than it ever holds");
    }

    /// What the guide says: a window sees a full bucket and what flows in meanwhile, and no more.
    #[test]
    fn a_window_sees_at_most_twice_the_limit_less_one() {
        for limit in [1, 7, 30, 100] {
            let quota = Quota { name: "test", limit, window_millis: 60_000 };
            let (mut bucket, mut admitted) = (Bucket::default(), Vec::new());
            for now in 1_000_000..1_200_000 {
                while let Ok(after) = quota.take(bucket, 1, at(now)) {
                    bucket = after;
                    admitted.push(now);
                }
            }
            let seen = |start: i64| admitted.iter().filter(|now| (start..start + 60_000).contains(*now)).count();
            let most = admitted.iter().map(|start| seen(*start)).max();
            assert_eq!(most, Some(2 * limit as usize - 1), "{limit}");
        }
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
            assert_eq!((refused.is_admitted, refused.retry_after()), (false, 200));
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

    /// The definition in fractions, kept as exact pairs of whole numbers: a bucket holds at most `limit`, gains
    /// `limit / window` a millisecond, and gives `cost` where it holds as much.
    struct Reference {
        /// What it holds, in 1/window.
        held: i128,
        since: i128,
    }

    impl Reference {
        fn refill(&mut self, limit: i128, window: i128, now: i128) {
            self.held = (self.held + (now - self.since) * limit).min(limit * window);
            self.since = now;
        }
    }

    /// 10,000 windows of both buckets together, under random limits, costs and pauses.
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

    #[test]
    fn a_clock_that_steps_back_empties_no_bucket_for_longer_than_a_window() {
        let (before, after) = (at(90_000_000), at(1_000_000));
        let bucket = (0..30).fold(Bucket::default(), |bucket, _| QUOTA.take(bucket, 1, before).unwrap());
        assert_eq!(QUOTA.remaining(bucket, after), 0, "what was taken is not given back");
        assert_eq!(QUOTA.take(bucket, 1, after), Err(2_000));
        assert_eq!(QUOTA.reset_after(bucket, after), 60_000);
        // One that was not used up is empty, too: how full it was is not known.
        let bucket = QUOTA.take(Bucket::default(), 1, before).unwrap();
        assert_eq!(QUOTA.take(bucket, 1, after), Err(2_000));
    }

    proptest! {
        #[test]
        fn who_waits_as_told_is_admitted(limit in 1..2_000_u32, window in 1..100_000_u32, costs in prop::collection::vec((1..20_u32, 0..500_i64), 1..60)) {
            let quota = Quota { name: "any", limit, window_millis: window };
            let (mut bucket, mut now) = (Bucket::default(), 1_800_000_000_000);
            for (cost, pause) in costs {
                now += pause;
                match quota.take(bucket, cost, at(now)) {
                    Ok(after) => bucket = after,
                    Err(wait) if cost <= limit => {
                        let wait = i64::try_from(wait).unwrap();
                        prop_assert!(quota.take(bucket, cost, at(now + wait - 1)).is_err());
                        prop_assert!(quota.take(bucket, cost, at(now + wait)).is_ok());
                    }
                    Err(_) => prop_assert!(quota.take(bucket, cost, at(now + 1_000_000)).is_err()),
                }
            }
        }
    }
}
