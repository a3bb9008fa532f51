//! Applies changes by other processes. The change log is read every fifth of a second, so that a change by the command
//! line or another node applies here well within a second.

use std::sync::Arc;

use super::credential_cache::CredentialCache;
use super::customers::Customers;
use super::keyring::Keyring;
use super::owners::Owners;
use super::registered_scopes::RegisteredScopes;
use super::revoked_tokens::RevokedTokens;
use super::sealer::Sealer;
use crate::clock::Clock;
use crate::domain::time::{Duration, Timestamp};
use crate::store::change_log::{self, Entry, Kind};
use crate::store::{Store, StoreError};

/// Entries that one query reads.
const BATCH: i64 = 500;
/// Entries are kept for a day. A process that has not read the log for longer than this must drop everything.
const AWAY: Duration = Duration::seconds(12 * 3600);

/// The position up to which the log was followed.
#[derive(Clone, Copy, Debug)]
pub struct Followed {
    sequence: i64,
    at: Timestamp,
}

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
}

impl ChangeFollower {
    /// Returns the current end of the log, to follow it from there.
    pub async fn start(&self) -> Result<Followed, StoreError> {
        let sequence = self.store.read(change_log::latest).await?;
        Ok(Followed { sequence, at: self.clock.now() })
    }

    /// Drops what has changed since `followed`, and reloads keys if they have changed.
    ///
    /// # Errors
    /// The database cannot be read. Follow the log from the same position again.
    pub async fn follow(&self, followed: Followed) -> Result<Followed, StoreError> {
        let now = self.clock.now();
        let from = followed.sequence;
        let entries: Vec<Entry> = self.store.read(move |connection| change_log::after(connection, from, BATCH)).await?;
        let was_away = followed.at.plus(AWAY) < now;
        if was_away {
            self.drop_all();
        }
        // Each entry must be applied: no short circuit.
        let reload = entries.iter().fold(was_away, |reload, entry| self.apply(entry) || reload);
        if reload {
            self.reload_keyring().await?;
        }
        Ok(Followed { sequence: entries.last().map_or(followed.sequence, |last| last.sequence), at: now })
    }

    /// Drops what `entry` names, and returns whether signing keys must be reloaded.
    fn apply(&self, entry: &Entry) -> bool {
        match entry.kind {
            Some(Kind::Credential) => self.credentials.drop_entry(&entry.subject),
            Some(Kind::User) => self.owners.drop_entry(&entry.subject),
            Some(Kind::Role) => self.owners.clear(),
            Some(Kind::Customer) => self.customers.drop_entry(&entry.subject),
            Some(Kind::Scope) => self.registered_scopes.changed(),
            Some(Kind::Token) => self.revoked_tokens.drop_entry(&entry.subject),
            Some(Kind::SigningKeys) => return true,
            // Values were sealed again; parsed keys stay as they are, and the sealer rereads its source when needed.
            Some(Kind::MasterKeys) => {
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
