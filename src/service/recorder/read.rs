//! Reads for a caller: nothing is shown without its event.

use std::time::Instant;

use super::{ATTEMPTS, Recorder};
use crate::audit::NotStored;
use crate::domain::audit::{Disposition, Reason};
use crate::domain::caller::Caller;
use crate::service::audit_context::AuditContext;
use crate::service::error::ServiceError;
use crate::store::AnyConnection;

/// The connections that a query runs on.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Those of the pool.
    Usual,
    /// A few of its own, so that slow queries delay nothing else.
    Slow,
}

impl Recorder {
    /// Reads something for `caller`, with a pooled connection.
    ///
    /// # Errors
    /// The query fails, or its event cannot be stored.
    pub async fn read<T, Q>(&self, caller: &Caller, context: &AuditContext, query: Q) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        Q: Fn(&mut AnyConnection, &Caller) -> Result<T, ServiceError> + Clone + Send + 'static,
    {
        let query = move |connection: &mut AnyConnection, caller: &Caller, _: Instant| query(connection, caller);
        self.show(caller, context, (Disposition::Ok, Reason::Ok), Pace::Usual, query).await
    }

    /// Reads as [`Recorder::read`] does, for lists and counts: `query` may be slow, and returns what it has at its
    /// deadline.
    ///
    /// # Errors
    /// As [`Recorder::read`].
    pub async fn read_slowly<T, Q>(
        &self,
        caller: &Caller,
        context: &AuditContext,
        reason: Reason,
        query: Q,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        Q: Fn(&mut AnyConnection, &Caller, Instant) -> Result<T, ServiceError> + Clone + Send + 'static,
    {
        self.show(caller, context, (Disposition::Ok, reason), Pace::Slow, query).await
    }

    /// Reads as [`Recorder::read`] does, for a repeated request that shows again what the first one created.
    ///
    /// # Errors
    /// As [`Recorder::read`].
    pub async fn replay<T, Q>(
        &self,
        caller: &Caller,
        context: &AuditContext,
        disposition: Disposition,
        query: Q,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        Q: Fn(&mut AnyConnection, &Caller) -> Result<T, ServiceError> + Clone + Send + 'static,
    {
        let query = move |connection: &mut AnyConnection, caller: &Caller, _: Instant| query(connection, caller);
        self.show(caller, context, (disposition, Reason::Replayed), Pace::Usual, query).await
    }

    /// Reads, and stores the event. If changes overtook the caller meanwhile, the caller is authorised again and reads
    /// again what it may see now.
    async fn show<T, Q>(
        &self,
        caller: &Caller,
        context: &AuditContext,
        (disposition, reason): (Disposition, Reason),
        pace: Pace,
        query: Q,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        Q: Fn(&mut AnyConnection, &Caller, Instant) -> Result<T, ServiceError> + Clone + Send + 'static,
    {
        let mut caller = caller.clone();
        for _ in 0..ATTEMPTS {
            let (query, own) = (query.clone(), caller.clone());
            let found = match pace {
                Pace::Usual => self.store.read(move |connection| query(connection, &own, Instant::now())).await,
                Pace::Slow => self.store.read_slowly(move |connection, end| query(connection, &own, end)).await,
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => return Err(self.refused(context, error).await),
            };
            match self.record_event(context, disposition, reason, caller.basis()).await {
                Ok(()) => return Ok(found),
                Err(NotStored::Failed) => return Err(NotStored::Failed.into()),
                Err(NotStored::Stale) => {}
            }
            caller = match self.caller_again(&caller).await {
                Ok(caller) => caller,
                Err(error) => return Err(self.refused(context, error).await),
            };
        }
        Err(self.refused(context, ServiceError::Overtaken).await)
    }
}
