//! Further processes on the database of a server.

use super::{Database, Kind, Server};

impl Server {
    /// Starts another process on the same database and data folder, of the same issuers, with the same settings and
    /// further ones.
    pub fn beside(&self, settings: &[(&str, &str)]) -> Self {
        let own = self.settings.iter().filter(|(name, _)| name != "LISTEN");
        let own = own.map(|(name, value)| (name.as_str(), value.as_str())).chain([("PUBLIC_URL", self.url.as_str())]);
        let all: Vec<_> = own.chain(settings.iter().copied()).collect();
        // Of its own it has a folder only, which stays empty.
        Self::spawn_with(Database::empty(Kind::Sqlite), &all)
    }

    /// Stops it in the middle of whatever it does, and lets it continue after `meanwhile`.
    pub fn stopped<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        self.signal("STOP");
        let done = meanwhile();
        self.signal("CONT");
        done
    }
}
