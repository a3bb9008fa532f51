//! The last use of secrets, with time and address. It is stored in batches, never by the request itself.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::domain::credential::LastUse;
use crate::domain::ids::SecretId;

/// Secrets that can wait to be stored, at about 100 bytes each. Beyond that, a use is recorded only when the secret is
/// used again.
const WAITING: usize = 131_072;

/// The secrets that were used and not yet stored. Each waits for its turn, however often others are used.
#[derive(Debug, Default)]
pub struct LastUsed {
    waiting: Mutex<Waiting>,
    /// Held while uses are stored, so that an earlier use is never stored after a later one.
    storing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By the digits of the secrets' ids.
    uses: HashMap<[u8; 16], LastUse>,
    /// The same, in the order in which they were first used.
    order: VecDeque<[u8; 16]>,
}

impl LastUsed {
    /// Records that a secret was accepted.
    pub fn note(&self, id: &SecretId, used: LastUse) {
        let (id, mut waiting) = (id.to_bytes(), self.waiting.lock());
        if let Some(last) = waiting.uses.get_mut(&id) {
            *last = used;
        } else if waiting.uses.len() < WAITING {
            waiting.uses.insert(id, used);
            waiting.order.push_back(id);
        }
    }

    /// Waits until nobody else stores uses. Hold what is returned while storing what [`Self::take`] returns.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.storing.lock().await
    }

    /// Takes at most `count` uses to store, those that have waited longest.
    pub fn take(&self, count: usize) -> Vec<(SecretId, LastUse)> {
        let mut waiting = self.waiting.lock();
        let count = count.min(waiting.order.len());
        let first: Vec<[u8; 16]> = waiting.order.drain(..count).collect();
        let taken = first.into_iter().filter_map(|id| Some((SecretId::from_bytes(id), waiting.uses.remove(&id)?)));
        taken.collect()
    }

    /// Puts uses back that could not be stored, before all others. A later use of the same secret stays.
    pub fn put_back(&self, uses: Vec<(SecretId, LastUse)>) {
        let waiting = &mut *self.waiting.lock();
        for (id, used) in uses.into_iter().rev() {
            let id = id.to_bytes();
            if let Entry::Vacant(free) = waiting.uses.entry(id) {
                free.insert(used);
                waiting.order.push_front(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn use_at(seconds: i64) -> LastUse {
        LastUse { at: Timestamp::from_seconds(seconds), address: None }
    }

    #[test]
    fn who_is_used_often_takes_nobody_elses_turn() {
        let (last_used, secret) = (LastUsed::default(), |number| SecretId::from_bytes([number; 16]));
        for (number, at) in [(1, 1), (2, 2), (1, 3), (3, 4), (1, 5)] {
            last_used.note(&secret(number), use_at(at));
        }
        let first = last_used.take(2);
        assert_eq!(first, [(secret(1), use_at(5)), (secret(2), use_at(2))]);
        last_used.note(&secret(2), use_at(6));
        last_used.put_back(first);
        let all = [(secret(1), use_at(5)), (secret(3), use_at(4)), (secret(2), use_at(6))];
        assert_eq!(last_used.take(9), all);
        assert!(last_used.take(9).is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let last_used = LastUsed::default();
        for number in 0..=WAITING as u128 {
            last_used.note(&SecretId::from_bytes(number.to_be_bytes()), use_at(1));
        }
        assert_eq!(last_used.take(usize::MAX).len(), WAITING);
    }
}
