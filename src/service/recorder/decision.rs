//! Decisions whose events the recorder stores, and what a request takes from limits however often it is decided.

use std::sync::OnceLock;

use crate::domain::audit::{Disposition, Reason};
use crate::domain::change::Basis;
use crate::domain::rate::RateLimitStatus;
use crate::service::audit_context::AuditContext;

/// A decision, the audit event that records it, and what it is based on. If that changes before the event is stored,
/// the decision is made again.
#[derive(Debug)]
pub struct Decision<T> {
    /// What was decided.
    pub result: T,
    pub(super) context: AuditContext,
    pub(super) verdict: Verdict,
    pub(super) basis: Basis,
}

/// What becomes of a request, as far as its event goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    /// Nothing may be issued unless the event is stored.
    Granted(Disposition, Reason),
    /// The request is refused whether or not the event could be stored: refusing grants nothing.
    Refused(Disposition, Reason),
    /// A later decision stores the event of this one, on which it is based.
    Pending,
}

impl<T> Decision<T> {
    /// Something is granted, which must not happen without its event.
    pub const fn granted(result: T, context: AuditContext, reason: Reason, basis: Basis) -> Self {
        Self { result, context, verdict: Verdict::Granted(Disposition::Ok, reason), basis }
    }

    /// A request is refused.
    pub const fn refused(
        result: T,
        context: AuditContext,
        (disposition, reason): (Disposition, Reason),
        basis: Basis,
    ) -> Self {
        Self { result, context, verdict: Verdict::Refused(disposition, reason), basis }
    }

    /// A part of a decision whose other part stores the event.
    pub fn pending(result: T, context: AuditContext) -> Self {
        Self { result, context, verdict: Verdict::Pending, basis: Basis::default() }
    }
}

/// What a request takes from limits: once, however often it is decided.
#[derive(Debug, Default)]
pub struct Counted {
    rate_limit: OnceLock<RateLimitStatus>,
    failure: OnceLock<Result<(), u32>>,
}

impl Counted {
    /// Takes the request from a rate limit, or returns what was taken before.
    pub fn rate_limit(&self, take: impl FnOnce() -> RateLimitStatus) -> RateLimitStatus {
        *self.rate_limit.get_or_init(take)
    }

    /// Counts the request as a failed authentication, unless it was before.
    ///
    /// # Errors
    /// The limit is exceeded; the error is the seconds to wait.
    pub fn failure(&self, count: impl FnOnce() -> Result<(), u32>) -> Result<(), u32> {
        *self.failure.get_or_init(count)
    }
}
