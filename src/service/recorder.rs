//! Records decisions in the audit log: nothing is issued, changed or read without an event.

use std::sync::Arc;
use std::time::Instant;

use super::audit_context::AuditContext;
use super::error::ServiceError;
use crate::audit::{FloodGate, Journal, NotStored};
use crate::clock::Clock;
use crate::crypto::{CryptoError, random};
use crate::domain::audit::{Action, AuditEvent, Disposition, Origin, Outcome, Reason};
use crate::domain::caller::Caller;
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::store::audit_seconds::KnownEntries;
use crate::store::{AnyConnection, Change, Store, audit_log};

/// Converts a disposition to the HTTP status that events store, which only the layer `http` knows.
pub type StatusOf = fn(Disposition) -> u16;

/// The database, the audit log and the clock of the use cases.
#[derive(Debug)]
pub struct Recorder {
    store: Store,
    journal: Journal,
    flood: FloodGate,
    clock: Clock,
    status_of: StatusOf,
}

impl Recorder {
    /// Creates a recorder of what happens in `store`.
    pub fn new(store: Store, journal: Journal, clock: Clock, status_of: StatusOf) -> Self {
        Self { store, journal, flood: FloodGate::default(), clock, status_of }
    }

    /// Returns the database that changes and events are stored in.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the writer of the audit log.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns the current time by the clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the latest time that the clock has shown: no token of this process was issued later.
    pub fn latest(&self) -> Timestamp {
        self.clock.latest()
    }

    /// Creates an id for a request that arrives now, and returns it with the time.
    ///
    /// # Errors
    /// The operating system provides no randomness.
    pub fn request_id(&self) -> Result<(RequestId, Timestamp), CryptoError> {
        let now = self.now();
        Ok((random::id(now)?, now))
    }

    /// Creates the origin of a background job; `path` names the job.
    ///
    /// # Errors
    /// The operating system provides no randomness.
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

    /// Creates the event of `context`.
    ///
    /// # Errors
    /// The operating system provides no randomness for its id.
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

    /// Stores the event of something that was granted or read. Without it, nothing may be issued.
    ///
    /// # Errors
    /// The event cannot be stored.
    pub async fn record_event(
        &self,
        context: &AuditContext,
        disposition: Disposition,
        reason: Reason,
    ) -> Result<(), NotStored> {
        let event = self.event(context, Outcome::Success, disposition, reason).map_err(|_| NotStored)?;
        self.journal.record(event).await
    }

    /// Stores the event of a refusal, or only counts it in a flood of requests that name no existing credential. The
    /// request is refused whether or not its event could be stored: refusing grants nothing.
    pub async fn record_refusal(&self, context: &AuditContext, disposition: Disposition, reason: Reason) {
        let outcome = if disposition.is_fault() { Outcome::Error } else { Outcome::Refused };
        let Ok(event) = self.event(context, outcome, disposition, reason) else { return };
        let time = event.time;
        let event = if context.credential.is_some() { Some(event) } else { self.flood.admit(event, time) };
        match event {
            Some(event) => {
                // The journal has logged why it could not be stored.
                let _refused_anyway = self.journal.record(event).await;
            }
            None => self.journal.keep_pace().await,
        }
    }

    /// Returns whether events can be stored, without which nothing is granted. If the last could not be, it tries to
    /// store one about this check, so that a node without other requests notices when it can again.
    pub async fn can_record(&self, origin: Arc<Origin>) -> bool {
        let probe = AuditContext::of(&Caller::System, Action::AuditProbe, origin);
        !self.journal.is_failing() || self.record_event(&probe, Disposition::Ok, Reason::Ok).await.is_ok()
    }

    /// Stores one summary per kind of refusal that was only counted since the last call.
    pub async fn record_summaries(&self) {
        for event in self.flood.summaries() {
            // The journal has logged why it could not be stored.
            let _unstored = self.journal.record(event).await;
        }
    }

    /// Changes something and stores its event in one transaction. If the change is refused, stores the event of the
    /// refusal.
    ///
    /// # Errors
    /// The change is refused or fails. Nothing has changed then.
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
                audit_log::insert(transaction.connection, [&event], &KnownEntries::default())?;
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

    /// Reads something for the caller of `context`, with a pooled connection.
    ///
    /// # Errors
    /// The query fails, or its event cannot be stored.
    pub async fn read<T: Send + 'static>(
        &self,
        context: &AuditContext,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.read_because(context, (Disposition::Ok, Reason::Ok), query).await
    }

    /// Reads as [`Recorder::read`] does, for a repeated request that shows again what the first one created.
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
        let found = self.store.read(query).await;
        self.shown(context, (disposition, reason), found).await
    }

    /// Reads as [`Recorder::read`] does, for lists: `query` may be slow, and returns what it has at its deadline.
    ///
    /// # Errors
    /// As [`Recorder::read`].
    pub async fn read_slowly<T: Send + 'static>(
        &self,
        context: &AuditContext,
        query: impl FnOnce(&mut AnyConnection, Instant) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let found = self.store.read_slowly(query).await;
        self.shown(context, (Disposition::Ok, Reason::Ok), found).await
    }

    /// Returns what was read, once its event is stored.
    async fn shown<T>(
        &self,
        context: &AuditContext,
        (disposition, reason): (Disposition, Reason),
        found: Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        match found {
            Ok(found) => {
                self.record_event(context, disposition, reason).await?;
                Ok(found)
            }
            Err(error) => Err(self.refused(context, error).await),
        }
    }

    /// Stores the event of `error`, and returns the error.
    pub async fn refused(&self, context: &AuditContext, error: ServiceError) -> ServiceError {
        self.record_refusal(context, error.disposition(), error.reason()).await;
        error
    }
}
