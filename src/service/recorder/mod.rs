//! Records decisions in the audit log: nothing is issued, changed or read without an event.

mod decision;
mod read;
mod turns;

use std::sync::Arc;
use std::time::Duration;

pub use decision::{Counted, Decision};

use super::audit_context::AuditContext;
use super::authority;
use super::error::ServiceError;
use super::events::Events;
use super::state::change_follower::ChangeFollower;
use crate::audit::{FloodGate, Journal, NotStored};
use crate::domain::audit::{Action, Disposition, Origin, Outcome, Reason};
use crate::domain::caller::Caller;
use crate::domain::change::{Basis, Position};
use crate::domain::time::Timestamp;
use crate::store::{Change, Store, StoreError, audit_log, leases};
use decision::Verdict;
use turns::{Turn, Turns};

/// How often a decision is made that changes overtake, before the service gives up for now.
const ATTEMPTS: usize = 4;
/// From this one on, the changes of this process wait meanwhile.
const HOLDING_FROM: usize = 2;
/// How long a call waits until what has changed is applied, while others do the same.
const CATCHING_UP: Duration = Duration::from_secs(10);

/// The database, the audit log and the clock of the use cases.
#[derive(Debug)]
pub struct Recorder {
    store: Store,
    journal: Journal,
    flood: FloodGate,
    changes: Arc<ChangeFollower>,
    events: Events,
    turns: Turns,
}

impl Recorder {
    /// Creates a recorder of what happens in `store`.
    pub fn new(store: Store, journal: Journal, changes: Arc<ChangeFollower>, events: Events) -> Self {
        Self { store, journal, flood: FloodGate::default(), changes, events, turns: Turns::default() }
    }

    /// Returns the database that changes and events are stored in.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the writer of the audit log.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns the source of events and of the time.
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// Returns the current time by the clock.
    pub fn now(&self) -> Timestamp {
        self.events.now()
    }

    /// Decides, and stores the event of the decision. If something that it is based on has changed when the event is to
    /// be stored, in this process or another, the changes are applied and `decide` decides again. It is given the state
    /// of the database that its look-ups begin with.
    ///
    /// # Errors
    /// The event of what was granted cannot be stored, or changes overtook each attempt.
    pub async fn decide<T>(&self, mut decide: impl AsyncFnMut(Position) -> Decision<T>) -> Result<T, NotStored> {
        let (mut overtaken, mut is_stored_singly) = (None, None);
        for attempt in 0..ATTEMPTS {
            let _changes_wait = if attempt < HOLDING_FROM { None } else { self.turns.hold().await };
            if attempt > 0 {
                self.follow().await?;
            }
            let decision = decide(self.changes.position()).await;
            let basis = decision.basis;
            let stored = match decision.verdict {
                Verdict::Pending => Ok(()),
                Verdict::Granted(disposition, reason) => {
                    self.record_event(&decision.context, disposition, reason, basis).await
                }
                Verdict::Refused(disposition, reason) => {
                    let refusal = (disposition, reason, basis);
                    match self.record_refusal(&decision.context, refusal, &mut is_stored_singly).await {
                        // The journal has logged why it could not be stored.
                        Err(NotStored::Failed) => Ok(()),
                        other => other,
                    }
                }
            };
            match stored {
                Ok(()) => return Ok(decision.result),
                Err(NotStored::Failed) => return Err(NotStored::Failed),
                Err(NotStored::Stale) => {}
            }
            overtaken = Some(decision.context);
        }
        if let Some(context) = overtaken {
            let refusal = (Disposition::Unavailable, Reason::Overtaken, Basis::default());
            let _refused_anyway = self.record_refusal(&context, refusal, &mut is_stored_singly).await;
        }
        Err(NotStored::Stale)
    }

    /// Applies what has changed until now, for a call of which parts are not decided again when changes overtake it: it
    /// then begins with what is true, and what made its caller one is read again in the transaction of its change.
    ///
    /// # Errors
    /// The changes cannot be read in time; the refusal is recorded.
    pub async fn catch_up(&self, context: &AuditContext) -> Result<(), NotStored> {
        let followed = tokio::time::timeout(CATCHING_UP, self.follow()).await.unwrap_or(Err(NotStored::Failed));
        if followed.is_err() {
            self.record_final_refusal(context, Disposition::Unavailable, Reason::StoreUnavailable).await;
        }
        followed
    }

    /// Applies the changes that overtook a decision.
    async fn follow(&self) -> Result<(), NotStored> {
        self.changes.follow().await.map_err(|error| {
            log::error!("changes cannot be followed: {error}");
            NotStored::Failed
        })
    }

    /// Stores the event of something that was granted or read. Without it, nothing may be issued.
    ///
    /// # Errors
    /// The event cannot be stored, or something has changed that `basis` has looked at.
    pub async fn record_event(
        &self,
        context: &AuditContext,
        disposition: Disposition,
        reason: Reason,
        basis: Basis,
    ) -> Result<(), NotStored> {
        let event = self.events.event(context, Outcome::Success, disposition, reason).map_err(|_| NotStored::Failed)?;
        self.journal.record(event, basis).await
    }

