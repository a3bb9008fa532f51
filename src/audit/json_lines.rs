//! Audit events as lines of JSON, for a collector of security events (SIEM).
//!
//! A thread of its own reads the events by position and writes one line for each, in one call. So the lines have the
//! events of all processes and of commands, nothing waits for the file, and after a restart the thread continues where
//! it was: its cursor is in the database.

use std::collections::VecDeque;
use std::io::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::json_line::{line, position_of};
use super::line_file::{LineFile, Progress};
use crate::domain::audit::RecordedEvent;
use crate::domain::lease::Lease;
use crate::domain::time::Timestamp;
use crate::store::leases::Leases;
use crate::store::{Store, StoreError, audit_chain};

/// Events that one query reads.
const BATCH: i64 = 500;
/// The pause before the log is read again, once every event is written.
const POLL: Duration = Duration::from_millis(250);
/// The pause before a line is tried again that the reader of a pipe has not taken.
const BLOCKED: Duration = Duration::from_millis(20);
/// The pause after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How long the end of the process waits for the thread.
const STOPPING: Duration = Duration::from_secs(2);
/// Every stored event is written.
const NOT_BEHIND: i64 = i64::MAX;

#[derive(Debug, Default)]
struct Shared {
    is_stopping: AtomicBool,
    must_reopen: AtomicBool,
    /// When the oldest event happened that is stored and not written, in milliseconds.
    behind_since: AtomicI64,
    lines: AtomicU64,
    failures: AtomicU64,
}

/// The thread that writes the lines.
#[derive(Debug)]
pub struct JsonLines {
    shared: Arc<Shared>,
    thread: parking_lot::Mutex<Option<JoinHandle<()>>>,
}

impl JsonLines {
    /// Starts the thread. `node` and `path` name its cursor: whoever writes this file on this node continues it. `-` is
    /// standard output.
    ///
    /// # Errors
    /// The file cannot be opened. A pipe that nobody reads is no error.
    pub fn start(store: Store, leases: &Arc<Leases>, node: &str, path: &Path) -> std::io::Result<Self> {
        let message = |error: &Error| format!("setting audit_json_lines: file {}: {error}", path.display());
        let failed = |error: Error| Error::new(error.kind(), message(&error));
        let path = if path == Path::new("-") { path.to_owned() } else { std::path::absolute(path).map_err(failed)? };
        let mut file = LineFile::new(path.clone());
        file.check().map_err(failed)?;
        let name = format!("lines of {node}: {}", path.display());
        leases.want(&name);
        let shared = Arc::new(Shared { behind_since: AtomicI64::new(NOT_BEHIND), ..Shared::default() });
        let writer = Writer {
            store,
            leases: Arc::clone(leases),
            name,
            file,
            shared: Arc::clone(&shared),
            under: None,
            queue: VecDeque::new(),
            until: 0,
            written: 0,
            saved: 0,
            is_failing: false,
        };
        let thread = std::thread::Builder::new().name("audit lines".to_owned()).spawn(move || writer.run())?;
        Ok(Self { shared, thread: parking_lot::Mutex::new(Some(thread)) })
    }

    /// Opens the file again, for tools that rename it.
    pub fn reopen(&self) {
        self.shared.must_reopen.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Ends the thread between two lines. If the reader of a pipe takes no line, it ends with the process.
    pub fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::SeqCst);
        self.wake();
        let deadline = std::time::Instant::now() + STOPPING;
        let Some(thread) = self.thread.lock().take() else { return };
        while !thread.is_finished() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wake(&self) {
        self.thread.lock().iter().for_each(|thread| thread.thread().unpark());
    }

    /// Returns the age at `now` of the oldest event that is stored and not written, in milliseconds; 0 if all are.
    pub fn lag_millis(&self, now: Timestamp) -> u64 {
        let since = self.shared.behind_since.load(Ordering::SeqCst);
        u64::try_from(now.millis().saturating_sub(since)).unwrap_or(0)
    }

    /// Returns how many lines were written, and how many attempts failed, since the start.
    pub fn counts(&self) -> (u64, u64) {
        (self.shared.lines.load(Ordering::Relaxed), self.shared.failures.load(Ordering::Relaxed))
    }
}

struct Writer {
    store: Store,
    leases: Arc<Leases>,
    /// Of the lease and of the cursor.
    name: String,
    file: LineFile,
    shared: Arc<Shared>,
    /// The lease that the following fields were read under.
    under: Option<Lease>,
    /// Events that were read and not written.
    queue: VecDeque<(i64, RecordedEvent)>,
    /// The position up to which events were read.
    until: i64,
    /// The position up to which events were written.
    written: i64,
    /// The position that the cursor has.
    saved: i64,
    is_failing: bool,
}

