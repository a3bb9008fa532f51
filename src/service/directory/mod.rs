//! The use cases of what all environments share: customers, users, roles, and the registry of scopes. They are managed
//! from production.

mod customers;
mod roles;
mod scopes;
mod users;

use std::sync::Arc;

use super::audit_context::AuditContext;
use super::error::{Conflict, ServiceError};
use super::idempotency::Idempotency;
use super::recorder::Recorder;
use super::state::customers::Customers;
use super::state::owners::Owners;
use super::state::registered_scopes::RegisteredScopes;
use crate::crypto::password::PasswordPool;
use crate::domain::audit::{Action, Origin};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::store::StoreError;

/// The use cases of customers, users, roles and the registry of scopes.
#[derive(Debug)]
pub struct Directory {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// Cached owners of credentials.
    pub owners: Arc<Owners>,
    /// Cached customers.
    pub customers: Arc<Customers>,
    /// Cached names of registered scopes.
    pub registered_scopes: Arc<RegisteredScopes>,
    /// Hashes passwords with Argon2.
    pub passwords: Arc<PasswordPool>,
    /// Responses for repeated requests.
    pub idempotency: Arc<Idempotency>,
}

impl Directory {
    /// Creates the context of a change to what all environments share, which requires a caller of production. To
    /// callers who are tied to customers only customers are visible.
    ///
    /// # Errors
    /// The caller may not do this; the refusal is recorded.
    async fn shared_context(
        &self,
        caller: &Caller,
        action: Action,
        name: &str,
        origin: Arc<Origin>,
    ) -> Result<AuditContext, ServiceError> {
        let context = AuditContext::of(caller, action, origin).on(name);
        let is_of_customers = matches!(
            action,
            Action::CustomerCreate
                | Action::CustomerUpdate
                | Action::CustomerSuspend
                | Action::CustomerResume
                | Action::CustomerDelete
        );
        let error = if !caller.sees(Environment::Production) {
            ServiceError::ProductionOnly
        } else if !caller.customers().is_empty() && !is_of_customers {
            ServiceError::NotFound("object")
        } else {
            return Ok(context);
        };
        Err(self.recorder.refused(&context, error).await)
    }
}

/// Converts a duplicate row to `conflict`.
fn taken(conflict: Conflict) -> impl FnOnce(StoreError) -> ServiceError {
    move |error| match error {
        StoreError::Duplicate => conflict.into(),
        other => other.into(),
    }
}
