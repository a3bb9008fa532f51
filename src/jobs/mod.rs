//! What runs in the background: following changes, noting what was used, summaries of floods, key rotation, sweeping. Each
//! is a loop that outlives failures: what fails is logged and tried again.

mod sweep;

use std::time::Duration;

use crate::app::system_origin;
use crate::domain::caller::Caller;
use crate::service::SharedServices;
use crate::service::follow_changes::Followed;

/// Another process's change is in force here after at most this and a query.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);
/// What was used and what was counted is stored this often.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// How often it is asked whether a signing key or a credential is due.
const KEYS_EVERY: Duration = Duration::from_secs(5);
/// How often rows that nobody needs are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Starts them all on the current runtime; they end with it.
pub fn start(services: &SharedServices, followed: Followed) {
    tokio::spawn(follow(services.clone(), followed));
    tokio::spawn(note(services.clone()));
    tokio::spawn(keep_keys(services.clone()));
    tokio::spawn(sweep::run(services.clone(), SWEEP_EVERY));
}

async fn follow(services: SharedServices, mut followed: Followed) {
    let mut reachable = true;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        match services.follow_changes(followed).await {
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

async fn note(services: SharedServices) {
    loop {
        tokio::time::sleep(NOTE_EVERY).await;
        note_once(&services).await;
    }
}

/// Stores what was used and what was counted since the last time. Also the last thing before the process stops.
pub async fn note_once(services: &SharedServices) {
    for event in services.flood.summaries() {
        // The journal has logged why it could not be stored.
        let _unstored = services.journal.record(event).await;
    }
    let used = services.in_use.take();
    if !used.is_empty()
        && let Err(error) = services.store.note_uses(used).await
    {
        log::warn!("last use of secrets and keys was not noted: {error}");
    }
}

async fn keep_keys(services: SharedServices) {
    loop {
        tokio::time::sleep(KEYS_EVERY).await;
        let Ok(origin) = system_origin("keep signing keys") else { continue };
        let kept = async {
            services.rotate_due_signing_keys(&Caller::System, &origin).await?;
            services.erase_spent_signing_keys(&Caller::System, &origin).await
        };
        if let Err(error) = kept.await {
            log::error!("signing keys: {error}");
        }
        let Ok(origin) = system_origin("note due rotations") else { continue };
        if let Err(error) = services.note_due_rotations(&origin).await {
            log::error!("credentials that are due to be rotated: {error}");
        }
    }
}
