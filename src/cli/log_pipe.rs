//! A buffer between the log and standard error: requests append lines to it, and one thread writes them, so that no
//! request waits for a write and two never wait for each other.

use std::io::Write;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// How long lines are buffered before they are written: waking the thread for each line would cost requests more than
/// the writing. Lines that a killed process has not written are lost; the audit log is the record.
const GATHERING: std::time::Duration = std::time::Duration::from_millis(5);

/// Bytes that are buffered while standard error accepts none. Beyond, requests wait for it, so that memory stays
/// bounded.
const GATHERED_MAX: usize = 1 << 20;

#[derive(Default)]
struct Gathered {
    lines: Vec<u8>,
    is_writing: bool,
}

#[derive(Default)]
struct Shared {
    gathered: Mutex<Gathered>,
    changed: Condvar,
}

/// The writer for the log. A clone can [`LogPipe::drain`] it at the end of the process.
#[derive(Clone, Default)]
pub struct LogPipe(Arc<Shared>);

impl LogPipe {
    /// Starts the thread that writes to standard error.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start() -> std::io::Result<Self> {
        let pipe = Self::default();
        let shared = Arc::clone(&pipe.0);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_for_ever())?;
        Ok(pipe)
    }

    /// Waits until all logged lines are written.
    pub fn drain(&self) {
        let mut gathered = self.0.gathered.lock();
        while gathered.is_writing || !gathered.lines.is_empty() {
            self.0.changed.wait(&mut gathered);
        }
    }
}

impl Shared {
    fn write_for_ever(&self) {
        let mut lines = Vec::new();
        loop {
            let mut gathered = self.gathered.lock();
            gathered.is_writing = false;
            self.changed.notify_all();
            while gathered.lines.is_empty() {
                self.changed.wait(&mut gathered);
            }
            gathered.is_writing = true;
            drop(gathered);
            std::thread::sleep(GATHERING);
            let mut gathered = self.gathered.lock();
            std::mem::swap(&mut lines, &mut gathered.lines);
            drop(gathered);
            // Nobody can be told that standard error is gone.
            let _gone = std::io::stderr().write_all(&lines);
            lines.clear();
        }
    }
}

impl Write for LogPipe {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut gathered = self.0.gathered.lock();
        while gathered.lines.len() > GATHERED_MAX {
            self.0.changed.wait(&mut gathered);
        }
        gathered.lines.extend_from_slice(line);
        if !gathered.is_writing {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
