//! Limits stored refusals. Refusals of requests without an existing credential are stored as single events up to 100
//! per minute and address; the rest is stored as one summary per second with a count, so that a flood of requests
//! cannot fill the disk.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use crate::domain::audit::{Action, AuditEvent, Reason};
use crate::domain::network::limited_source;
use crate::domain::rate::{Bucket, Quota};
use crate::domain::time::Timestamp;

/// Refusals of one address that are stored as single events.
const SINGLY: Quota = Quota { name: "refusals", limit: 100, window_millis: 60_000 };
/// Addresses whose rates are cached.
const ADDRESSES: usize = 50_000;
/// Kinds of refusals with a summary of their own in one second; the others share one.
const SUMMARIES: usize = 20;

/// The refusals that share a summary: those from one source for the same reason.
type Kind = (Option<IpAddr>, Option<(Action, Reason)>);

/// Decides which refusals are stored as single events, and counts the others.
#[derive(Debug)]
pub struct FloodGate {
    buckets: Cache<Option<IpAddr>, Bucket>,
    counted: Mutex<HashMap<Kind, AuditEvent>>,
}

impl Default for FloodGate {
    fn default() -> Self {
        Self { buckets: Cache::new(ADDRESSES), counted: Mutex::default() }
    }
}

impl FloodGate {
    /// Returns the event if it is to be stored as a single event; otherwise counts it for the next summary.
    pub fn admit(&self, event: AuditEvent, now: Timestamp) -> Option<AuditEvent> {
        let source = event.origin.address.map(limited_source);
        let kept = self.buckets.get(&source).unwrap_or_default();
        let bucket = SINGLY.clamped(kept, now);
        let taken = SINGLY.take(bucket, 1, now);
        let after = taken.unwrap_or(bucket);
        if after != kept {
            self.buckets.insert(source, after);
        }
        if taken.is_ok() {
            return Some(event);
        }
        let mut counted = self.counted.lock();
        let own = (source, Some((event.action, event.reason)));
        let kind = if counted.len() < SUMMARIES || counted.contains_key(&own) { own } else { (None, None) };
        match counted.get_mut(&kind) {
            Some(summary) => summary.count += 1,
            None => {
                counted.insert(kind, event);
            }
        }
        None
    }

    /// Returns the summaries since the last call: for each kind its first event, with the number of events that it
    /// represents.
    pub fn summaries(&self) -> Vec<AuditEvent> {
        self.counted.lock().drain().map(|(_, event)| event).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::audit::{Origin, Outcome};
    use crate::domain::ids::{EventId, RequestId};

    fn refusal(address: &str, now: Timestamp) -> AuditEvent {
        AuditEvent {
            id: EventId::floor(now),
            time: now,
            actor: "anonymous".into(),
            credential: None,
            customer: None,
            action: Action::TokenIssue,
            target: None,
            environment: None,
            outcome: Outcome::Refused,
            status: 401,
            reason: Reason::UnknownClient,
            jti: None,
            duration_micros: 0,
            count: 1,
            origin: Arc::new(Origin {
                request_id: RequestId::floor(now),
                method: "POST".into(),
                path: "/api/oauth/token".into(),
                address: Some(address.parse().unwrap()),
                user_agent: String::new(),
                gateway_request_id: None,
                received_at: now,
                started: std::time::Instant::now(),
            }),
        }
    }

    #[test]
    fn a_flood_is_stored_singly_up_to_its_quota_and_counted_beyond() {
        let gate = FloodGate::default();
        let now = Timestamp::from_millis(1_000_000);
        let stored = (0..1_000).filter(|_| gate.admit(refusal("203.0.113.1", now), now).is_some()).count();
        assert_eq!(stored, 100);
        assert!(gate.admit(refusal("203.0.113.2", now), now).is_some(), "another address is not affected");
        let summaries = gate.summaries();
        assert_eq!(summaries.iter().map(|event| event.count).collect::<Vec<_>>(), [900]);
        assert!(gate.summaries().is_empty());
    }

    #[test]
    fn many_addresses_share_summaries() {
        let gate = FloodGate::default();
        let now = Timestamp::from_millis(1_000_000);
        let total: i64 = 101 * 300;
        for address in 0..300 {
            for _ in 0..101 {
                gate.admit(refusal(&format!("10.0.{}.{}", address / 250, address % 250), now), now);
            }
        }
        let summaries = gate.summaries();
        assert!(summaries.len() <= SUMMARIES + 1);
        assert_eq!(summaries.iter().map(|event| event.count).sum::<i64>(), total - 300 * 100);
    }
}
