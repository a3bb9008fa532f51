//! The generic cell rate algorithm as a pure function of a bucket and the time.
//!
//! All arithmetic uses whole numbers: milliseconds times the limit. Nothing is rounded, so over any time the algorithm
//! admits exactly what its definition says.

use crate::domain::time::Timestamp;

/// A quota of `limit` events at once, refilled evenly over `window_millis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Its name in `RateLimit-Policy`.
    pub name: &'static str,
    /// Events that a full bucket admits at once; at least 1.
    pub limit: u32,
    /// Milliseconds in which an empty bucket refills.
    pub window_millis: u32,
}

/// The state of a bucket: its theoretical arrival time, in milliseconds times the quota's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket(i64);

impl Quota {
    /// Takes `cost` events at `now`, and returns the new state of the bucket.
    ///
    /// # Errors
    /// Too few events remain. Returns the milliseconds until enough do, and leaves the bucket as it was; `None` for a
    /// cost above the limit, which is never admitted.
    pub fn take(self, bucket: Bucket, cost: u32, now: Timestamp) -> Result<Bucket, Option<u32>> {
        let limit = i64::from(self.limit);
        let arrival = self.arrival(bucket, now) + i64::from(self.window_millis) * i64::from(cost);
        let excess = arrival - self.units(now) - i64::from(self.window_millis) * limit;
        if excess <= 0 {
            Ok(Bucket(arrival))
        } else if cost > self.limit {
            Err(None)
        } else {
            Err(Some(u32::try_from((excess + limit - 1) / limit).unwrap_or(u32::MAX)))
        }
    }

    /// Returns how many events the bucket would admit at once.
    pub fn remaining(self, bucket: Bucket, now: Timestamp) -> u32 {
        let window = i64::from(self.window_millis);
        u32::try_from((self.latest_arrival(now) - self.arrival(bucket, now)) / window).unwrap_or(0)
    }

    /// Returns the milliseconds until the bucket is full.
    pub fn reset_after(self, bucket: Bucket, now: Timestamp) -> u64 {
        let limit = i64::from(self.limit);
        u64::try_from((self.arrival(bucket, now) - self.units(now) + limit - 1) / limit).unwrap_or(0)
    }

    /// Returns the state to keep from `now` on. A bucket that was stored before the clock stepped back becomes an empty
    /// one, so that it refills within one window. Call it before [`Self::take`], and store the result of a refusal too.
    pub fn clamped(self, bucket: Bucket, now: Timestamp) -> Bucket {
        Bucket(bucket.0.min(self.latest_arrival(now)))
    }

    fn units(self, now: Timestamp) -> i64 {
        now.millis().saturating_mul(i64::from(self.limit))
    }

    /// Returns the arrival time of an empty bucket: one window from `now`.
    fn latest_arrival(self, now: Timestamp) -> i64 {
        self.units(now).saturating_add(i64::from(self.window_millis).saturating_mul(i64::from(self.limit)))
    }

    /// Returns the bucket's arrival time, which lies between `now` (full) and one window later (empty).
    fn arrival(self, bucket: Bucket, now: Timestamp) -> i64 {
        bucket.0.clamp(self.units(now), self.latest_arrival(now))
    }
}

impl Bucket {
    /// Converts the state to the units of another quota: an arrival time counts in units of its limit.
    pub(super) fn converted(self, old: Quota, new: Quota) -> Self {
        Self(self.0 / i64::from(old.limit) * i64::from(new.limit))
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
        assert_eq!(QUOTA.take(bucket, 1, at(1_000_000)), Err(Some(2_000)));
        assert_eq!(QUOTA.take(bucket, 3, at(1_000_000)), Err(Some(6_000)));
        assert_eq!(QUOTA.take(bucket, 1, at(1_001_999)), Err(Some(1)));
        assert!(QUOTA.take(bucket, 1, at(1_002_000)).is_ok());
        assert_eq!((QUOTA.remaining(bucket, at(1_003_999)), QUOTA.remaining(bucket, at(1_004_000))), (1, 2));
        assert_eq!(QUOTA.reset_after(bucket, at(1_000_000)), 60_000);
        assert_eq!(QUOTA.take(bucket, 31, at(9_000_000)), Err(None), "more than it ever holds");
    }

    /// As the guide says: a window admits a full bucket and what refills meanwhile, and no more.
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
    fn a_clock_that_steps_back_empties_no_bucket_for_longer_than_a_window() {
        let (before, after) = (at(90_000_000), at(1_000_000));
        let bucket = (0..30).fold(Bucket::default(), |bucket, _| QUOTA.take(bucket, 1, before).unwrap());
        assert_eq!(QUOTA.remaining(bucket, after), 0, "what was taken is not given back");
        assert_eq!(QUOTA.take(bucket, 1, after), Err(Some(2_000)));
        assert_eq!(QUOTA.reset_after(bucket, after), 60_000);
        // A bucket that was not empty counts as empty, too: its content at that time is unknown.
        let bucket = QUOTA.take(Bucket::default(), 1, before).unwrap();
        assert_eq!(QUOTA.take(bucket, 1, after), Err(Some(2_000)));
        // What is kept of it refills as any other bucket does.
        let kept = QUOTA.clamped(bucket, after);
        assert!(QUOTA.take(kept, 1, at(1_002_000)).is_ok());
        assert_eq!(QUOTA.remaining(kept, at(1_060_000)), 30);
    }

    proptest! {
        #[test]
        fn a_request_is_admitted_exactly_after_the_wait(
            limit in 1..2_000_u32,
            window in 1..100_000_u32,
            costs in prop::collection::vec((1..20_u32, 0..500_i64), 1..60),
        ) {
            let quota = Quota { name: "any", limit, window_millis: window };
            let (mut bucket, mut now) = (Bucket::default(), 1_800_000_000_000);
            for (cost, pause) in costs {
                now += pause;
                match quota.take(bucket, cost, at(now)) {
                    Ok(after) => bucket = after,
                    Err(Some(wait)) => {
                        prop_assert!(cost <= limit);
                        let wait = i64::from(wait);
                        prop_assert!(quota.take(bucket, cost, at(now + wait - 1)).is_err());
                        prop_assert!(quota.take(bucket, cost, at(now + wait)).is_ok());
                    }
                    Err(None) => {
                        prop_assert!(cost > limit);
                        prop_assert!(quota.take(bucket, cost, at(now + 1_000_000)).is_err());
                    }
                }
            }
        }
    }
}
