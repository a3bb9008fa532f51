//! Reads the audit log.

use std::sync::Arc;

use parking_lot::Mutex;

use super::audit_context::AuditContext;
use super::error::ServiceError;
use super::recorder::Recorder;
use crate::audit::seal;
use crate::domain::audit::{Action, AuditLag, Disposition, EventFilter, Origin, Reason, RecordedEvent, Verification};
use crate::domain::caller::Caller;
use crate::domain::change::Basis;
use crate::domain::environment::Environment;
use crate::domain::ids::EventId;
use crate::domain::listing::Listing;
use crate::store::{AnyConnection, StoreError, audit_chain, audit_list, customers};

/// The use cases of the audit log.
#[derive(Debug)]
pub struct Insight {
    recorder: Arc<Recorder>,
    /// How far the loops that follow the log were behind it.
    lag: Mutex<Option<AuditLag>>,
}

impl Insight {
    /// Creates the use cases of this database and its log.
    pub fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder, lag: Mutex::default() }
    }

    /// Lists events that are visible to the caller, newest first. A list that takes too long returns what it has.
    ///
    /// # Errors
    /// The database cannot be read, or the event of reading not be stored.
    pub async fn list_events(
        &self,
        caller: &Caller,
        mut filter: EventFilter,
        limit: usize,
        origin: Arc<Origin>,
    ) -> Result<Listing<RecordedEvent, EventId>, ServiceError> {
        let context = AuditContext::of(caller, Action::AuditList, origin);
        if let Some(own) = caller.environment() {
            let asked_for_another = filter.environment.as_deref().is_some_and(|asked| asked != own.as_str());
            if asked_for_another {
                return self.recorder.read(caller, &context, |_, _| Ok(Listing::empty())).await;
            }
            // What all environments share is managed from production, and visible from there only.
            filter.with_shared = filter.environment.is_none() && caller.governs(Environment::Production);
            filter.environment = Some(own.to_string());
        }
        filter.customers = caller.customers().iter().map(ToString::to_string).collect();
        self.recorder
            .read_slowly(caller, &context, Reason::Ok, move |connection, _, deadline| {
                let filter = with_customer_id(connection, filter.clone())?;
                Ok(audit_list::page(connection, &filter, limit, deadline)?)
            })
            .await
    }

    /// Checks the audit log against its seals, and tells `progress` the position that it has reached, and the last.
    ///
    /// # Errors
    /// The database cannot be read, or the event of the check not be stored.
    pub async fn verify(
        &self,
        caller: &Caller,
        origin: Arc<Origin>,
        progress: impl FnMut(i64, i64),
    ) -> Result<Verification, ServiceError> {
        let context = AuditContext::of(caller, Action::AuditVerify, origin);
        let verification = seal::verify(self.recorder.store(), progress).await?;
        self.recorder.record_event(&context, Disposition::Unattended, Reason::Ok, Basis::default()).await?;
        Ok(verification)
    }

    /// Reads how far the loops that follow the log are behind it, and keeps that for [`Insight::lag`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn read_lag(&self) -> Result<AuditLag, ServiceError> {
        let lag = self.recorder.store().read(audit_chain::lag).await?;
        *self.lag.lock() = Some(lag);
        Ok(lag)
    }

    /// Returns how far the loops were behind when that was read last: metrics are needed also while the database does
    /// not respond.
    pub fn lag(&self) -> Option<AuditLag> {
        *self.lag.lock()
    }

    /// Returns the position of the last event that has one, to follow the log from there on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn end(&self) -> Result<i64, ServiceError> {
        Ok(self.recorder.store().read(audit_chain::end).await?)
    }

    /// Returns the events after `position` that pass `filter`, oldest first, and the position that they reach. Only for
    /// the command line, which sees all events, and only once its event of listing is stored: looking for more has no
    /// event of its own, which would be followed again.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn events_after(
        &self,
        filter: EventFilter,
        position: i64,
    ) -> Result<(Vec<RecordedEvent>, i64), ServiceError> {
        let query = move |connection: &mut AnyConnection| {
            let filter = with_customer_id(connection, filter)?;
            audit_list::after(connection, &filter, position)
        };
        Ok(self.recorder.store().read(query).await?)
    }
}

/// Replaces the external id of a customer by its id, which events have. What never named a customer is left: no event
/// has it.
fn with_customer_id(connection: &mut AnyConnection, mut filter: EventFilter) -> Result<EventFilter, StoreError> {
    if let Some(name) = &filter.customer
        && let Some(id) = customers::id_ever_named(connection, name)?
    {
        filter.customer = Some(id);
    }
    Ok(filter)
}
