//! Reads the audit log.

use std::sync::Arc;

use super::audit_context::AuditContext;
use super::error::ServiceError;
use super::recorder::Recorder;
use crate::domain::audit::{Action, EventFilter, Origin, Reason, RecordedEvent};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::ids::EventId;
use crate::domain::listing::Listing;
use crate::store::audit_list;

/// The use cases of the audit log.
#[derive(Debug)]
pub struct Insight {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
}

impl Insight {
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
                Ok(audit_list::page(connection, &filter, limit, deadline)?)
            })
            .await
    }
}
