//! Reading the audit log.

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use super::trail::Trail;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::store::audit_log::{self, EventFilter, StoredEvent};

impl Services {
    /// Events that the caller sees, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list_audit_events(
        &self,
        caller: &Caller,
        mut filter: EventFilter,
        limit: i64,
        origin: Arc<Origin>,
    ) -> Result<Vec<StoredEvent>, ServiceError> {
        let trail = Trail::of(caller, "audit.list", origin);
        if let Some(own) = caller.environment() {
            let asked_for_another = filter.environment.as_deref().is_some_and(|asked| asked != own.as_str());
            if asked_for_another {
                return self.reading(trail, |_| Ok(vec![])).await;
            }
            // What all environments share is managed from production, and seen from there.
            filter.with_shared = filter.environment.is_none() && caller.governs(Environment::Production);
            filter.environment = Some(own.to_string());
        }
        filter.customers = caller.customers().iter().map(ToString::to_string).collect();
        self.reading(trail, move |connection| Ok(audit_log::list(connection, &filter, limit)?)).await
    }
}
