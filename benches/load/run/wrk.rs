//! Runs of wrk, which prints one line of figures by the Lua scripts in this folder.

use std::path::Path;
use std::process::Command;

use super::{Bench, Result};

/// The requests that wrk sends, and their credentials.
#[derive(Clone, Copy)]
pub(crate) enum Script<'a> {
    /// Token requests of the clients of a file.
    Token,
    /// Verifications of the keys of a file, by the key of a verifier.
    Verify(&'a str),
    /// Forward-auth with the keys of a file.
    ForwardAuth,
    /// Verifications of keys that do not exist.
    Unknown(&'a str),
}

/// The figures of a run, times in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) longest: f64,
}

impl Bench {
    /// Sends as many requests as the server accepts, and counts those that failed.
    pub(crate) fn load(&self, script: Script<'_>, address: &str, credentials: &Path, seconds: u64) -> Result<Load> {
        let (file, verifier) = match script {
            Script::Token => ("token.lua", None),
            Script::Verify(verifier) => ("keys.lua", Some(verifier)),
            Script::ForwardAuth => ("keys.lua", None),
            Script::Unknown(verifier) => ("unknown.lua", Some(verifier)),
        };
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", "2", "--timeout", "10s", "--latency"]);
        wrk.args(["--connections", &self.options.connections.to_string(), "--duration", &format!("{seconds}s")]);
        wrk.arg("--script").arg(self.root.join("benches/load").join(file)).arg(format!("http://{address}"));
        wrk.env("CLIENTS", credentials).env("KEYS", credentials).env_remove("VERIFIER");
        wrk.envs(verifier.map(|verifier| ("VERIFIER", verifier)));
        let output = wrk.output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let figures =
            figures.ok_or_else(|| format!("wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
        self.read(figures)
    }

    fn read(&self, figures: &str) -> Result<Load> {
        let numbers: Vec<u64> = figures.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
        let [requests, micros, p50, p99, longest, other, failed] = numbers[..] else {
            return Err(format!("wrk's figures cannot be read: {figures}").into());
        };
        if other + failed > 0 {
            println!("    {other} responses other than 200, {failed} failed");
            self.count_bad(other + failed);
        }
        #[allow(clippy::cast_precision_loss)] // far below 2^52
        let [requests_made, micros, p50, p99, longest] = [requests, micros, p50, p99, longest].map(|one| one as f64);
        Ok(Load { requests, rate: (requests_made * 1e6 / micros).floor(), p50, p99, longest })
    }
}
