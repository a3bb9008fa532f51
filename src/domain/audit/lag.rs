//! How far the loops that follow the audit log are behind it.

use crate::domain::time::Timestamp;

/// What is stored, and not yet followed by a loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditLag {
    /// When the oldest event happened that has no position.
    pub unpositioned_since: Option<Timestamp>,
    /// When the oldest event happened that is not sealed.
    pub unsealed_since: Option<Timestamp>,
    /// Events that have a position and are not in the index for lists. A batch of 4,096 is indexed at once.
    pub unindexed: i64,
}
