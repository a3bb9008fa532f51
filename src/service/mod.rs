//! The verbs: what Sealwright does, one file each. A service is handed what it needs; nothing here knows HTTP.

pub mod audit_events;
pub mod authenticate_client;
pub mod authorize_caller;
pub mod back_up;
pub mod belonging;
pub mod clients;
pub mod clients_in_memory;
pub mod customers;
pub mod error;
pub mod follow_changes;
pub mod forward_auth;
pub mod guessing;
pub mod idempotency;
pub mod in_use;
pub mod input;
pub mod introspect_token;
pub mod issue_token;
pub mod keyring;
pub mod keys;
pub mod keys_in_memory;
pub mod limits;
pub mod memory;
pub mod note_due;
pub mod owners;
pub mod presented;
pub mod revoke_all;
pub mod revoke_token;
pub mod roles;
pub mod rotate_master_key;
pub mod scopes;
pub mod signing_keys;
pub mod trail;
pub mod use_key;
pub mod users;
pub mod vault;
pub mod verify_key;

use std::sync::Arc;

use crate::audit::{FloodGate, Journal};
use crate::config::{Issuers, SigningConfig};
use crate::crypto::client_secret::SecretMint;
use crate::crypto::digest::DigestKey;
use crate::crypto::password::PasswordPool;
use crate::domain::api_key::Brand;
use crate::domain::customer::Customer;
use crate::domain::time::Duration;
use crate::store::Store;
use clients_in_memory::ClientsInMemory;
use guessing::Guessing;
use in_use::InUse;
use keyring::Keyring;
use keys_in_memory::KeysInMemory;
use limits::Limits;
use memory::Memory;
use owners::Owners;
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
    /// API keys that are in use, and strings that are none.
    pub keys: KeysInMemory,
    /// Owners of credentials that are in use.
    pub owners: Owners,
    /// Customers that were asked for by their external ids.
    pub customers: Memory<Customer>,
    /// Tokens that were presented and are not revoked.
    pub live_tokens: Memory<()>,
    /// Rate limits.
    pub limits: Limits,
    /// What was accepted since the last time that was noted.
    pub in_use: InUse,
    /// What API keys begin with.
    pub key_brand: Brand,
    /// How old a secret or a key becomes before it is marked as due to be rotated.
    pub rotation_age: Duration,
    /// Makes and recognises client secrets.
    pub mint: SecretMint,
    /// Keys the digests of requests that may be repeated.
    pub repeat_key: DigestKey,
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
