//! The use cases of Sealwright, in folders by concern. Each folder has a struct that holds only what its use cases
//! need; `app` puts them together. Nothing here knows HTTP or JSON.

pub mod access;
pub mod audit_context;
mod authority;
pub mod credentials;
pub mod directory;
pub mod error;
pub mod events;
mod expansion;
pub mod idempotency;
pub mod insight;
pub mod operations;
pub mod recorder;
pub mod signing_keys;
pub mod state;
pub mod tokens;

use std::sync::Arc;

use crate::audit::{JsonLines, Sequencer, seal};
use crate::config::Issuers;
use crate::store::leases::Leases;
use access::Access;
use credentials::Credentials;
use directory::Directory;
use idempotency::Idempotency;
use insight::Insight;
use operations::Operations;
use recorder::Recorder;
use signing_keys::SigningKeys;
use state::change_follower::ChangeFollower;
use tokens::Tokens;

/// All use cases, for the layers that call them. Created once, by `app`.
#[derive(Debug)]
pub struct Services {
    /// The use cases of the protocol's endpoints.
    pub tokens: Tokens,
    /// Decisions about requests.
    pub access: Access,
    /// Clients and API keys.
    pub credentials: Credentials,
    /// Customers, users, roles and scopes.
    pub directory: Directory,
    /// Signing keys.
    pub signing_keys: SigningKeys,
    /// The audit log.
    pub insight: Insight,
    /// The use cases of operators.
    pub operations: Operations,
    /// Applies changes by other processes.
    pub changes: Arc<ChangeFollower>,
    /// Responses for repeated requests.
    pub idempotency: Arc<Idempotency>,
    /// Which background loops this process runs.
    pub leases: Arc<Leases>,
    /// Gives events their positions.
    pub sequencer: Sequencer,
    /// Chains digests of events.
    pub audit_sealer: seal::Sealer,
    /// Writes events as lines of JSON, if that is set.
    pub lines: Option<JsonLines>,
    /// Records events of requests that reach no use case.
    pub recorder: Arc<Recorder>,
    /// The three issuers.
    pub issuers: Issuers,
}

/// The use cases, shared by all requests.
pub type SharedServices = Arc<Services>;
