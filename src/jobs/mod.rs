//! Background jobs: following changes, expanding epochs, storing last uses and counters, giving events their positions,
//! sealing them, rotating keys, housekeeping. Each is a loop that survives failures: it logs them and tries again. What
//! must run once in an installation runs under a lease.

use std::time::Duration;

use crate::domain::caller::Caller;
use crate::service::SharedServices;
use crate::service::error::ServiceError;

/// A change by another process applies here after at most this time and a query.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);
/// How often epochs are looked for that are to be expanded.
const EXPAND_EVERY: Duration = Duration::from_secs(1);
/// How often counted refusals are stored.
const SUMMARIZE_EVERY: Duration = Duration::from_secs(1);
/// How often last uses are stored.
const STORE_LAST_USES_EVERY: Duration = Duration::from_secs(1);
/// How long last uses are stored when the process ends.
const LAST_USES_AT_THE_END: Duration = Duration::from_secs(2);
/// How often signing keys and credentials are checked for due rotations.
const KEYS_EVERY: Duration = Duration::from_secs(5);
/// How often rows that are no longer needed are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How often this process shows that it lives, and looks for leases that nobody holds.
const KEEP_LEASES_EVERY: Duration = Duration::from_secs(1);
/// How often stored events get their positions.
const SEQUENCE_EVERY: Duration = Duration::from_millis(500);
/// How often events are looked for that are not indexed.
const INDEX_EVERY: Duration = Duration::from_millis(500);

/// How often events are looked for that are not sealed. Each time makes a row.
const SEAL_EVERY: Duration = Duration::from_secs(5);

/// How often it is read how far the loops are behind the audit log.
const LAG_EVERY: Duration = Duration::from_secs(5);

/// The lease of the positions of events, and of their index.
const SEQUENCER: &str = "sequencer";
/// The lease of the seals of events.
const SEALS: &str = "seals";
/// The lease of signing keys and due rotations.
const KEYS: &str = "keys";
/// The lease of housekeeping.
const SWEEP: &str = "sweep";

/// Starts all jobs on the current runtime. They end with it.
///
/// Those that must run once in an installation take a lease first, which is here when this returns unless another
/// process holds it.
pub async fn start(services: &SharedServices) {
    for name in [SEQUENCER, SEALS, KEYS, SWEEP] {
        services.leases.want(name);
    }
    services.recorder.check_disk().await;
    let works = keep_leases_once(services, true).await;
    tokio::spawn(keep_leases(services.clone(), works));
    let follow = async |services: &SharedServices| Ok(services.changes.follow().await?);
    tokio::spawn(repeat(services.clone(), FOLLOW_EVERY, "changes cannot be followed", follow));
    tokio::spawn(expand_epochs(services.clone()));
    tokio::spawn(summarize(services.clone()));
    let store_last_uses = async |services: &SharedServices| Ok(services.operations.store_last_uses().await?);
    tokio::spawn(repeat(services.clone(), STORE_LAST_USES_EVERY, "last uses are not stored yet", store_last_uses));
    tokio::spawn(repeat(services.clone(), SEQUENCE_EVERY, "audit events get no positions", sequence_once));
    tokio::spawn(repeat(services.clone(), INDEX_EVERY, "audit events are not indexed", index_once));
    tokio::spawn(repeat(services.clone(), SEAL_EVERY, "audit events are not sealed", seal_once));
    let read_lag = async |services: &SharedServices| services.insight.read_lag().await.map(drop);
    if let Err(error) = read_lag(services).await {
        log::warn!("the lag of the audit log is not known: {error}");
    }
    tokio::spawn(repeat(services.clone(), LAG_EVERY, "the lag of the audit log is not known", read_lag));
    tokio::spawn(keep_keys(services.clone()));
    tokio::spawn(sweep(services.clone()));
}

