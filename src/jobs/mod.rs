//! What runs in the background: following changes, storing what was noted, key rotation, housekeeping. Each is a loop
//! that outlives failures: what fails is logged and tried again.

use std::time::Duration;

use crate::domain::caller::Caller;
use crate::service::SharedServices;
use crate::service::error::ServiceError;
use crate::service::state::change_follower::Followed;

/// Another process's change is in force here after at most this and a query.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);
/// What was used and what was counted is stored this often.
const STORE_NOTES_EVERY: Duration = Duration::from_secs(1);
/// How often signing keys and credentials are checked for being due.
const KEYS_EVERY: Duration = Duration::from_secs(5);
/// How often rows that are no longer needed are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Starts them all on the current runtime; they end with it.
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

/// Rotates and erases signing keys that are due, and flags credentials that are.
///
/// # Errors
/// The database cannot be written; what was not done is done next time.
pub async fn keep_keys_once(services: &SharedServices) -> Result<(), ServiceError> {
    let origin = services.recorder.system_origin("keep signing keys")?;
    services.signing_keys.rotate_due(&Caller::System, &origin).await?;
    services.signing_keys.erase_spent(&Caller::System, &origin).await?;
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
