//! Background jobs: following changes, storing last uses and counters, rotating keys, housekeeping. Each is a loop that
//! survives failures: it logs them and tries again.

use std::time::Duration;

use crate::domain::caller::Caller;
use crate::service::SharedServices;
use crate::service::error::ServiceError;
use crate::service::state::change_follower::Followed;

/// A change by another process applies here after at most this time and a query.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);
/// How often last uses and counted refusals are stored.
const STORE_NOTES_EVERY: Duration = Duration::from_secs(1);
/// How often signing keys and credentials are checked for due rotations.
const KEYS_EVERY: Duration = Duration::from_secs(5);
/// How often rows that are no longer needed are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Starts all jobs on the current runtime. They end with it.
pub fn start(services: &SharedServices, followed: Followed) {
    tokio::spawn(follow(services.clone(), followed));
    tokio::spawn(store_notes(services.clone()));
    tokio::spawn(keep_keys(services.clone()));
    tokio::spawn(sweep(services.clone()));
}

async fn follow(services: SharedServices, mut followed: Followed) {
    let mut reachable = true;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        match services.changes.follow(followed).await {
            Ok(next) => {
                followed = next;
                reachable = true;
            }
            Err(error) => {
                if reachable {
                    log::error!("changes cannot be followed: {error}");
                }
                reachable = false;
            }
        }
    }
}

async fn store_notes(services: SharedServices) {
    loop {
        tokio::time::sleep(STORE_NOTES_EVERY).await;
        services.operations.store_notes().await;
    }
}

async fn keep_keys(services: SharedServices) {
    loop {
        tokio::time::sleep(KEYS_EVERY).await;
        if let Err(error) = keep_keys_once(&services).await {
            log::error!("signing keys and due rotations: {error}");
        }
    }
}

/// Rotates and erases signing keys that are due, and flags credentials that have expired or are due for rotation.
///
/// # Errors
/// The database cannot be written. The next call does what is left.
pub async fn keep_keys_once(services: &SharedServices) -> Result<(), ServiceError> {
    let origin = services.recorder.system_origin("keep signing keys")?;
    services.signing_keys.rotate_due(&Caller::System, &origin).await?;
    services.signing_keys.erase_spent(&Caller::System, &origin).await?;
    services.operations.flag_expired().await?;
    let origin = services.recorder.system_origin("flag due rotations")?;
    services.credentials.flag_due_rotations(&origin).await
}

async fn sweep(services: SharedServices) {
    loop {
        if let Err(error) = services.operations.sweep().await {
            log::warn!("sweeping: {error}");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
