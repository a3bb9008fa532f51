//! What other processes changed: the change log, followed every fifth of a second, so that a change made by the command
//! line or another node is in force here well within a second.

use super::Services;
use crate::clock;
use crate::domain::time::{Duration, Timestamp};
use crate::store::change_log::{self, Entry, Kind};
use crate::store::{StoreError, signing_keys};

/// Entries taken at once.
const BATCH: i64 = 500;
/// Entries are kept for a day; who was away for longer than this must forget everything.
const AWAY: Duration = Duration::seconds(12 * 3600);

/// How far the log was followed.
#[derive(Clone, Copy, Debug)]
pub struct Followed {
    sequence: i64,
    at: Timestamp,
}

impl Services {
    /// Where the log stands now: the place to follow it from.
    ///
    /// # Errors
    /// The database fails.
    pub async fn start_following(&self) -> Result<Followed, StoreError> {
        let sequence = self.store.read(change_log::latest).await?;
        Ok(Followed { sequence, at: clock::now() })
    }

    /// Forgets what was changed since `followed`, and reloads keys where they changed.
    ///
    /// # Errors
    /// The database fails; the same place is to be followed from again.
    pub async fn follow_changes(&self, followed: Followed) -> Result<Followed, StoreError> {
        let now = clock::now();
        let from = followed.sequence;
        let entries: Vec<Entry> = self.store.read(move |connection| change_log::after(connection, from, BATCH)).await?;
        if followed.at.plus(AWAY) < now {
            self.forget_all();
            self.reload_keyring().await?;
        }
        let mut reload = false;
        for entry in &entries {
            match entry.kind {
                Some(Kind::Client) => self.clients.memory().forget(&entry.subject),
                Some(Kind::ApiKey) => self.keys.memory().forget(&entry.subject),
                Some(Kind::User) => self.owners.forget(&entry.subject),
                Some(Kind::Role) => self.owners.forget_all(),
                Some(Kind::Customer) => self.customers.forget(&entry.subject),
                Some(Kind::SigningKeys) => reload = true,
                // Sealed values were sealed anew; parsed keys stay as they are, and the vault rereads its source when needed.
                Some(Kind::MasterKeys) => {
                    if let Err(error) = self.vault.reread() {
                        log::error!("master keys could not be read again: {error}");
                    }
                    reload = true;
                }
                Some(Kind::Token) => self.live_tokens.forget(&entry.subject),
                None => {
                    self.forget_all();
                    reload = true;
                }
            }
        }
        if reload {
            self.reload_keyring().await?;
        }
        Ok(Followed { sequence: entries.last().map_or(followed.sequence, |last| last.sequence), at: now })
    }

    /// Forgets everything that was read from the database.
    pub fn forget_all(&self) {
        self.clients.memory().forget_all();
        self.keys.memory().forget_all();
        self.owners.forget_all();
        self.customers.forget_all();
        self.live_tokens.forget_all();
    }

    /// Takes the signing keys over from the database.
    ///
    /// # Errors
    /// The database fails; the keys in memory stay.
    pub async fn reload_keyring(&self) -> Result<(), StoreError> {
        let _turn = self.keyring.reloading.lock().await;
        let stored = self.store.read(signing_keys::all).await?;
        let sound = stored.into_iter().filter_map(|row| row.inspect_err(|error| log::error!("{error}")).ok()).collect();
        self.keyring.load(sound, &self.vault, clock::now());
        Ok(())
    }
}
