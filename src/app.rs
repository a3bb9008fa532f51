//! The composition root: settings → store, keys, caches, limits → use cases. Everything that is shared is made here, once, and
//! handed to what needs it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::audit::Journal;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Issuers, MasterKeyError};
use crate::crypto::client_secret::SecretTagger;
use crate::crypto::digest::DigestKey;
use crate::crypto::password::PasswordPool;
use crate::crypto::seal::{MasterKeys, OpenError, key_id};
use crate::crypto::{CryptoError, jwt, random};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::http;
use crate::service::access::Access;
use crate::service::credentials::{Credentials, SecretFactory};
use crate::service::directory::Directory;
use crate::service::error::ServiceError;
use crate::service::idempotency::Idempotency;
use crate::service::insight::Insight;
use crate::service::operations::Operations;
use crate::service::recorder::Recorder;
use crate::service::signing_keys::SigningKeys;
use crate::service::state::change_follower::ChangeFollower;
use crate::service::state::credential_cache::CredentialCache;
use crate::service::state::customers::Customers;
use crate::service::state::failed_authentications::FailedAuthentications;
use crate::service::state::keyring::Keyring;
use crate::service::state::last_used::LastUsed;
use crate::service::state::limits::Limits;
use crate::service::state::owners::Owners;
use crate::service::state::proven_secrets::ProvenSecrets;
use crate::service::state::revoked_tokens::RevokedTokens;
use crate::service::state::sealer::{Purpose, Sealer};
use crate::service::tokens::{ClientAuthenticator, TokenVerifier, Tokens};
use crate::service::{Services, SharedServices};
use crate::store::migrations::{self, SchemaState};
use crate::store::{Store, StoreError, installation, signing_keys};

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
        "wrong master key: {what} is {error}. Give the key that this database was created with (SEALWRIGHT_MASTER_KEY, \
         master_key_file, or master.key in the data folder); no new one has been created"
    )]
    WrongMasterKey {
        /// What could not be opened.
        what: String,
        /// Why.
        error: OpenError,
    },
    /// The first signing keys could not be created.
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
pub async fn open(
    config: &Config,
    listening: SocketAddr,
    purpose: Purposes,
    clock: Clock,
) -> Result<SharedServices, StartError> {
    jwt::install_provider();
    let store = Store::open(&config.database)?;
    let fresh = migrations::state(&store)? == SchemaState::Empty;
    if purpose == Purposes::Serve || (purpose == Purposes::Command && fresh) {
        for version in migrations::run(&store)? {
            log::info!("database: migration {version} applied");
        }
    }
    migrations::require_current(&store)?;
    let sealer = Arc::new(open_sealer(config, &store)?);
    let tag_key = tag_key(&store, &sealer, clock.now())?;
    require_openable(&store, &sealer)?;
    let services = put_together(config, listening, purpose, Opened { store, sealer, tag_key, clock })?;
    if purpose != Purposes::Command || fresh {
        let origin = services.recorder.system_origin("start")?;
        let created = services.signing_keys.provide_missing(&Caller::System, &origin).await?;
        if created > 0 {
            log::info!("{created} signing keys created");
        }
    }
    services.changes.reload_keyring().await?;
    Ok(Arc::new(services))
}

/// What the use cases are put together from.
struct Opened {
    store: Store,
    sealer: Arc<Sealer>,
    tag_key: [u8; 32],
    clock: Clock,
}

/// What several use cases share.
struct Shared {
    recorder: Arc<Recorder>,
    credentials: Arc<CredentialCache>,
    owners: Arc<Owners>,
    customers: Arc<Customers>,
    revoked: Arc<RevokedTokens>,
    limits: Arc<Limits>,
    failures: Arc<FailedAuthentications>,
    last_used: Arc<LastUsed>,
    keyring: Arc<Keyring>,
    sealer: Arc<Sealer>,
    idempotency: Arc<Idempotency>,
    passwords: Arc<PasswordPool>,
    tagger: Arc<SecretTagger>,
    issuers: Issuers,
}