/// Stores what is noted, and returns the leases, so that other processes continue at once.
pub async fn stop(services: &SharedServices) {
    services.operations.store_summaries().await;
    let last_uses = tokio::time::timeout(LAST_USES_AT_THE_END, services.operations.store_last_uses()).await;
    if !matches!(last_uses, Ok(Ok(()))) {
        log::warn!("not all last uses of secrets were stored at the end");
    }
    let own = services.clone();
    let stop_lines = move || {
        if let Some(lines) = &own.lines {
            lines.stop();
        }
    };
    let _ended = tokio::task::spawn_blocking(stop_lines).await;
    if let Err(error) = services.leases.release().await {
        log::warn!("leases are not returned, and expire: {error}");
    }
}

async fn keep_leases(services: SharedServices, mut works: bool) {
    loop {
        tokio::time::sleep(KEEP_LEASES_EVERY).await;
        works = keep_leases_once(&services, works).await;
    }
}

/// Keeps the leases, and returns whether that works. Only the first of several failures is logged.
async fn keep_leases_once(services: &SharedServices, worked: bool) -> bool {
    let kept = services.leases.keep(std::time::Instant::now()).await;
    if let Err(error) = &kept
        && worked
    {
        log::warn!("leases cannot be kept: {error}");
    }
    kept.is_ok()
}

/// Works again and again. Only the first of several failures is logged.
async fn repeat(
    services: SharedServices,
    every: Duration,
    failure: &str,
    work: impl AsyncFn(&SharedServices) -> Result<(), ServiceError>,
) {
    let mut works = true;
    loop {
        tokio::time::sleep(every).await;
        let done = work(&services).await;
        if let Err(error) = &done
            && works
        {
            log::error!("{failure}: {error}");
        }
        works = done.is_ok();
    }
}

/// Gives stored events their positions, if this process holds the lease.
///
/// # Errors
/// The database cannot be written. The next call does what is left.
pub async fn sequence_once(services: &SharedServices) -> Result<(), ServiceError> {
    let Some(lease) = services.leases.held(SEQUENCER) else { return Ok(()) };
    Ok(services.sequencer.step(&lease).await?)
}

/// Indexes events that have positions, if this process holds the lease. While it does that, others get positions.
///
/// # Errors
/// As [`sequence_once`].
pub async fn index_once(services: &SharedServices) -> Result<(), ServiceError> {
    let Some(lease) = services.leases.held(SEQUENCER) else { return Ok(()) };
    Ok(services.sequencer.index(&lease).await?)
}

/// Seals events that have positions, if this process holds the lease.
///
/// # Errors
/// As [`sequence_once`].
pub async fn seal_once(services: &SharedServices) -> Result<(), ServiceError> {
    let Some(lease) = services.leases.held(SEALS) else { return Ok(()) };
    Ok(services.audit_sealer.seal(&lease, services.recorder.now()).await?)
}

/// Writes what epochs have ended into rows and events. Several processes that do it at once take turns, one step each,
/// and do nothing twice; a lease, which saves the others the work, belongs around this loop's one call.
async fn expand_epochs(services: SharedServices) {
    loop {
        tokio::time::sleep(EXPAND_EVERY).await;
        if let Err(error) = services.operations.expand_epochs().await {
            log::warn!("expanding epochs: {error}");
        }
    }
}

async fn summarize(services: SharedServices) {
    loop {
        tokio::time::sleep(SUMMARIZE_EVERY).await;
        services.operations.store_summaries().await;
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

/// Rotates and erases signing keys that are due, and flags credentials that have expired or are due for rotation, if
/// this process holds the lease.
///
/// # Errors
/// The database cannot be written. The next call does what is left.
pub async fn keep_keys_once(services: &SharedServices) -> Result<(), ServiceError> {
    let Some(lease) = services.leases.held(KEYS) else { return Ok(()) };
    let caller = Caller::Job(lease.clone());
    let origin = services.recorder.events().system_origin("keep signing keys")?;
    services.signing_keys.rotate_due(&caller, &origin).await?;
    services.signing_keys.erase_spent(&caller, &origin).await?;
    services.operations.flag_expired().await?;
    let origin = services.recorder.events().system_origin("flag due rotations")?;
    services.credentials.flag_due_rotations(&lease, &origin).await
}

async fn sweep(services: SharedServices) {
    loop {
        if let Some(lease) = services.leases.held(SWEEP)
            && let Err(error) = services.operations.sweep(&lease).await
        {
            log::warn!("sweeping: {error}");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
