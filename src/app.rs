//! The composition root: settings → store, keys, memory, limits → services. Everything that is shared is made here, once,
//! and handed to what needs it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::audit::{FloodGate, Journal};
use crate::clock;
use crate::config::{Config, ConfigError, MasterKeyError};
use crate::crypto::client_secret::SecretMint;
use crate::crypto::digest::DigestKey;
use crate::crypto::password::PasswordPool;
use crate::crypto::seal::{MasterKeys, OpenError, key_id};
use crate::crypto::{CryptoError, jwt, random};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::service::clients_in_memory::ClientsInMemory;
use crate::service::error::ServiceError;
use crate::service::guessing::Guessing;
use crate::service::in_use::InUse;
use crate::service::keyring::Keyring;
use crate::service::keys_in_memory::KeysInMemory;
use crate::service::limits::Limits;
use crate::service::memory::Memory;
use crate::service::owners::Owners;
use crate::service::vault::{Purpose, Vault};
use crate::service::{Services, SharedServices};
use crate::store::migrations::{self, SchemaState};
use crate::store::{Store, StoreError, installation, signing_keys};

/// Customers kept that were asked for by their external ids.
const CUSTOMERS_IN_MEMORY: usize = 16_384;
/// Tokens kept that are known not to be revoked.
const TOKENS_IN_MEMORY: usize = 65_536;

/// Why the program cannot start working.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master keys cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The master keys are not the ones that this database was sealed under.
    #[error(
        "wrong master key: {what} is {error}. Give the key that this database was made with (SEALWRIGHT_MASTER_KEY, \
         master_key_file, or master.key in the data folder); no new one has been made"
    )]
    WrongMasterKey {
        /// What could not be opened.
        what: String,
        /// Why.
        error: OpenError,
    },
    /// The first signing keys could not be made.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The system's randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// Threads, sockets, files.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// What the program is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purposes {
    /// A server that migrates the database first.
    Serve,
    /// A server that leaves migrating to `sealwright migrate`.
    ServeWithoutMigrating,
    /// One command; it sets up a database that is empty, and migrates none.
    Command,
}

/// Opens the database, the keys and everything that works on them.
///
/// # Errors
/// What is missing or does not fit, by name.
pub async fn open(config: &Config, listening: SocketAddr, purpose: Purposes) -> Result<SharedServices, StartError> {
    jwt::install_provider();
    let store = Store::open(&config.database)?;
    let fresh = migrations::state(&store)? == SchemaState::Empty;
    if purpose == Purposes::Serve || (purpose == Purposes::Command && fresh) {
        for version in migrations::run(&store)? {
            log::info!("database: migration {version} applied");
        }
    }
    migrations::require_current(&store)?;
    let vault = Arc::new(open_vault(config, &store)?);
    let tag_key = tag_key(&store, &vault)?;
    require_openable(&store, &vault)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let services = Arc::new(Services {
        journal: Journal::start(store.clone(), json_lines(config, purpose))?,
        flood: FloodGate::default(),
        clients: ClientsInMemory::new(DigestKey::ephemeral()?),
        keys: KeysInMemory::default(),
        owners: Owners::default(),
        customers: Memory::new(CUSTOMERS_IN_MEMORY),
        live_tokens: Memory::new(TOKENS_IN_MEMORY),
        limits: Limits::default(),
        in_use: InUse::default(),
        key_brand: config.key_brand.clone(),
        rotation_age: config.rotation_age,
        mint: SecretMint::new(&tag_key),
        // Derived, so that no two uses of the one stored key meet.
        repeat_key: DigestKey::new(&DigestKey::new(&tag_key).digest(&[b"idempotent requests"])),
        passwords: PasswordPool::start(cores / 2)?,
        guessing: Guessing::new(config.guess_limit_per_minute),
        keyring: Keyring::default(),
        issuers: config.issuers(listening)?,
        signing: config.signing.clone(),
        vault,
        store,
    });
    if purpose != Purposes::Command || fresh {
        let made = services.make_missing_signing_keys(&Caller::System, &system_origin("start")?).await?;
        if made > 0 {
            log::info!("{made} signing keys made");
        }
    }
    services.reload_keyring().await?;
    Ok(services)
}

/// Where events are written as lines of JSON. A command's standard output is its own.
fn json_lines(config: &Config, purpose: Purposes) -> Option<&Path> {
    let path = config.audit_json_lines.as_deref()?;
    (purpose != Purposes::Command || path != Path::new("-")).then_some(path)
}

/// The origin of what the service does by itself; `path` says what for.
///
/// # Errors
/// The operating system gives no randomness.
pub fn system_origin(path: &str) -> Result<Arc<Origin>, CryptoError> {
    let now = clock::now();
    Ok(Arc::new(Origin {
        request_id: random::id(now)?,
        method: "SYSTEM".into(),
        path: path.to_owned(),
        address: None,
        user_agent: String::new(),
        gateway_request_id: None,
        received_at: now,
        started: std::time::Instant::now(),
    }))
}

/// The master keys. One is made only where nothing is sealed yet.
fn open_vault(config: &Config, store: &Store) -> Result<Vault, StartError> {
    let sealed = installation::has_sealed_values(&mut *store.connection()?)?;
    let keys: MasterKeys = if sealed { config.master_key.read()? } else { config.master_key.read_or_make()? };
    Ok(Vault::new(config.master_key.clone(), keys))
}

/// The key of the tags in client secrets; made on the first start.
fn tag_key(store: &Store, vault: &Vault) -> Result<[u8; 32], StartError> {
    let now = clock::now();
    let stored = installation::tag_key(&mut *store.connection()?)?;
    let sealed = match stored {
        Some(sealed) => sealed,
        None => store.change_blocking(|transaction| {
            // Asked again inside: another node may have been faster.
            if let Some(sealed) = installation::tag_key(transaction.connection)? {
                return Ok(sealed);
            }
            let sealed = vault.seal(Purpose::TagKey, "", &random::bytes::<32>()?)?;
            installation::set_tag_key(transaction.connection, now, &sealed)?;
            Ok::<_, ServiceError>(sealed)
        })?,
    };
    let wrong = |error| StartError::WrongMasterKey { what: "the key of client secrets".to_owned(), error };
    let opened = vault.open(Purpose::TagKey, "", &sealed).map_err(wrong)?;
    opened.as_slice().try_into().map_err(|_| wrong(OpenError::Damaged))
}

/// Every signing key that is still needed must open under one of the master keys.
fn require_openable(store: &Store, vault: &Vault) -> Result<(), StartError> {
    let keys = vault.keys();
    for stored in signing_keys::all(&mut *store.connection()?)?.into_iter().flatten() {
        let id = stored.private_key_sealed.as_deref().and_then(key_id);
        if let Some(id) = id.filter(|id| !keys.all().iter().any(|key| key.id() == *id)) {
            let what = format!("signing key {}", stored.key.kid);
            return Err(StartError::WrongMasterKey { what, error: OpenError::UnknownKey(id) });
        }
    }
    Ok(())
}
