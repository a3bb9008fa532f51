//! Data folders with clients or keys in them, filled while no server uses them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Bench, Result, process};

/// A data folder, and files with its credentials, one per line.
pub(crate) struct Clients {
    pub(crate) data: PathBuf,
    /// Ids and valid secrets.
    pub(crate) live: PathBuf,
    /// Ids and replaced secrets.
    pub(crate) rotated: PathBuf,
}

/// A data folder, its keys in a file, and the key that may verify them.
pub(crate) struct Keys {
    pub(crate) data: PathBuf,
    pub(crate) values: PathBuf,
    pub(crate) verifier: String,
}

impl Bench {
    /// Seeds `count` clients, of which `rotated` had another secret before, and `copies` rows of
    /// unused clients.
    pub(crate) fn seed_clients(&self, name: &str, count: u64, rotated: u64, copies: u64) -> Result<Clients> {
        let lines = self.seed("seed-clients", name, &[count, rotated, copies])?;
        let clients = Clients {
            data: self.path(name),
            live: self.path(&format!("{name}.live")),
            rotated: self.path(&format!("{name}.rotated")),
        };
        fs::write(&clients.live, select(&lines, "live "))?;
        fs::write(&clients.rotated, select(&lines, "rotated "))?;
        Ok(clients)
    }

    /// Seeds `count` keys, and `copies` rows of unused keys.
    pub(crate) fn seed_keys(&self, name: &str, count: u64, copies: u64) -> Result<Keys> {
        let lines = self.seed("seed-keys", name, &[count, copies])?;
        let values = self.path(&format!("{name}.keys"));
        fs::write(&values, select(&lines, "key "))?;
        Ok(Keys { data: self.path(name), values, verifier: select(&lines, "verifier ").trim().to_owned() })
    }

    fn seed(&self, program: &str, name: &str, numbers: &[u64]) -> Result<String> {
        let log = self.path("seed.log");
        let output = Command::new(self.example(program))
            .arg(self.path(name))
            .arg("http://127.0.0.1")
            .args(numbers.iter().map(u64::to_string))
            .stdin(Stdio::null())
            .stderr(File::create(&log)?)
            .output()?;
        if !output.status.success() {
            let log = fs::read_to_string(log)?;
            return Err(format!("{program} failed: {}", process::last_lines(&log)).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The rest of the lines that begin with a word.
fn select(lines: &str, word: &str) -> String {
    lines.lines().filter_map(|line| line.strip_prefix(word)).flat_map(|rest| [rest, "\n"]).collect()
}

pub(crate) fn count_lines(file: &Path) -> Result<u64> {
    Ok(u64::try_from(fs::read_to_string(file)?.lines().count())?)
}

/// Copies a data folder, which no server uses.
pub(crate) fn copy_data(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    // The server refuses a data folder that others can read.
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}
