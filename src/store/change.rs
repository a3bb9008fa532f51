//! A change: a transaction with a number, and what it announces.

use super::{AnyConnection, StoreError, change_log};
use crate::domain::change::ChangeKind;
use crate::domain::epoch::Epoch;
use crate::domain::time::Timestamp;

/// A transaction that changes something and announces it in the change log.
pub struct Change<'c> {
    /// The connection, inside the transaction.
    pub connection: &'c mut AnyConnection,
    /// The number of the next announcement or, once there is one, of the last.
    sequence: i64,
    has_announced: bool,
}

impl<'c> Change<'c> {
    /// Takes the number of the change, for which other changes wait from then on.
    pub(super) fn begin(connection: &'c mut AnyConnection) -> Result<Self, StoreError> {
        let sequence = change_log::next_sequence(connection)?;
        Ok(Self { connection, sequence, has_announced: false })
    }

    /// Gives the number back that nothing was announced under.
    pub(super) fn end(self) -> Result<(), StoreError> {
        if self.has_announced { Ok(()) } else { change_log::give_back(self.connection, self.sequence) }
    }

    /// Returns the number of the change, which its next entry in the change log will have.
    pub const fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Tells other processes to drop `subject` from their caches.
    pub fn announce(&mut self, now: Timestamp, kind: ChangeKind, subject: &str) -> Result<(), StoreError> {
        if self.has_announced {
            self.sequence = change_log::next_sequence(self.connection)?;
        }
        self.has_announced = true;
        change_log::append(self.connection, self.sequence, now, kind, subject)
    }

    /// Tells other processes to load the epochs again, since `epoch` was made.
    pub fn announce_epoch(&mut self, now: Timestamp, epoch: &Epoch) -> Result<(), StoreError> {
        self.announce(now, ChangeKind::Epoch, &epoch.sequence.to_string())
    }
}
