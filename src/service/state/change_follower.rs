//! Applies changes by other processes: what they announce in the change log is dropped from the caches. The log is read
//! every fifth of a second, and whenever a decision turns out to be stale.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::credential_cache::CredentialCache;
use super::customers::Customers;
use super::keyring::Keyring;
use super::owners::Owners;
use super::registered_scopes::RegisteredScopes;
use super::revoked_tokens::RevokedTokens;
use super::sealer::Sealer;
use crate::clock::Clock;
use crate::domain::change::{ChangeKind, Head, Position};
use crate::store::change_log::{self, Entry};
use crate::store::{AnyConnection, Store, StoreError};

/// Entries that one query reads.
const BATCH: i64 = 500;

/// Everything in this process that was read from the database and that another process may change.
#[derive(Debug)]
pub struct ChangeFollower {
    /// The database.
    pub store: Store,
    /// The clock of the process.
    pub clock: Clock,
    /// Cached credentials.
    pub credentials: Arc<CredentialCache>,
    /// Cached owners of credentials.
    pub owners: Arc<Owners>,
    /// Cached customers.
    pub customers: Arc<Customers>,
    /// Cached names of registered scopes.
    pub registered_scopes: Arc<RegisteredScopes>,
    /// Cached revocations of tokens.
    pub revoked_tokens: Arc<RevokedTokens>,
    /// Signing keys.
    pub keyring: Arc<Keyring>,
    /// Master keys.
    pub sealer: Arc<Sealer>,
    /// The state up to which changes are applied.
    applied: Mutex<Position>,
    /// How often reading the log was begun.
    begun: AtomicU64,
    /// Held while the log is read and applied: the number of the last time that this was done.
    done: tokio::sync::Mutex<u64>,
}

impl ChangeFollower {
    /// Creates empty caches of what is in `store`. The first [`ChangeFollower::follow`] loads the signing keys.
    pub fn new(store: &Store, clock: Clock, sealer: Arc<Sealer>) -> Self {
        Self {
            store: store.clone(),
            clock,
            credentials: Arc::new(CredentialCache::new(store.clone())),
            owners: Arc::new(Owners::new(store.clone())),
            customers: Arc::new(Customers::new(store.clone())),
            registered_scopes: Arc::new(RegisteredScopes::new(store.clone())),
            revoked_tokens: Arc::new(RevokedTokens::new(store.clone())),
            keyring: Arc::default(),
            sealer,
            applied: Mutex::default(),
            begun: AtomicU64::default(),
            done: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the state up to which changes are applied here. A decision takes it before its first look-up: what has
    /// changed since then, the writer of its event notices.
    pub fn position(&self) -> Position {
        *self.applied.lock()
    }

    /// Applies what had changed when it was called: drops it, and reloads keys if they have changed. Many calls at once
    /// read the log once.
    ///
    /// # Errors
    /// The database cannot be read. The next call begins at the same position.
    pub async fn follow(&self) -> Result<(), StoreError> {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let mut done = self.done.lock().await;
        if *done > begun_before {
            // Another call began to read the log after this one was made.
            return Ok(());
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        self.apply_log().await?;
        *done = number;
        Ok(())
    }

    async fn apply_log(&self) -> Result<(), StoreError> {
        loop {
            let from = self.position();
            let (head, entries) = self.store.read(move |connection| read(connection, from)).await?;
            let is_whole = head.continues(from);
            if !is_whole {
                self.drop_all();
            }
            // Each entry must be applied: no short circuit.
            let reload = entries.iter().fold(!is_whole, |reload, entry| self.apply(entry) || reload);
            let is_of_epoch =
                |entry: &&Entry| matches!(entry.kind, Some(ChangeKind::Epoch | ChangeKind::ExpandedEpoch) | None);
            let epochs = entries.iter().filter(is_of_epoch);
            let announced: Vec<i64> = epochs.map(|entry| entry.subject.parse().unwrap_or(entry.sequence)).collect();
            if !is_whole || !announced.is_empty() {
                self.credentials.reload_epochs(&announced).await?;
            }
            if reload {
                self.reload_keyring().await?;
            }
            let reached = match entries.last() {
                _ if !is_whole => head.position,
                Some(last) => Position { sequence: last.sequence, ..from },
                None => from,
            };
            *self.applied.lock() = reached;
            if entries.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Drops what `entry` names, and returns whether signing keys must be reloaded.
    fn apply(&self, entry: &Entry) -> bool {
        match entry.kind {
            Some(ChangeKind::Credential) => self.credentials.drop_entry(&entry.subject),
            Some(ChangeKind::User) => self.owners.drop_entry(&entry.subject),
            Some(ChangeKind::Role) => self.owners.clear(),
            Some(ChangeKind::Customer) => self.customers.drop_entry(&entry.subject),
            Some(ChangeKind::Token) => self.revoked_tokens.drop_entry(&entry.subject),
            Some(ChangeKind::SigningKeys) => return true,
            // The list of epochs is reloaded after all entries.
            Some(ChangeKind::Epoch | ChangeKind::ExpandedEpoch) => {}
            Some(ChangeKind::Scope) => self.registered_scopes.changed(),
            // Values were sealed again; parsed keys stay as they are, and the sealer rereads its source when needed.
            Some(ChangeKind::MasterKeys) => {
                if let Err(error) = self.sealer.reread() {
                    log::error!("master keys could not be reloaded: {error}");
                }
                return true;
            }
            None => {
                self.drop_all();
                return true;
            }
        }
        false
    }

    fn drop_all(&self) {
        self.credentials.clear();
        self.owners.clear();
        self.customers.clear();
        self.registered_scopes.changed();
        self.revoked_tokens.clear();
    }

    /// Reloads the signing keys from the database.
    ///
    /// # Errors
    /// The database cannot be read; the loaded keys stay.
    pub async fn reload_keyring(&self) -> Result<(), StoreError> {
        self.keyring.reload(&self.store, &self.sealer, self.clock.now()).await
    }
}

/// Reads the end of the log, and what follows `from`; nothing if the log does not continue there.
fn read(connection: &mut AnyConnection, from: Position) -> Result<(Head, Vec<Entry>), StoreError> {
    let entries = change_log::after(connection, from.sequence, BATCH)?;
    // In this order: what was not pruned now was there before.
    let head = change_log::head(connection)?;
    let entries = if head.continues(from) { entries } else { vec![] };
    Ok((head, entries))
}
