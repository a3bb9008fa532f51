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
/// The pause between two steps.
const PAUSE: StdDuration = StdDuration::from_millis(50);
/// How long the change log is kept, for processes that could not reach the database.
const CHANGES_KEPT: Duration = Duration::days(1);
/// How long a secret that has ended is listed.
const ENDED_KEPT: Duration = Duration::days(30);

impl Operations {
    /// Stores the last uses and the counted refusals since the last call.
    pub async fn store_notes(&self) {
        self.recorder.record_summaries().await;
        let used = self.last_used.take();
        if !used.is_empty()
            && let Err(error) = self.recorder.store().note_uses(used).await
        {
            log::warn!("last use of secrets was not stored: {error}");
        }
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
            if removed < usize::try_from(STEP).unwrap_or(usize::MAX) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
