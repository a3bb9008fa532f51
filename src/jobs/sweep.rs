//! Removes rows that nobody needs any more, in small steps that no request notices. What is over is refused when it is
//! used, not when it is swept.

use std::time::Duration as StdDuration;

use crate::clock;
use crate::domain::time::{Duration, Timestamp};
use crate::service::SharedServices;
use crate::service::idempotency::{ANSWER_KEPT, SECRET_KEPT};
use crate::store::{StoreError, api_keys, change_log, clients, idempotency, revoked_tokens};

/// Rows in one step.
const STEP: i64 = 500;
/// How long the change log is kept, for nodes that were away.
const CHANGES_KEPT: Duration = Duration::days(1);
/// How long a secret or a key's string that has ended is still shown.
const ENDED_KEPT: Duration = Duration::days(30);

/// Sweeps now and then, for ever.
pub async fn run(services: SharedServices, every: StdDuration) {
    loop {
        if let Err(error) = sweep(&services, clock::now()).await {
            log::warn!("sweeping: {error}");
        }
        tokio::time::sleep(every).await;
    }
}

async fn sweep(services: &SharedServices, now: Timestamp) -> Result<(), StoreError> {
    let store = &services.store;
    loop {
        let removed = store
            .change(move |transaction| {
                let connection = &mut *transaction.connection;
                idempotency::expire(connection, now.minus(SECRET_KEPT), now.minus(ANSWER_KEPT))?;
                let removed = [
                    revoked_tokens::remove_expired(connection, now, STEP)?,
                    change_log::remove_before(connection, now.minus(CHANGES_KEPT), STEP)?,
                    clients::remove_ended_secrets(connection, now.minus(ENDED_KEPT), STEP)?,
                    api_keys::remove_ended_strings(connection, now.minus(ENDED_KEPT), STEP)?,
                ];
                Ok::<_, StoreError>(removed.into_iter().max().unwrap_or(0))
            })
            .await?;
        if removed < usize::try_from(STEP).unwrap_or(usize::MAX) {
            return Ok(());
        }
        tokio::time::sleep(StdDuration::from_millis(50)).await;
    }
}