    /// Stores the event of a refusal, or only counts it in a flood of refusals. Which of them, is determined once for a
    /// request, however often it is decided.
    ///
    /// # Errors
    /// As [`Recorder::record_event`].
    async fn record_refusal(
        &self,
        context: &AuditContext,
        (disposition, reason, basis): (Disposition, Reason, Basis),
        is_stored_singly: &mut Option<bool>,
    ) -> Result<(), NotStored> {
        let outcome = if disposition.is_fault() { Outcome::Error } else { Outcome::Refused };
        let event = self.events.event(context, outcome, disposition, reason).map_err(|_| NotStored::Failed)?;
        if *is_stored_singly.get_or_insert_with(|| self.flood.admit(&event, context.claimed())) {
            return self.journal.record(event, basis).await;
        }
        let reason = event.reason;
        // Before the wait: a caller that hangs up is counted, too.
        self.flood.count(event);
        let paced = self.journal.keep_pace(basis).await;
        if paced == Err(NotStored::Stale) {
            self.flood.take_back(reason);
        }
        paced
    }

    /// Stores the event of a refusal that no change could turn into anything else. The request is refused whether or
    /// not the event could be stored.
    pub async fn record_final_refusal(&self, context: &AuditContext, disposition: Disposition, reason: Reason) {
        // The journal has logged why it could not be stored.
        let refusal = (disposition, reason, Basis::default());
        let _refused_anyway = self.record_refusal(context, refusal, &mut None).await;
    }

    /// Returns whether events can be stored, without which nothing is granted. If the last could not be, it tries to
    /// store one about this check, so that a node without other requests notices when it can again.
    pub async fn can_record(&self, origin: Arc<Origin>) -> bool {
        let probe = AuditContext::of(&Caller::System, Action::AuditProbe, origin);
        !self.journal.is_failing()
            || self.record_event(&probe, Disposition::Ok, Reason::Ok, Basis::default()).await.is_ok()
    }

    /// Returns what limits stored refusals.
    pub const fn flood(&self) -> &FloodGate {
        &self.flood
    }

    /// Stops storing refusals while less disk is free than is set, so that what is granted can still be stored.
    pub async fn check_disk(&self) {
        let Some(disk) = self.store.free_disk().await else { return };
        if self.flood.set_disk_low(disk.is_low()) {
            if disk.is_low() {
                log::error!("less than min_free_disk is free ({disk}): refusals are not stored until there is more");
            } else {
                log::info!("enough disk is free again ({disk}): refusals are stored");
            }
        }
    }

    /// Stores one summary for each reason of refusals that were only counted since the last call.
    pub async fn record_summaries(&self) {
        for event in self.flood.summaries() {
            // The journal has logged why it could not be stored.
            let _unstored = self.journal.record(event, Basis::default()).await;
        }
    }

    /// Changes something for `caller` and stores its event in one transaction. The transaction reads again what made
    /// the caller one, after all earlier changes, and gives `change` the caller as it is then. If the change is
    /// refused, stores the event of the refusal.
    ///
    /// # Errors
    /// The change is refused or fails. Nothing has changed then.
    pub async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        caller: &Caller,
        context: AuditContext,
        disposition: Disposition,
        change: impl FnOnce(&mut Change<'_>, &mut AuditContext, &Caller, Timestamp) -> Result<T, ServiceError>
        + Send
        + 'static,
    ) -> Result<T, ServiceError> {
        let turn = match self.turn().await {
            Ok(turn) => turn,
            Err(error) => return Err(self.refused(&context, error.into()).await),
        };
        let (recorder, caller, mut own) = (Arc::clone(self), caller.clone(), context.clone());
        let result = self
            .store
            .change(move |transaction| {
                if let Some(lease) = &own.lease {
                    leases::check(transaction.connection, lease)?;
                }
                let now = recorder.now();
                let calling = authority::read_again(transaction.connection, &caller, Position::default(), now)?;
                require_same(&caller, &calling)?;
                let done = change(transaction, &mut own, &calling, now)?;
                let event = recorder.events.event(&own, Outcome::Success, disposition, Reason::Ok)?;
                audit_log::insert(transaction.connection, [&event])?;
                Ok::<_, ServiceError>(done)
            })
            .await;
        drop(turn);
        match result {
            Ok(done) => {
                self.journal.count_stored(1);
                Ok(done)
            }
            Err(error) => Err(self.refused(&context, error).await),
        }
    }

    /// Waits for the turn of a change, which ends when what this returns is dropped.
    ///
    /// # Errors
    /// Too many others wait, or one takes too long.
    pub async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        self.turns.take().await
    }

    /// Applies the changes that overtook a decision, and returns its caller as it is now.
    ///
    /// # Errors
    /// It is no caller any more, or lacks the permission of its call.
    pub async fn caller_again(&self, caller: &Caller) -> Result<Caller, ServiceError> {
        self.follow().await?;
        let (position, now, own) = (self.changes.position(), self.now(), caller.clone());
        let again = self.store.read(move |connection| authority::read_again(connection, &own, position, now)).await?;
        require_same(caller, &again)?;
        Ok(again)
    }

    /// Stores the event of `error`, and returns the error.
    pub async fn refused(&self, context: &AuditContext, error: ServiceError) -> ServiceError {
        self.record_final_refusal(context, error.disposition(), error.reason()).await;
        error
    }
}

/// Checks that a caller acts on the same objects as when its call was read: what it did not name is its own.
fn require_same(was: &Caller, now: &Caller) -> Result<(), ServiceError> {
    match (was, now) {
        (Caller::Credential(was), Caller::Credential(now)) if !now.acts_as(was) => Err(ServiceError::Overtaken),
        _ => Ok(()),
    }
}
