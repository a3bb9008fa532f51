//! Programs that a run starts, and stops before it ends.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::Result;

const READY_WITHIN: Duration = Duration::from_secs(60);
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// A process that takes almost no processor time for this long has settled. Background loops of the server rest for
/// less.
const SETTLING: Duration = Duration::from_millis(1_500);
/// Linux counts processor time for programs in hundredths of a second on every machine.
const MILLISECONDS_PER_TICK: u64 = 10;

/// The ids of the processes that run now.
#[derive(Clone, Default)]
pub(crate) struct Started(Arc<Mutex<Vec<u32>>>);

impl Started {
    /// Stops what runs and removes the folder if the run is interrupted.
    pub(crate) fn stop_on_signal(&self, folder: PathBuf) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let started = self.clone();
        thread::spawn(move || {
            let signalled = runtime.block_on(async {
                let mut terminate = signal(SignalKind::terminate())?;
                tokio::select! {
                    done = tokio::signal::ctrl_c() => done,
                    _ = terminate.recv() => Ok(()),
                }
            });
            if signalled.is_ok() {
                started.ids(|ids| ids.iter().for_each(|id| terminate(*id)));
                drop(fs::remove_dir_all(folder));
                std::process::exit(130);
            }
        });
        Ok(())
    }

    fn ids<T>(&self, change: impl FnOnce(&mut Vec<u32>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A server of this run; it is stopped when it is dropped.
pub(crate) struct Process {
    child: Child,
    started: Started,
    pub(crate) address: String,
    /// From starting the program until it was ready.
    pub(crate) ready_after: Duration,
}

impl Process {
    /// Starts a program that listens on the address, and waits until it is ready.
    pub(crate) fn start(mut command: Command, address: String, log: &Path, started: &Started) -> Result<Self> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let begun = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        started.ids(|ids| ids.push(child.id()));
        let mut process = Self { child, started: started.clone(), address, ready_after: Duration::ZERO };
        while !process.is_ready() {
            if process.child.try_wait()?.is_some() || begun.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{} is not ready: {}", process.address, last_lines(&log)).into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        process.ready_after = begun.elapsed();
        Ok(process)
    }

    fn is_ready(&self) -> bool {
        self.get("/readyz").is_ok_and(|response| response.starts_with("HTTP/1.1 200 "))
    }

    /// The whole response to a request without credentials.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    }

    /// The resident memory in KiB.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS in /proc")?;
        Ok(number.parse()?)
    }

    /// Waits until the process has worked off what its requests have left.
    pub(crate) fn settle(&self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < SETTLED_WITHIN {
            let before = self.processor_time()?;
            thread::sleep(SETTLING);
            if self.processor_time()? - before <= 2 * MILLISECONDS_PER_TICK {
                return Ok(());
            }
        }
        Err(format!("{} still works after {SETTLED_WITHIN:?} without requests", self.address).into())
    }

    /// The processor time so far in milliseconds.
    pub(crate) fn processor_time(&self) -> Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the program, in parentheses, may have blanks in it.
        let (_, fields) = stat.rsplit_once(") ").ok_or("no name in /proc")?;
        let ticks: Vec<u64> =
            fields.split(' ').skip(11).take(2).map(str::parse).collect::<std::result::Result<_, _>>()?;
        Ok(ticks.iter().sum::<u64>() * MILLISECONDS_PER_TICK)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The id of an ended process may belong to another one by now.
        if matches!(self.child.try_wait(), Ok(None)) {
            terminate(self.child.id());
            drop(self.child.wait());
        }
        self.started.ids(|ids| ids.retain(|id| *id != self.child.id()));
    }
}

/// Asks a process to finish its requests and stop.
fn terminate(id: u32) {
    drop(Command::new("sh").args(["-c", &format!("kill {id}")]).stderr(Stdio::null()).status());
}

pub(crate) fn last_lines(log: &str) -> String {
    let mut lines: Vec<&str> = log.lines().rev().take(3).collect();
    lines.reverse();
    lines.join("\n")
}
