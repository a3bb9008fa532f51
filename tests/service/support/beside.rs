//! Further processes on the database of a server.

use std::process::Command;
use std::time::Duration;

use super::process::Process;
use super::{Server, eventually, free_port};

/// Another process on the database of a server.
pub struct Beside {
    process: Process,
    /// Where it listens.
    pub url: String,
}

impl Beside {
    /// Stops it in the middle of whatever it does, and lets it continue after `meanwhile`.
    pub fn stopped<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let signal = |name: &str| {
            assert!(Command::new("kill").args([name, &self.process.pid().to_string()]).status().unwrap().success());
        };
        signal("-STOP");
        let done = meanwhile();
        signal("-CONT");
        done
    }
}

impl Server {
    /// Starts another process on the same database and data folder, of the same issuers.
    pub fn beside(&self) -> Beside {
        self.beside_with(&[])
    }

    /// The same with further settings.
    pub fn beside_with(&self, settings: &[(&str, &str)]) -> Beside {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut all = self.settings.clone();
        let own = [("LISTEN", listen.as_str()), ("PUBLIC_URL", self.url.as_str())];
        all.extend(own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let beside = Beside { process: Process::start(&all), url: format!("http://{listen}") };
        let is_ready = || self.http.get(format!("{}/healthz", beside.url)).send().is_ok();
        eventually("the other process listens", Duration::from_secs(60), is_ready);
        beside
    }
}