fn put_together(
    config: &Config,
    listening: SocketAddr,
    purpose: Purposes,
    opened: Opened,
) -> Result<Services, StartError> {
    let Opened { store, sealer, tag_key, clock } = opened;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let journal = Journal::start(store.clone(), json_lines(config, purpose))?;
    // Derived, so that no two uses of the one stored key meet.
    let repeat_key = DigestKey::new(&DigestKey::new(&tag_key).digest(&[b"idempotent requests"]));
    let shared = Shared {
        recorder: Arc::new(Recorder::new(store.clone(), journal, clock.clone(), http::status_of)),
        credentials: Arc::new(CredentialCache::new(store.clone())),
        owners: Arc::new(Owners::new(store.clone())),
        customers: Arc::new(Customers::new(store.clone())),
        revoked: Arc::new(RevokedTokens::new(store.clone())),
        limits: Arc::default(),
        failures: Arc::new(FailedAuthentications::new(config.guess_limit_per_minute)),
        last_used: Arc::default(),
        keyring: Arc::default(),
        idempotency: Arc::new(Idempotency::new(store.clone(), Arc::clone(&sealer), repeat_key)),
        sealer,
        passwords: Arc::new(PasswordPool::start(cores / 2)?),
        tagger: Arc::new(SecretTagger::new(&tag_key)),
        issuers: config.issuers(listening)?,
    };
    let proven = ProvenSecrets::new(DigestKey::ephemeral()?, Arc::clone(&shared.passwords));
    Ok(services(config, &shared, proven, (store, clock)))
}

/// The use cases, each with what it needs.
fn services(config: &Config, shared: &Shared, proven: ProvenSecrets, (store, clock): (Store, Clock)) -> Services {
    let verifier = Arc::new(token_verifier(shared));
    Services {
        tokens: Tokens {
            recorder: Arc::clone(&shared.recorder),
            authenticator: client_authenticator(shared, proven),
            verifier: Arc::clone(&verifier),
            revoked: Arc::clone(&shared.revoked),
            limits: Arc::clone(&shared.limits),
            keyring: Arc::clone(&shared.keyring),
            issuers: shared.issuers.clone(),
        },
        access: access(shared, verifier),
        credentials: credentials(config, shared),
        directory: Directory {
            recorder: Arc::clone(&shared.recorder),
            owners: Arc::clone(&shared.owners),
            customers: Arc::clone(&shared.customers),
            passwords: Arc::clone(&shared.passwords),
            idempotency: Arc::clone(&shared.idempotency),
        },
        signing_keys: SigningKeys {
            recorder: Arc::clone(&shared.recorder),
            keyring: Arc::clone(&shared.keyring),
            sealer: Arc::clone(&shared.sealer),
            idempotency: Arc::clone(&shared.idempotency),
            settings: config.signing.clone(),
        },
        insight: Insight { recorder: Arc::clone(&shared.recorder) },
        operations: operations(config, shared),
        changes: change_follower(shared, store, clock),
        idempotency: Arc::clone(&shared.idempotency),
        recorder: Arc::clone(&shared.recorder),
        issuers: shared.issuers.clone(),
    }
}

fn token_verifier(shared: &Shared) -> TokenVerifier {
    TokenVerifier {
        credentials: Arc::clone(&shared.credentials),
        owners: Arc::clone(&shared.owners),
        revoked: Arc::clone(&shared.revoked),
        keyring: Arc::clone(&shared.keyring),
        issuers: shared.issuers.clone(),
    }
}

fn client_authenticator(shared: &Shared, proven: ProvenSecrets) -> ClientAuthenticator {
    ClientAuthenticator {
        credentials: Arc::clone(&shared.credentials),
        owners: Arc::clone(&shared.owners),
        tagger: Arc::clone(&shared.tagger),
        proven,
        failures: Arc::clone(&shared.failures),
        last_used: Arc::clone(&shared.last_used),
    }
}

