//! May this request pass? API keys that an API asks about, requests that a gateway asks about, and callers of the
//! management API are decided here.

mod authorize_caller;
mod extract_credential;
mod forward_auth;
mod use_key;
mod verify_key;

pub use authorize_caller::{Requirement, Unauthorized};
pub use extract_credential::CredentialFields;
pub use forward_auth::{Denied, ForwardedRequest, Identity};
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

/// What decisions about requests work with.
#[derive(Debug)]
pub struct Access {
    /// The audit log.
    pub recorder: Arc<Recorder>,
    /// Verifies tokens.
    pub verifier: Arc<TokenVerifier>,
    /// The credentials in use.
    pub credentials: Arc<CredentialCache>,
    /// Their owners.
    pub owners: Arc<Owners>,
    /// The customers in use.
    pub customers: Arc<Customers>,
    /// Rate limits.
    pub limits: Arc<Limits>,
    /// The limit on failures.
    pub failures: Arc<FailedAuthentications>,
    /// When secrets were last used.
    pub last_used: Arc<LastUsed>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// A refusal: what its sender is told, why it is so, and what its event says of the sender.
#[derive(Clone, Debug)]
struct Refused<E> {
    error: E,
    reason: Reason,
    /// Boxed, so that results stay small.
    subject: Box<Subject>,
}

impl<E> Refused<E> {
    /// A refusal of a sender that is not known.
    fn new(error: E, reason: Reason) -> Self {
        Self { error, reason, subject: Box::default() }
    }

    /// The same, of a sender that is known.
    fn of(self, subject: Subject) -> Self {
        Self { subject: Box::new(subject), ..self }
    }
}
