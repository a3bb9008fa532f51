//! A file that receives whole lines: a plain file, a pipe, or standard output.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes at the end of a file in which its last line is looked for. A line is shorter: what it has from outside is cut.
const LAST: u64 = 64 * 1024;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All of it is written.
    Written,
    /// The file takes nothing now. Write the same line again later.
    Blocked,
}

/// A file for lines. It is opened when the first line is written, and again when it is gone.
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    file: Option<File>,
    /// The line that is being written; empty between two lines.
    line: Vec<u8>,
    /// How much of the line is written.
    written: usize,
    /// Whether the file ends in the middle of a line that will not be completed.
    is_torn: bool,
    must_reopen: bool,
}

impl LineFile {
    /// Creates the writer of `path`; `-` is standard output.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, line: vec![], written: 0, is_torn: false, must_reopen: false }
    }

    fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Checks that the file can be written and its end be read, and creates it if it is missing.
    ///
    /// # Errors
    /// It cannot be opened. A pipe that nobody reads is no error.
    pub fn check(&mut self) -> std::io::Result<()> {
        let is_pipe = std::fs::metadata(&self.path).is_ok_and(|found| found.file_type().is_fifo());
        if !is_pipe && !self.is_stdout() {
            self.open()?;
            self.last_line()?;
        }
        Ok(())
    }

    /// Opens the file, and never waits for the reader of a pipe. Standard output may be shared, and stays as it is.
    fn open(&self) -> std::io::Result<File> {
        if self.is_stdout() {
            return Ok(File::from(std::io::stdout().as_fd().try_clone_to_owned()?));
        }
        // The events are not visible to other users.
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600).custom_flags(libc::O_NONBLOCK).open(&self.path)
    }

    /// Returns the last whole line of a plain file, and notes whether the file ends within another.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        if self.is_stdout() || !std::fs::metadata(&self.path).is_ok_and(|found| found.is_file()) {
            return Ok(None);
        }
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST)))?;
        let mut end = Vec::new();
        file.take(LAST).read_to_end(&mut end)?;
        self.is_torn = end.last().is_some_and(|last| *last != b'\n');
        // What follows the last newline is no whole line.
        let mut lines = end.rsplit(|byte| *byte == b'\n').skip(1);
        Ok(lines.next().filter(|line| !line.is_empty()).map(<[u8]>::to_vec))
    }

    /// Gives up the line that is being written. The next one may be another.
    pub fn give_up(&mut self) {
        self.is_torn |= self.written > 0;
        self.written = 0;
        self.line.clear();
    }

    /// Opens the file again before the next line.
    pub fn reopen(&mut self) {
        self.must_reopen = true;
    }

    /// Writes a line, in one call unless the file takes only a part of it. If this returns [`Progress::Blocked`] or
    /// fails, call it with the same line again.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub fn write(&mut self, line: impl FnOnce() -> Vec<u8>) -> std::io::Result<Progress> {
        if self.must_reopen || self.file.is_none() {
            match self.open() {
                Ok(file) => {
                    self.file = Some(file);
                    self.must_reopen = false;
                    // Its reader gets whole lines.
                    self.written = 0;
                    self.line.clear();
                }
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(Progress::Blocked),
                // What is open stays in use until the new file can be.
                Err(error) if self.file.is_none() => return Err(error),
                Err(error) => {
                    log::warn!("{}: {error}; the open file stays in use", self.path.display());
                    self.must_reopen = false;
                }
            }
        }
        if self.line.is_empty() {
            self.line = line();
            if std::mem::take(&mut self.is_torn) {
                self.line.insert(0, b'\n');
            }
        }
        self.write_on()
    }

    fn write_on(&mut self) -> std::io::Result<Progress> {
        while let Some(file) = self.file.as_mut().filter(|_| self.written < self.line.len()) {
            match file.write(&self.line[self.written..]) {
                Ok(0) => return Err(Error::from(ErrorKind::WriteZero)),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Progress::Blocked),
                Err(error) => {
                    // A new reader of a pipe gets whole lines. In a file, the rest follows when the disk has space.
                    if error.kind() == ErrorKind::BrokenPipe {
                        self.file = None;
                    }
                    return Err(error);
                }
            }
        }
        self.written = 0;
        self.line.clear();
        Ok(Progress::Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(file: &mut LineFile, text: &str) {
        assert_eq!(file.write(|| format!("{text}\n").into_bytes()).unwrap(), Progress::Written);
    }

    #[test]
    fn lines_are_appended_and_the_last_whole_one_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut file = LineFile::new(path.clone());
        assert_eq!(file.last_line().unwrap(), None);
        file.check().unwrap();
        assert_eq!(file.last_line().unwrap(), None);
        write(&mut file, "one");
        write(&mut file, "two");
        assert_eq!(file.last_line().unwrap().unwrap(), b"two");
        std::fs::rename(&path, folder.path().join("old")).unwrap();
        write(&mut file, "three");
        file.reopen();
        write(&mut file, "four");
        assert_eq!(std::fs::read_to_string(folder.path().join("old")).unwrap(), "one\ntwo\nthree\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "four\n");
    }

    #[test]
    fn a_line_that_was_cut_off_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, "one\ntw").unwrap();
        let mut file = LineFile::new(path.clone());
        assert_eq!(file.last_line().unwrap().unwrap(), b"one");
        write(&mut file, "two");
        write(&mut file, "three");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntw\ntwo\nthree\n");
    }

    #[test]
    fn a_full_disk_fails_and_a_pipe_without_reader_is_only_blocked() {
        let mut full = LineFile::new("/dev/full".into());
        assert!(full.write(|| b"x\n".to_vec()).is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut pipe = LineFile::new(path.clone());
        pipe.check().unwrap();
        assert_eq!(pipe.write(|| b"x\n".to_vec()).unwrap(), Progress::Blocked);
        let mut options = OpenOptions::new();
        let mut reader = options.read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
        // Longer than a pipe takes at once.
        let long = "y".repeat(100_000);
        assert_eq!(pipe.write(|| format!("{long}\n").into_bytes()).unwrap(), Progress::Blocked);
        let (mut text, mut part) = (Vec::new(), [0; 16_000]);
        while !text.ends_with(b"\n") {
            let read = reader.read(&mut part).unwrap();
            text.extend_from_slice(&part[..read]);
            if !text.ends_with(b"\n") && !pipe.line.is_empty() {
                let _blocked = pipe.write(|| b"another".to_vec());
            }
        }
        assert_eq!(text.len(), long.len() + 1, "the rest of the same line follows");
    }
}
