//! What all environments share: customers, users, roles, and the registry of scopes. It is managed from production.

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
use crate::crypto::password::PasswordPool;
use crate::domain::audit::{Action, Origin};
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::store::StoreError;

/// What the use cases of the directory work with.
#[derive(Debug)]
pub struct Directory {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// The owners of credentials in use.
    pub owners: Arc<Owners>,
    /// The customers in use.
    pub customers: Arc<Customers>,
    /// Argon2.
    pub passwords: Arc<PasswordPool>,
    /// Repeated requests.
    pub idempotency: Arc<Idempotency>,
}

impl Directory {
    /// The context of a change to what all environments share, which takes a caller of production. Only customers exist
    /// for callers who are tied to some.
    ///
    /// # Errors
    /// The caller may not; the refusal has its event.
    async fn shared_context(
        &self,
        caller: &Caller,
        action: Action,
        name: &str,
        origin: Arc<Origin>,
    ) -> Result<AuditContext, ServiceError> {
        let context = AuditContext::of(caller, action, origin).on(name);
        let is_of_customers =
            matches!(action, Action::CustomerCreate | Action::CustomerUpdate | Action::CustomerDelete);
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

/// A unique value that is taken already.
fn taken(conflict: Conflict) -> impl FnOnce(StoreError) -> ServiceError {
    move |error| match error {
        StoreError::Duplicate => conflict.into(),
        other => other.into(),
    }
}
