//! The verbs: what Sealwright does, one file each. A service is handed what it needs; nothing here knows HTTP.

pub mod audit_events;
pub mod authenticate_client;
pub mod authorize_caller;
pub mod back_up;
pub mod clients;
pub mod clients_in_memory;
pub mod error;
pub mod follow_changes;
pub mod guessing;
pub mod idempotency;
pub mod introspect_token;
pub mod issue_token;
pub mod keyring;
pub mod revoke_token;
pub mod rotate_master_key;
pub mod scopes;
pub mod signing_keys;
pub mod trail;
pub mod vault;

use std::sync::Arc;

use crate::audit::{FloodGate, Journal};
use crate::config::{Issuers, SigningConfig};
use crate::crypto::client_secret::SecretMint;
use crate::crypto::password::PasswordPool;
use crate::store::Store;
use authenticate_client::SecretsInUse;
use clients_in_memory::ClientsInMemory;
use guessing::Guessing;
use keyring::Keyring;
use vault::Vault;

/// What the verbs work with. Made once, by `app`.
#[derive(Debug)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// The way into the audit log.
    pub journal: Journal,
    /// What keeps floods of refusals out of it.
    pub flood: FloodGate,
    /// Clients that are in use, and ids that name none.
    pub clients: ClientsInMemory,
    /// Secrets that were accepted since the last time that was noted.
    pub secrets_in_use: SecretsInUse,
    /// Makes and recognises client secrets.
    pub mint: SecretMint,
    /// Argon2.
    pub passwords: PasswordPool,
    /// Limits on guessing.
    pub guessing: Guessing,
    /// Signing keys, parsed.
    pub keyring: Keyring,
    /// Master keys.
    pub vault: Arc<Vault>,
    /// The three issuers.
    pub issuers: Issuers,
    /// Algorithms and dates of signing keys.
    pub signing: SigningConfig,
}

/// The services, shared.
pub type SharedServices = Arc<Services>;