impl Writer {
    fn run(mut self) {
        while !self.shared.is_stopping.load(Ordering::SeqCst) {
            let pause = match self.turn() {
                Ok(pause) => {
                    self.is_failing = false;
                    pause
                }
                Err(failure) => {
                    self.fail(&failure);
                    Some(RETRY)
                }
            };
            if let Some(pause) = pause {
                std::thread::park_timeout(pause);
            }
        }
        if let Err(error) = self.save() {
            log::warn!("how far audit events were written as lines of JSON is not stored: {error}");
        }
    }

    /// Logs the first of several failures.
    fn fail(&mut self, failure: &Failure) {
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        if !self.is_failing {
            log::error!("audit events are not written as lines of JSON: {failure}");
        }
        self.is_failing = true;
        if let Failure::Store(StoreError::LeaseLost(_)) = failure {
            self.under = None;
        }
    }

    /// Writes one line, or reads more events. Returns a pause if there was nothing to do.
    fn turn(&mut self) -> Result<Option<Duration>, Failure> {
        let held = self.leases.held(&self.name);
        if held != self.under {
            self.begin(held)?;
        }
        if self.under.is_none() {
            return Ok(Some(POLL));
        }
        if self.shared.must_reopen.swap(false, Ordering::SeqCst) {
            self.file.reopen();
        }
        let Some((position, event)) = self.queue.front() else { return self.read() };
        match self.file.write(|| line(*position, event))? {
            Progress::Written => {
                self.written = *position;
                self.shared.lines.fetch_add(1, Ordering::Relaxed);
                self.queue.pop_front();
                self.note_lag();
                Ok(None)
            }
            Progress::Blocked => {
                self.save()?;
                Ok(Some(BLOCKED))
            }
        }
    }

    /// Continues under another lease where its cursor is, or where the file ends if that is a little further: the last
    /// process may have been killed before it stored the cursor.
    fn begin(&mut self, held: Option<Lease>) -> Result<(), Failure> {
        self.under = None;
        self.queue.clear();
        self.file.give_up();
        self.shared.behind_since.store(NOT_BEHIND, Ordering::SeqCst);
        let Some(lease) = held else { return Ok(()) };
        let connection = &mut *self.store.connection()?;
        self.saved = audit_chain::cursor(connection, &self.name)?;
        self.written = self.saved;
        // Before the file is looked at: as long as that fails, nothing is written.
        let behind = audit_chain::oldest_from(connection, self.saved)?;
        self.shared.behind_since.store(behind.map_or(NOT_BEHIND, Timestamp::millis), Ordering::SeqCst);
        if let Some((position, id)) = self.file.last_line()?.as_deref().and_then(position_of) {
            let page = audit_chain::read_after(connection, self.saved, BATCH)?;
            if page.events.iter().any(|(own, event)| (*own, &event.id) == (position, &id)) {
                self.written = position;
            }
        }
        self.until = self.written;
        self.under = Some(lease);
        Ok(())
    }

    /// Reads the next events.
    fn read(&mut self) -> Result<Option<Duration>, Failure> {
        self.written = self.until;
        self.save()?;
        let connection = &mut *self.store.connection()?;
        let page = audit_chain::read_after(connection, self.until, BATCH)?;
        let is_end = page.until == self.until;
        self.until = page.until;
        self.queue.extend(page.events);
        if is_end {
            let waiting = audit_chain::oldest_without(connection)?;
            self.shared.behind_since.store(waiting.map_or(NOT_BEHIND, Timestamp::millis), Ordering::SeqCst);
            return Ok(Some(POLL));
        }
        self.note_lag();
        Ok(None)
    }

    fn note_lag(&self) {
        if let Some((_, event)) = self.queue.front() {
            self.shared.behind_since.store(event.time.millis(), Ordering::SeqCst);
        }
    }

    /// Stores the cursor, if it has moved.
    fn save(&mut self) -> Result<(), StoreError> {
        if let Some(lease) = self.under.as_ref().filter(|_| self.saved < self.written) {
            let (name, position) = (&self.name, self.written);
            self.store.under_blocking(lease, |connection| audit_chain::set_cursor(connection, name, position))?;
            self.saved = self.written;
        }
        Ok(())
    }
}

/// Why a line is not written yet.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    File(#[from] Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}