fn access(shared: &Shared, verifier: Arc<TokenVerifier>) -> Access {
    Access {
        recorder: Arc::clone(&shared.recorder),
        verifier,
        credentials: Arc::clone(&shared.credentials),
        owners: Arc::clone(&shared.owners),
        customers: Arc::clone(&shared.customers),
        limits: Arc::clone(&shared.limits),
        failures: Arc::clone(&shared.failures),
        last_used: Arc::clone(&shared.last_used),
        issuers: shared.issuers.clone(),
    }
}

fn credentials(config: &Config, shared: &Shared) -> Credentials {
    Credentials {
        recorder: Arc::clone(&shared.recorder),
        cache: Arc::clone(&shared.credentials),
        secrets: SecretFactory {
            tagger: Arc::clone(&shared.tagger),
            passwords: Arc::clone(&shared.passwords),
            key_brand: config.key_brand.clone(),
        },
        idempotency: Arc::clone(&shared.idempotency),
        algorithms: config.signing.algorithms.clone(),
        rotation_age: config.rotation_age,
    }
}

fn operations(config: &Config, shared: &Shared) -> Operations {
    Operations {
        recorder: Arc::clone(&shared.recorder),
        credentials: Arc::clone(&shared.credentials),
        last_used: Arc::clone(&shared.last_used),
        keyring: Arc::clone(&shared.keyring),
        sealer: Arc::clone(&shared.sealer),
        algorithms: config.signing.algorithms.clone(),
    }
}

fn change_follower(shared: &Shared, store: Store, clock: Clock) -> ChangeFollower {
    ChangeFollower {
        store,
        clock,
        credentials: Arc::clone(&shared.credentials),
        owners: Arc::clone(&shared.owners),
        customers: Arc::clone(&shared.customers),
        revoked_tokens: Arc::clone(&shared.revoked),
        keyring: Arc::clone(&shared.keyring),
        sealer: Arc::clone(&shared.sealer),
    }
}

/// Where events are written as lines of JSON. A command's standard output is its own.
fn json_lines(config: &Config, purpose: Purposes) -> Option<&Path> {
    let path = config.audit_json_lines.as_deref()?;
    (purpose != Purposes::Command || path != Path::new("-")).then_some(path)
}

/// The master keys. One is created only where nothing is sealed yet.
fn open_sealer(config: &Config, store: &Store) -> Result<Sealer, StartError> {
    let sealed = installation::has_sealed_values(&mut *store.connection()?)?;
    let keys: MasterKeys = if sealed { config.master_key.read()? } else { config.master_key.read_or_make()? };
    Ok(Sealer::new(config.master_key.clone(), keys))
}

/// The key of the tags in client secrets; created on the first start.
fn tag_key(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<[u8; 32], StartError> {
    let stored = installation::tag_key(&mut *store.connection()?)?;
    let sealed = match stored {
        Some(sealed) => sealed,
        None => store.change_blocking(|transaction| {
            // Asked again inside: another process may have been faster.
            if let Some(sealed) = installation::tag_key(transaction.connection)? {
                return Ok(sealed);
            }
            let sealed = sealer.seal(Purpose::TagKey, "", &random::bytes::<32>()?)?;
            installation::set_tag_key(transaction.connection, now, &sealed)?;
            Ok::<_, ServiceError>(sealed)
        })?,
    };
    let wrong = |error| StartError::WrongMasterKey { what: "the key of client secrets".to_owned(), error };
    let opened = sealer.open(Purpose::TagKey, "", &sealed).map_err(wrong)?;
    opened.as_slice().try_into().map_err(|_| wrong(OpenError::Damaged))
}

/// Every signing key that is still needed must open under one of the master keys.
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
