//! Housekeeping: stores last uses and counters, and removes rows that are no longer needed, in small steps that do not
//! slow requests. A credential or token that has ended is refused when it is used, not when it is removed.

use std::time::Duration as StdDuration;

use super::Operations;
use crate::domain::lease::Lease;
use crate::domain::time::Duration;
use crate::service::idempotency::{RESPONSE_KEPT, SECRET_KEPT};
use crate::store::{StoreError, change_log, credentials, idempotency, leases, revoked_tokens};

/// Rows per step.
const STEP: i64 = 500;
/// The same, as a count.
const FULL_STEP: usize = 500;
/// Secrets whose last use is stored in one transaction, so that the events of requests are stored in between.
const USES_AT_ONCE: usize = 200;
/// The pause between two steps.
const PAUSE: StdDuration = StdDuration::from_millis(50);
/// How long the change log is kept, for processes that could not reach the database.
const CHANGES_KEPT: Duration = Duration::days(1);
/// How long a secret that has ended is listed.
const ENDED_KEPT: Duration = Duration::days(30);

impl Operations {
    /// Stores the refusals that were only counted since the last call, and checks whether the disk has room for others.
    pub async fn store_summaries(&self) {
        self.recorder.check_disk().await;
        self.recorder.record_summaries().await;
    }

    /// Stores the last uses that wait, until there are none. While the server is busy, some wait longer.
    ///
    /// # Errors
    /// The database cannot be written. The next call stores what is left.
    pub async fn store_last_uses(&self) -> Result<(), StoreError> {
        let _turn = self.last_used.turn().await;
        let pace = self.recorder.journal().pace();
        loop {
            let used = self.last_used.take(USES_AT_ONCE);
            if used.is_empty() {
                return Ok(());
            }
            if let Err(error) = pace.step(self.recorder.store().note_uses(used.clone())).await {
                self.last_used.put_back(used);
                return Err(error);
            }
        }
    }

    /// Flags credentials that have expired since the last call, in small steps, for lists.
    ///
    /// # Errors
    /// The database cannot be written. The next call flags the rest.
    pub async fn flag_expired(&self) -> Result<(), StoreError> {
        while self.recorder.store().flag_expired(self.recorder.now(), STEP).await? == FULL_STEP {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Removes rows that are no longer needed, in small steps.
    ///
    /// # Errors
    /// The database cannot be written, or another process runs this loop now. The next call removes the rest.
    pub async fn sweep(&self, lease: &Lease) -> Result<(), StoreError> {
        loop {
            let (now, lease) = (self.recorder.now(), lease.clone());
            let removed = self
                .recorder
                .store()
                .change(move |transaction| {
                    let connection = &mut *transaction.connection;
                    leases::check(connection, &lease)?;
                    idempotency::expire(connection, now.minus(SECRET_KEPT), now.minus(RESPONSE_KEPT))?;
                    let removed = [
                        revoked_tokens::remove_expired(connection, now, STEP)?,
                        change_log::remove_before(connection, now.minus(CHANGES_KEPT), STEP)?,
                        credentials::remove_ended_secrets(connection, now.minus(ENDED_KEPT), STEP)?,
                    ];
                    Ok::<_, StoreError>(removed.into_iter().max().unwrap_or(0))
                })
                .await?;
            if removed < FULL_STEP {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
