//! The limit on failed authentications: per address, and per client and address. It applies only once a secret is known
//! to be wrong, so that a right secret is never refused for the failures of others. There is no lock-out and no
//! deliberate delay.

use std::hash::Hash;
use std::net::IpAddr;

use quick_cache::sync::Cache;

use crate::domain::network::limited_source;
use crate::domain::rate::{Bucket, Quota};
use crate::domain::time::Timestamp;

/// Sources whose failures are counted, so that memory stays bounded.
const SOURCES: usize = 50_000;
/// Longest `client_id`, in bytes, whose failures are counted separately.
const CLIENT_ID_MAX: usize = 64;

/// Counts failed authentications by their source.
#[derive(Debug)]
pub struct FailedAuthentications {
    quota: Quota,
    by_address: Cache<Option<IpAddr>, Bucket>,
    by_client: Cache<(Option<IpAddr>, String), Bucket>,
}

impl FailedAuthentications {
    /// Creates a limit of `per_minute` failures from each source.
    pub fn new(per_minute: u32) -> Self {
        Self {
            quota: Quota { name: "failures", limit: per_minute, window_millis: 60_000 },
            by_address: Cache::new(SOURCES),
            by_client: Cache::new(SOURCES),
        }
    }

    /// Counts a failure of `client_id` from `address`.
    ///
    /// # Errors
    /// The limit is exceeded; the error is the seconds to wait.
    pub fn count(&self, client_id: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), u32> {
        let source = address.map(limited_source);
        let client = (source, crate::domain::text::clipped(client_id, CLIENT_ID_MAX).to_owned());
        let by_address = self.quota.take(self.bucket(&self.by_address, &source, now), 1, now);
        let by_client = self.quota.take(self.bucket(&self.by_client, &client, now), 1, now);
        match (by_address, by_client) {
            (Ok(address_bucket), Ok(client_bucket)) => {
                self.by_address.insert(source, address_bucket);
                self.by_client.insert(client, client_bucket);
                Ok(())
            }
            (first, second) => Err(seconds(first.err().flatten().max(second.err().flatten()))),
        }
    }

    /// Counts a failure from `address` with a key or token that does not exist.
    ///
    /// # Errors
    /// The limit is exceeded; the error is the seconds to wait.
    pub fn count_unknown(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), u32> {
        let source = address.map(limited_source);
        let bucket = self.bucket(&self.by_address, &source, now);
        self.by_address.insert(source, self.quota.take(bucket, 1, now).map_err(seconds)?);
        Ok(())
    }

    /// Returns the bucket of `source`. One from before a step back of the clock is kept as it counts now.
    fn bucket<S: Clone + Eq + Hash>(&self, buckets: &Cache<S, Bucket>, source: &S, now: Timestamp) -> Bucket {
        let kept = buckets.get(source).unwrap_or_default();
        let bucket = self.quota.clamped(kept, now);
        if bucket != kept {
            buckets.insert(source.clone(), bucket);
        }
        bucket
    }
}

/// Whole seconds to wait. One failure costs no more than the limit, so that there is a wait that helps.
fn seconds(millis: Option<u32>) -> u32 {
    millis.unwrap_or(0).div_ceil(1000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_limited_per_address_and_v6_addresses_count_as_their_64() {
        let failures = FailedAuthentications::new(3);
        let now = Timestamp::from_millis(1_000_000);
        let from = |address: &str| Some(address.parse().unwrap());
        for client in ["a", "b", "c"] {
            assert!(failures.count(client, from("2001:db8::1"), now).is_ok());
        }
        assert_eq!(failures.count("d", from("2001:db8::2"), now), Err(20));
        assert!(failures.count("d", from("2001:db8:0:1::1"), now).is_ok());
        assert!(failures.count("a", from("203.0.113.1"), now).is_ok());
        assert!(failures.count("d", from("2001:db8::1"), Timestamp::from_millis(1_020_000)).is_ok());
    }

    #[test]
    fn after_a_step_back_of_the_clock_failures_are_counted_again_within_a_window() {
        let (failures, address) = (FailedAuthentications::new(3), Some("203.0.113.1".parse().unwrap()));
        let at = |millis| Timestamp::from_millis(millis);
        assert!(failures.count("a", address, at(9_000_000)).is_ok());
        assert_eq!(failures.count("a", address, at(1_000_000)), Err(20));
        assert!(failures.count("a", address, at(1_020_000)).is_ok());
    }
}
