//! The use cases of operators: backups, master keys, revoking everything, readiness, housekeeping.

mod backup;
mod readiness;
mod revoke_all;
mod rotate_master_key;
mod sweep;

pub use revoke_all::{RevokeFilter, RevokedAll};

use std::sync::Arc;

use super::idempotency::Idempotency;
use super::recorder::Recorder;
use super::state::credential_cache::CredentialCache;
use super::state::keyring::Keyring;
use super::state::last_used::LastUsed;
use super::state::sealer::Sealer;
use crate::domain::signing_key::Algorithm;

/// The use cases of operators.
#[derive(Debug)]
pub struct Operations {
    /// The database and the audit log.
    pub recorder: Arc<Recorder>,
    /// Cached credentials.
    pub credentials: Arc<CredentialCache>,
    /// Responses for repeated requests.
    pub idempotency: Arc<Idempotency>,
    /// The last use of secrets.
    pub last_used: Arc<LastUsed>,
    /// Signing keys.
    pub keyring: Arc<Keyring>,
    /// Master keys.
    pub sealer: Arc<Sealer>,
    /// The algorithms that tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
}
