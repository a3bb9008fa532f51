//! The command line.

mod audit;
mod client;
mod config;
mod config_check;
mod data_folder;
mod doctor;
mod key;
mod upkeep;

use std::process::Command;

use crate::support::run;

/// What a command that ended said.
#[derive(Debug)]
pub struct Ended {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command to its end, however it ends.
pub fn end(command: &mut Command) -> Ended {
    let output = run(command);
    Ended {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command that must end with this status.
#[track_caller]
pub fn end_with(status: i32, command: &mut Command) -> Ended {
    let ended = end(command);
    assert_eq!(ended.status, status, "{command:?}: {ended:?}");
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    ended
}
