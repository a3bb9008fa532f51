//! Limits stored refusals, so that a flood of requests cannot fill the disk: each is stored as an event up to a rate
//! for each client or key as claimed, for each source, and for all. Beyond, refusals are counted, and stored as one
//! summary a second for each reason. Whether a credential exists makes no difference: time and rows must not show it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use quick_cache::unsync::Cache;

use super::summary::Summaries;
use crate::domain::audit::{AuditEvent, Claimed, Reason};
use crate::domain::network::{limited_block, limited_source};
use crate::domain::rate::{Bucket, Quota};
use crate::domain::time::Timestamp;

/// Refusals of one client or key, as claimed, from one source.
const OF_CLAIMED: Quota = Quota { name: "claimed", limit: 30, window_millis: 60_000 };
/// Refusals from one IPv4 address or one IPv6 /48, and so from each /64 in it.
const OF_SOURCE: Quota = Quota { name: "source", limit: 100, window_millis: 60_000 };
/// Refusals in all, whatever addresses and ids they have.
const OF_ALL: Quota = Quota { name: "all", limit: 1_000, window_millis: 60_000 };
/// Buckets of each kind that are kept, at about 80 bytes each. One that is evicted is full again; the bucket of all
/// refusals bounds what that yields.
const BUCKETS: usize = 50_000;

/// A client or key as claimed, and the source of the claim.
type Claim = (Claimed, Option<IpAddr>);

/// Decides which refusals are stored as single events, and counts the others.
#[derive(Debug)]
pub struct FloodGate {
    state: Mutex<State>,
    summed: AtomicU64,
}

struct State {
    by_claim: Cache<Claim, Bucket>,
    by_source: Cache<Option<IpAddr>, Bucket>,
    all: Bucket,
    summaries: Summaries,
    is_disk_low: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("is_disk_low", &self.is_disk_low).finish_non_exhaustive()
    }
}

impl Default for FloodGate {
    fn default() -> Self {
        let state = State {
            by_claim: Cache::new(BUCKETS),
            by_source: Cache::new(BUCKETS),
            all: Bucket::default(),
            summaries: Summaries::default(),
            is_disk_low: false,
        };
        Self { state: Mutex::new(state), summed: AtomicU64::new(0) }
    }
}

impl FloodGate {
    /// Returns whether the refusal that `event` records is to be stored as an event of its own. `claimed` is what its
    /// request claims to be.
    pub fn admit(&self, event: &AuditEvent, claimed: Option<Claimed>) -> bool {
        let mut state = self.state.lock();
        !state.is_disk_low && state.take(claimed, event.origin.address, event.time)
    }

    /// Counts a refusal for the next summary of its reason.
    pub fn count(&self, event: AuditEvent) {
        self.summed.fetch_add(1, Ordering::Relaxed);
        self.state.lock().summaries.add(event);
    }

    /// Takes back a refusal that was counted, because it is decided again.
    pub fn take_back(&self, reason: Reason) {
        self.summed.fetch_sub(1, Ordering::Relaxed);
        self.state.lock().summaries.take_back(reason);
    }

    /// Returns the summaries since the last call, one for each reason; none while too little disk is free, until when
    /// they continue to count.
    pub fn summaries(&self) -> Vec<AuditEvent> {
        let mut state = self.state.lock();
        if state.is_disk_low { vec![] } else { state.summaries.drain() }
    }

    /// Stops storing refusals while too little disk is free. Returns whether that has changed.
    pub fn set_disk_low(&self, is_low: bool) -> bool {
        std::mem::replace(&mut self.state.lock().is_disk_low, is_low) != is_low
    }

    /// Returns whether refusals are not stored, because too little disk is free.
    pub fn is_disk_low(&self) -> bool {
        self.state.lock().is_disk_low
    }

    /// Returns how many refusals were counted instead of stored since the start.
    pub fn summed(&self) -> u64 {
        self.summed.load(Ordering::Relaxed)
    }
}

impl State {
    /// Takes a refusal from all its buckets, or from none.
    fn take(&mut self, claimed: Option<Claimed>, address: Option<IpAddr>, now: Timestamp) -> bool {
        let claim = claimed.map(|claimed| (claimed, address.map(limited_source)));
        let source = address.map(limited_block);
        let of_claim = claim.as_ref().and_then(|claim| self.by_claim.get(claim).copied()).unwrap_or_default();
        let of_source = self.by_source.get(&source).copied().unwrap_or_default();
        let kept = [(OF_CLAIMED, of_claim), (OF_SOURCE, of_source), (OF_ALL, self.all)];
        let clamped = kept.map(|(quota, bucket)| quota.clamped(bucket, now));
        let mut after = clamped;
        for ((quota, _), bucket) in kept.iter().zip(&mut after) {
            let Ok(taken) = quota.take(*bucket, 1, now) else {
                self.keep(claim, source, clamped);
                return false;
            };
            *bucket = taken;
        }
        self.keep(claim, source, after);
        true
    }

