//! Creates audit events, and the origins of those that no request causes.

use std::sync::Arc;

use super::audit_context::AuditContext;
use crate::clock::Clock;
use crate::crypto::{CryptoError, random};
use crate::domain::audit::{AuditEvent, Disposition, Origin, Outcome, Reason};
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;

/// Converts a disposition to the HTTP status that events store, which only the layer `http` knows.
pub type StatusOf = fn(Disposition) -> u16;

/// Creates events by a clock.
#[derive(Debug)]
pub struct Events {
    clock: Clock,
    status_of: StatusOf,
}

impl Events {
    /// Creates events with the time of `clock`.
    pub const fn new(clock: Clock, status_of: StatusOf) -> Self {
        Self { clock, status_of }
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
}
