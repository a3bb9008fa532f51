//! Rates: a credential's limits, and the generic cell rate algorithm that limits are decided by.

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

/// A quota of `limit` events at once, refilled evenly over `window_millis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Events that a full bucket admits at once; at least 1.
    pub limit: u32,
    /// Milliseconds in which an empty bucket fills up.
    pub window_millis: u32,
}

/// A bucket's whole state: its theoretical arrival time, in milliseconds times the quota's limit, so that the
/// arithmetic is exact in integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket(i64);

impl Quota {
    /// Takes one event at `now`: the bucket afterwards, or, where none is left, the milliseconds until one is.
    ///
    /// # Errors
    /// The bucket is empty; it is left as it was.
    pub fn take(self, bucket: Bucket, now: Timestamp) -> Result<Bucket, u64> {
        let limit = i64::from(self.limit);
        let now = now.millis().saturating_mul(limit);
        let increment = i64::from(self.window_millis);
        let arrival = bucket.0.max(now).saturating_add(increment);
        let excess = arrival - now - increment * limit;
        if excess > 0 {
            return Err(u64::try_from((excess + limit - 1) / limit).unwrap_or(0));
        }
        Ok(Bucket(arrival))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bucket_admits_its_limit_at_once_and_then_refills_evenly() {
        let quota = Quota { limit: 30, window_millis: 60_000 };
        let mut bucket = Bucket::default();
        let start = Timestamp::from_millis(1_000_000);
        for _ in 0..30 {
            bucket = quota.take(bucket, start).unwrap();
        }
        assert_eq!(quota.take(bucket, start), Err(2_000));
        assert_eq!(quota.take(bucket, Timestamp::from_millis(1_001_999)), Err(1));
        assert!(quota.take(bucket, Timestamp::from_millis(1_002_000)).is_ok());
    }
}