    fn keep(&mut self, claim: Option<Claim>, source: Option<IpAddr>, [of_claim, of_source, all]: [Bucket; 3]) {
        if let Some(claim) = claim {
            self.by_claim.insert(claim, of_claim);
        }
        self.by_source.insert(source, of_source);
        self.all = all;
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::samples::refusal;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn claimed(number: u32) -> Claimed {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&number.to_be_bytes());
        Claimed::of(&digest)
    }

    fn is_stored(gate: &FloodGate, address: &str, client: u32, now: Timestamp) -> bool {
        gate.admit(&refusal(address, Reason::WrongSecret, now), Some(claimed(client)))
    }

    /// Counts the refusals that are stored singly of those from these addresses by these clients.
    fn stored(gate: &FloodGate, senders: impl IntoIterator<Item = (String, u32)>) -> usize {
        senders.into_iter().filter(|(address, client)| is_stored(gate, address, *client, NOW)).count()
    }

    #[test]
    fn one_client_from_one_source_is_stored_30_times_a_minute() {
        let gate = FloodGate::default();
        assert_eq!(stored(&gate, (0..1_000).map(|_| ("203.0.113.1".to_owned(), 1))), 30);
        assert!(is_stored(&gate, "203.0.113.1", 2, NOW), "another client");
        assert!(is_stored(&gate, "203.0.113.2", 1, NOW), "another source");
        assert!(is_stored(&gate, "203.0.113.1", 1, Timestamp::from_millis(1_002_000)), "two seconds later");
        let gate = FloodGate::default();
        assert_eq!(stored(&gate, (0..1_000).map(|n| (format!("2001:db8::{n:x}"), 1))), 30, "one /64 is one source");
    }

    #[test]
    fn one_source_is_stored_100_times_a_minute_whatever_it_claims() {
        for address in [
            (|_| "203.0.113.1".to_owned()) as fn(u32) -> String,
            |n| format!("2001:db8:0:1::{n:x}"),
            |n| format!("2001:db8:0:{n:x}::1"),
        ] {
            let gate = FloodGate::default();
            assert_eq!(stored(&gate, (0..1_000).map(|n| (address(n), n))), 100, "{}", address(7));
            assert!(is_stored(&gate, "2001:db8:1::1", 1, NOW), "another /48");
        }
        let gate = FloodGate::default();
        let nothing_claimed =
            (0..1_000).filter(|_| gate.admit(&refusal("10.0.0.1", Reason::InvalidRequest, NOW), None));
        assert_eq!(nothing_claimed.count(), 100);
    }

    #[test]
    fn a_thousand_are_stored_a_minute_in_all_and_the_buckets_stay_bounded() {
        let gate = FloodGate::default();
        let spread = (0..200_000_u32).map(|n| (format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255), n));
        assert_eq!(stored(&gate, spread), 1_000);
        let state = gate.state.lock();
        assert!(state.by_claim.len() <= BUCKETS && state.by_source.len() <= BUCKETS);
    }

    #[test]
    fn a_step_back_of_the_clock_stores_again_within_a_window() {
        let gate = FloodGate::default();
        let at = Timestamp::from_millis;
        assert!(is_stored(&gate, "10.0.0.1", 1, at(9_000_000)));
        assert!(!is_stored(&gate, "10.0.0.1", 1, at(1_000_000)));
        assert!(is_stored(&gate, "10.0.0.1", 1, at(1_002_000)));
    }

    #[test]
    fn while_little_disk_is_free_refusals_are_counted_and_stored_later() {
        let gate = FloodGate::default();
        assert!(gate.set_disk_low(true) && !gate.set_disk_low(true));
        for _ in 0..7 {
            assert!(!is_stored(&gate, "10.0.0.1", 1, NOW));
            gate.count(refusal("10.0.0.1", Reason::WrongSecret, NOW));
        }
        assert!(gate.is_disk_low() && gate.summaries().is_empty());
        assert!(gate.set_disk_low(false));
        assert_eq!(gate.summaries().iter().map(|event| event.count).collect::<Vec<_>>(), [7]);
        assert!(is_stored(&gate, "10.0.0.1", 1, NOW), "nothing was taken meanwhile");
        assert_eq!(gate.summed(), 7);
    }
}
