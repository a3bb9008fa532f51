//! Decisions and their audit events: nothing is handed out, changed or read without one.

use std::sync::Arc;

use super::audit_context::AuditContext;
use super::error::ServiceError;
use crate::audit::{FloodGate, Journal, NotStored};
use crate::clock::Clock;
use crate::crypto::{CryptoError, random};
use crate::domain::audit::{Action, AuditEvent, Disposition, Origin, Outcome, Reason};
use crate::domain::caller::Caller;
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::store::audit_seconds::Marked;
use crate::store::{AnyConnection, Change, Store, audit_log};

/// The status number that events store for each disposition, which the protocol's layer knows.
pub type StatusOf = fn(Disposition) -> u16;

/// The database, the audit log, and the time: what every use case works with.
#[derive(Debug)]
pub struct Recorder {
    store: Store,
    journal: Journal,
    flood: FloodGate,
    clock: Clock,
    status_of: StatusOf,
}

impl Recorder {
    /// A recorder of what happens in `store`.
    pub fn new(store: Store, journal: Journal, clock: Clock, status_of: StatusOf) -> Self {
        Self { store, journal, flood: FloodGate::default(), clock, status_of }
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The audit log's writer.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// This instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id for a request that arrives now, and the time.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn request_id(&self) -> Result<(RequestId, Timestamp), CryptoError> {
        let now = self.now();
        Ok((random::id(now)?, now))
    }

    /// The origin of what the service does by itself; `path` says what for.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn system_origin(&self, path: &str) -> Result<Arc<Origin>, CryptoError> {
        let (request_id, now) = self.request_id()?;
        Ok(Arc::new(Origin {
            request_id,
            method: "SYSTEM".into(),
            path: path.to_owned(),
            address: None,
            user_agent: String::new(),
            gateway_request_id: None,
            received_at: now,
            started: std::time::Instant::now(),
        }))
    }

    /// The event of `context`.
    ///
    /// # Errors
    /// The operating system gives no randomness for its id.
    pub fn event(
        &self,
        context: &AuditContext,
        outcome: Outcome,
        disposition: Disposition,
        reason: Reason,
    ) -> Result<AuditEvent, CryptoError> {
        let time = self.now();
        Ok(AuditEvent {
            id: random::id(time)?,
            time,
            actor: Arc::clone(&context.actor),
            credential: context.credential.clone(),
            customer: context.customer.clone(),
            action: context.action,
            target: context.target.clone(),
            environment: context.environment,
            outcome,
            status: (self.status_of)(disposition),
            reason,
            jti: context.jti.clone(),
            duration_micros: i64::try_from(context.origin.started.elapsed().as_micros()).unwrap_or(i64::MAX),
            count: 1,
            origin: Arc::clone(&context.origin),
        })
    }

    /// Stores the event of something that was granted or read; without it, nothing may be handed out.
    ///
    /// # Errors
    /// The event is not stored.
    pub async fn record_event(
        &self,
        context: &AuditContext,
        disposition: Disposition,
        reason: Reason,
    ) -> Result<(), NotStored> {
        let event = self.event(context, Outcome::Success, disposition, reason).map_err(|_| NotStored)?;
        self.journal.record(event).await
    }

    /// Stores the event of a refusal, or counts it where a flood of requests names no existing credential. A refusal is
    /// given whether or not its event could be stored: refusing grants nothing.
    pub async fn record_refusal(&self, context: &AuditContext, disposition: Disposition, reason: Reason) {
        let outcome = if disposition.is_fault() { Outcome::Error } else { Outcome::Refused };
        let Ok(event) = self.event(context, outcome, disposition, reason) else { return };
        let time = event.time;
        let event = if context.credential.is_some() { Some(event) } else { self.flood.admit(event, time) };
        match event {
            Some(event) => {
                // The journal has logged why it could not be stored.
                let _refused_all_the_same = self.journal.record(event).await;
            }
            None => self.journal.keep_pace().await,
        }
    }

    /// Whether events can be stored, without which nothing is granted. Where the last could not be, one of this very
    /// question is tried, so that a node which gets no other requests meanwhile finds out when it can again.
    pub async fn can_record(&self, origin: Arc<Origin>) -> bool {
        let probe = AuditContext::of(&Caller::System, Action::AuditProbe, origin);
        !self.journal.is_failing() || self.record_event(&probe, Disposition::Ok, Reason::Ok).await.is_ok()
    }

    /// Stores one summary for each kind of refusals that were only counted since the last call.
    pub async fn record_summaries(&self) {
        for event in self.flood.summaries() {
            // The journal has logged why it could not be stored.
            let _unstored = self.journal.record(event).await;
        }
    }

    /// Changes something and stores the event of it in one transaction; where that is refused, stores the refusal.
    ///
    /// # Errors
    /// The change's own; nothing has been changed then.
    pub async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        context: AuditContext,
        disposition: Disposition,
        change: impl FnOnce(&mut Change<'_>, &mut AuditContext, Timestamp) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (recorder, mut own) = (Arc::clone(self), context.clone());
        let result = self
            .store
            .change(move |transaction| {
                let done = change(transaction, &mut own, recorder.now())?;
                let event = recorder.event(&own, Outcome::Success, disposition, Reason::Ok)?;
                audit_log::insert(transaction.connection, [&event], &Marked::default())?;
                Ok::<_, ServiceError>((done, event))
            })
            .await;
        match result {
            Ok((done, event)) => {
                self.journal.pass_on(event).await;
                Ok(done)
            }
            Err(error) => Err(self.refused(&context, error).await),
        }
    }

    /// Reads something for the caller of `context`, on a connection of the pool.
    ///
    /// # Errors
    /// The query's own, or the event of reading is not stored.
    pub async fn read<T: Send + 'static>(
        &self,
        context: &AuditContext,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.read_because(context, (Disposition::Ok, Reason::Ok), query).await
    }

    /// [`Recorder::read`] for a request that was made before, and shows what it created once more.
    ///
    /// # Errors
    /// As [`Recorder::read`].
    pub async fn replay<T: Send + 'static>(
        &self,
        context: &AuditContext,
        disposition: Disposition,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.read_because(context, (disposition, Reason::Replayed), query).await
    }

    async fn read_because<T: Send + 'static>(
        &self,
        context: &AuditContext,
        (disposition, reason): (Disposition, Reason),
        query: impl FnOnce(&mut AnyConnection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        match self.store.read(query).await {
            Ok(found) => {
                self.record_event(context, disposition, reason).await?;
                Ok(found)
            }
            Err(error) => Err(self.refused(context, error).await),
        }
    }

    /// Stores the event of `error`, which is handed back.
    pub async fn refused(&self, context: &AuditContext, error: ServiceError) -> ServiceError {
        self.record_refusal(context, error.disposition(), error.reason()).await;
        error
    }
}
