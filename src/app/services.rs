//! Puts the services together from what was opened.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Purposes, StartError};
use crate::audit::{Journal, JsonLines, Sequencer, seal};
use crate::clock::Clock;
use crate::config::{Config, Issuers};
use crate::crypto::client_secret::SecretDigester;
use crate::crypto::digest::DigestKey;
use crate::crypto::password::PasswordPool;
use crate::crypto::random;
use crate::domain::ids::ProcessKind;
use crate::http;
use crate::service::Services;
use crate::service::access::Access;
use crate::service::credentials::{Credentials, SecretFactory};
use crate::service::directory::Directory;
use crate::service::events::Events;
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
use crate::service::state::registered_scopes::RegisteredScopes;
use crate::service::state::revoked_tokens::RevokedTokens;
use crate::service::state::sealer::Sealer;
use crate::service::tokens::{ClientAuthenticator, TokenVerifier, Tokens};
use crate::store::Store;
use crate::store::leases::Leases;

/// The parts that the services are created from.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) sealer: Arc<Sealer>,
    pub(super) digest_key: [u8; 32],
    pub(super) clock: Clock,
}

/// The parts that several services share.
struct Shared {
    changes: Arc<ChangeFollower>,
    recorder: Arc<Recorder>,
    credentials: Arc<CredentialCache>,
    owners: Arc<Owners>,
    customers: Arc<Customers>,
    registered_scopes: Arc<RegisteredScopes>,
    revoked: Arc<RevokedTokens>,
    limits: Arc<Limits>,
    failures: Arc<FailedAuthentications>,
    last_used: Arc<LastUsed>,
    keyring: Arc<Keyring>,
    sealer: Arc<Sealer>,
    idempotency: Arc<Idempotency>,
    passwords: Arc<PasswordPool>,
    digester: Arc<SecretDigester>,
    issuers: Issuers,
}

/// Creates the services from what was opened, and starts the threads of the journal and the password pool.
pub(super) fn create_services(
    config: &Config,
    listening: SocketAddr,
    purpose: Purposes,
    opened: Opened,
) -> Result<Services, StartError> {
    let Opened { store, sealer, digest_key, clock } = opened;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let journal = Journal::start(store.clone())?;
    let sequencer = Sequencer::new(store.clone(), journal.pace());
    let audit_sealer = seal::Sealer::new(store.clone(), journal.pace());
    let leases = Arc::new(Leases::new(store.clone(), holder(&clock)?));
    let lines = json_lines(config, purpose, &store, &leases)?;
    // Derived, so that the stored key has only one use.
    let repeat_key = DigestKey::new(&DigestKey::new(&digest_key).digest(&[b"idempotent requests"]));
    let changes = Arc::new(ChangeFollower::new(&store, clock.clone(), Arc::clone(&sealer)));
    let events = Events::new(clock, http::status_of);
    let shared = Shared {
        recorder: Arc::new(Recorder::new(store.clone(), journal, Arc::clone(&changes), events)),
        credentials: Arc::clone(&changes.credentials),
        owners: Arc::clone(&changes.owners),
        customers: Arc::clone(&changes.customers),
        revoked: Arc::clone(&changes.revoked_tokens),
        registered_scopes: Arc::clone(&changes.registered_scopes),
        limits: Arc::default(),
        failures: Arc::new(FailedAuthentications::new(config.guess_limit_per_minute)),
        last_used: Arc::default(),
        keyring: Arc::clone(&changes.keyring),
        changes,
        idempotency: Arc::new(Idempotency::new(store.clone(), Arc::clone(&sealer), repeat_key)),
        sealer,
        passwords: Arc::new(PasswordPool::start(cores / 2)?),
        digester: Arc::new(SecretDigester::new(&digest_key)),
        issuers: config.issuers(listening)?,
    };
    let proven =
        ProvenSecrets::new(Arc::clone(&shared.digester), DigestKey::ephemeral()?, Arc::clone(&shared.passwords));
    Ok(assemble(config, &shared, proven, Background { sequencer, audit_sealer, leases, lines }))
}

/// What works beside the use cases.
struct Background {
    sequencer: Sequencer,
    audit_sealer: seal::Sealer,
    leases: Arc<Leases>,
    lines: Option<JsonLines>,
}

/// Creates the services, each with only what it needs.
fn assemble(config: &Config, shared: &Shared, proven: ProvenSecrets, background: Background) -> Services {
    let Background { sequencer, audit_sealer, leases, lines } = background;
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
            registered_scopes: Arc::clone(&shared.registered_scopes),
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
        insight: Insight::new(Arc::clone(&shared.recorder)),
        operations: operations(config, shared),
        leases,
        sequencer,
        audit_sealer,
        lines,
        changes: Arc::clone(&shared.changes),
        idempotency: Arc::clone(&shared.idempotency),
        recorder: Arc::clone(&shared.recorder),
        issuers: shared.issuers.clone(),
    }
}

fn token_verifier(shared: &Shared) -> TokenVerifier {
    TokenVerifier {
        credentials: Arc::clone(&shared.credentials),
        owners: Arc::clone(&shared.owners),
        customers: Arc::clone(&shared.customers),
        revoked: Arc::clone(&shared.revoked),
        keyring: Arc::clone(&shared.keyring),
        issuers: shared.issuers.clone(),
    }
}

fn client_authenticator(shared: &Shared, proven: ProvenSecrets) -> ClientAuthenticator {
    ClientAuthenticator {
        credentials: Arc::clone(&shared.credentials),
        owners: Arc::clone(&shared.owners),
        customers: Arc::clone(&shared.customers),
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
            digester: Arc::clone(&shared.digester),
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
        idempotency: Arc::clone(&shared.idempotency),
        last_used: Arc::clone(&shared.last_used),
        keyring: Arc::clone(&shared.keyring),
        sealer: Arc::clone(&shared.sealer),
        algorithms: config.signing.algorithms.clone(),
    }
}

/// Returns a name that no other process has.
fn holder(clock: &Clock) -> Result<String, StartError> {
    Ok(random::id::<ProcessKind>(clock.now())?.to_string())
}

/// Starts to write events as lines of JSON, if that is set. Only servers write them: a command ends, and its events are
/// read by the servers.
fn json_lines(
    config: &Config,
    purpose: Purposes,
    store: &Store,
    leases: &Arc<Leases>,
) -> std::io::Result<Option<JsonLines>> {
    let path = config.audit_json_lines.as_deref().filter(|_| purpose != Purposes::Command);
    path.map(|path| JsonLines::start(store.clone(), leases, &config.node_name, path)).transpose()
}
