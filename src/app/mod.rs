//! The composition root: settings → store, keys, caches, limits → use cases. Everything that is shared is created here,
//! once, and passed to its users.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod services;

use services::{Opened, create_services};

use crate::clock::Clock;
use crate::config::{Config, ConfigError, DatabaseConfig, MasterKeyError};
use crate::crypto::seal::{OpenError, key_id};
use crate::crypto::{CryptoError, jwt, random};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::service::SharedServices;
use crate::service::error::ServiceError;
use crate::service::state::sealer::{Purpose, Sealer};
use crate::store::migrations::{self, SchemaState};
use crate::store::{Store, StoreError, installation, signing_keys};

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master keys cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The master keys are not those that sealed the values of this database.
    #[error(
        "wrong master key: {what} is {error}. Give the key that this database was created with (SEALWRIGHT_MASTER_KEY, \
         master_key_file, or master.key in the data folder); no new one has been created"
    )]
    WrongMasterKey {
        /// The value that cannot be opened.
        what: String,
        /// Why it cannot be opened.
        error: OpenError,
    },
    /// A command found no installation.
    #[error(
        "there is no installation in {database:?} with the data folder {}: `sealwright init` or `sealwright serve` \
         makes one. For another, give --database-url and --data-dir",
        data_dir.display()
    )]
    NoInstallation {
        /// The database, which is empty or was only migrated.
        database: DatabaseConfig,
        /// The data folder.
        data_dir: PathBuf,
    },
    /// The first signing keys could not be created.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The operating system provides no randomness.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A thread, a socket or a file cannot be opened.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// The purpose that the program is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purposes {
    /// A server that first migrates the database.
    Serve,
    /// A server that leaves migrations to `sealwright migrate`.
    ServeWithoutMigrating,
    /// One command, which works with an installation that is there.
    Command,
}

/// Opens the database and the keys, and creates the services. Says in the log that a master key was created.
///
/// # Errors
/// What is missing or does not match, by name. A wrong master key is [`StartError::WrongMasterKey`].
pub async fn open(
    config: &Config,
    listening: SocketAddr,
    purpose: Purposes,
    clock: Clock,
) -> Result<SharedServices, StartError> {
    let (services, created) = open_and_tell(config, listening, purpose, clock).await?;
    if let Some(path) = created {
        log::warn!(
            "created the master key {}. Keep a copy of it, apart from the backups: without it no signing key of \
             this installation can be used again",
            path.display()
        );
    }
    Ok(services)
}

/// Opens as [`open`] does, and returns the file of the master key too, if it was created.
///
/// # Errors
/// As [`open`].
pub async fn open_and_tell(
    config: &Config,
    listening: SocketAddr,
    purpose: Purposes,
    clock: Clock,
) -> Result<(SharedServices, Option<PathBuf>), StartError> {
    jwt::install_provider();
    let store = open_store(config, purpose)?;
    let (sealer, created) = open_sealer(config, &store, purpose)?;
    let sealer = Arc::new(sealer);
    let digest_key = digest_key(&store, &sealer, clock.now())?;
    require_openable(&store, &sealer)?;
    let services = create_services(config, listening, purpose, Opened { store, sealer, digest_key, clock })?;
    if purpose != Purposes::Command {
        let origin = services.recorder.events().system_origin("start")?;
        let created = services.signing_keys.provide_missing(&Caller::System, &origin).await?;
        if created > 0 {
            log::info!("{created} signing keys created");
        }
    }
    services.changes.follow().await?;
    if purpose != Purposes::Command {
        // Metadata is served also when the database does not respond later.
        services.directory.registered_scopes().await?;
    }
    Ok((Arc::new(services), created))
}

fn no_installation(config: &Config) -> StartError {
    let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    StartError::NoInstallation { database: config.database.clone(), data_dir }
}

/// Opens the database, with the schema of this release.
fn open_store(config: &Config, purpose: Purposes) -> Result<Store, StartError> {
    if purpose == Purposes::Command {
        let store = Store::open(&config.database)?;
        if migrations::state(&store)? == SchemaState::Empty {
            return Err(no_installation(config));
        }
        migrations::require_current(&store)?;
        return Ok(store);
    }
    let store = Store::open_or_create(&config.database)?;
    if purpose == Purposes::Serve {
        for version in migrations::run(&store)? {
            log::info!("database: migration {version} applied");
        }
    }
    migrations::require_current(&store)?;
    Ok(store)
}

/// Reads the master keys. Creates one only for a server, and only if nothing is sealed yet; returns its file then.
fn open_sealer(config: &Config, store: &Store, purpose: Purposes) -> Result<(Sealer, Option<PathBuf>), StartError> {
    let is_sealed = installation::has_sealed_values(&mut *store.connection()?)?;
    if !is_sealed && purpose == Purposes::Command {
        return Err(no_installation(config));
    }
    let source = &config.master_key;
    let has_created = !is_sealed && source.create_missing()?;
    let created = source.path().filter(|_| has_created).map(Path::to_owned);
    Ok((Sealer::new(source.clone(), source.read()?), created))
}

/// Returns the key of the digests of client secrets, which the first start creates.
fn digest_key(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<[u8; 32], StartError> {
    let stored = installation::digest_key(&mut *store.connection()?)?;
    let sealed = match stored {
        Some(sealed) => sealed,
        None => store.change_blocking(|transaction| {
            // Queried again in the transaction: another process may have been faster.
            if let Some(sealed) = installation::digest_key(transaction.connection)? {
                return Ok(sealed);
            }
            let sealed = sealer.seal(Purpose::DigestKey, "", &random::bytes::<32>()?)?;
            installation::set_incarnation(transaction.connection, incarnation()?)?;
            installation::set_digest_key(transaction.connection, now, &sealed)?;
            Ok::<_, ServiceError>(sealed)
        })?,
    };
    let wrong = |error| StartError::WrongMasterKey { what: "the key of client secrets".to_owned(), error };
    let opened = sealer.open(Purpose::DigestKey, "", &sealed).map_err(wrong)?;
    opened.as_slice().try_into().map_err(|_| wrong(OpenError::Damaged))
}

/// Creates the random number that tells one database from another.
///
/// # Errors
/// The operating system provides no randomness.
pub fn incarnation() -> Result<i64, CryptoError> {
    Ok(i64::from_le_bytes(random::bytes()?))
}

/// Checks that one of the master keys opens each signing key that is still needed.
fn require_openable(store: &Store, sealer: &Sealer) -> Result<(), StartError> {
    let keys = sealer.keys();
    for stored in signing_keys::all(&mut *store.connection()?)?.into_iter().flatten() {
        let id = stored.private_key_sealed.as_deref().and_then(key_id);
        if let Some(id) = id.filter(|id| !keys.all().iter().any(|key| key.id() == *id)) {
            let what = format!("signing key {}", stored.key.kid);
            return Err(StartError::WrongMasterKey { what, error: OpenError::UnknownKey(id) });
        }
    }
    Ok(())
}
