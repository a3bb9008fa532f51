//! Decisions about requests: of API keys that an API verifies, of requests that a gateway forwards, and of callers of
//! the management API.

mod authorize_caller;
mod forward_auth;
mod use_key;
mod verify_key;

pub use super::authority::Unauthorized;
pub use authorize_caller::Requirement;
pub use forward_auth::{Denied, ForwardedRequest, Identity};
pub use use_key::digest_of;
pub(super) use use_key::{KeyUseRequest, refusal};
pub use verify_key::{COST_MAX, KeyQuestion, RequestAsked};

use std::sync::Arc;

use super::audit_context::Subject;
use super::recorder::Recorder;
use super::state::credential_cache::CredentialCache;
use super::state::customers::Customers;
use super::state::failed_authentications::FailedAuthentications;
use super::state::last_used::LastUsed;
use super::state::limits::Limits;
use super::state::owners::Owners;
use super::tokens::TokenVerifier;
use crate::config::Issuers;
use crate::domain::audit::Reason;
use crate::domain::change::Basis;

/// The use cases that decide about requests.
#[derive(Debug)]
pub struct Access {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// Verifies tokens.
    pub verifier: Arc<TokenVerifier>,
    /// Cached credentials.
    pub credentials: Arc<CredentialCache>,
    /// Cached owners of credentials.
    pub owners: Arc<Owners>,
    /// Cached customers.
    pub customers: Arc<Customers>,
    /// Rate limits of credentials.
    pub limits: Arc<Limits>,
    /// The limit on failed authentications.
    pub failures: Arc<FailedAuthentications>,
    /// The last use of secrets.
    pub last_used: Arc<LastUsed>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// A refusal: the error for the sender, the reason, and what is known of the sender.
#[derive(Clone, Debug)]
struct Refused<E> {
    error: E,
    reason: Reason,
    /// Boxed to keep results small.
    about: Box<About>,
}

/// The sender as the event's subject, and what its refusal is based on.
#[derive(Clone, Debug, Default)]
struct About {
    subject: Subject,
    basis: Basis,
}

impl<E> Refused<E> {
    /// A refusal of an unknown sender.
    fn new(error: E, reason: Reason) -> Self {
        Self { error, reason, about: Box::default() }
    }

    /// Adds the sender, which is known.
    fn of(mut self, subject: Subject) -> Self {
        self.about.subject = subject;
        self
    }

    /// Adds what it is based on.
    fn based_on(mut self, basis: Basis) -> Self {
        self.about.basis = basis;
        self
    }
}
