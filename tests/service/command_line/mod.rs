//! The command line.

mod audit;
mod audit_verify;
mod client;
mod config;
mod config_check;
mod data_folder;
mod doctor;
mod final_acts;
mod follow;
mod key;
mod lists;
mod reading;
mod upkeep;

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{programs, run};

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

/// Runs a command with this on its standard input; it must end with this status.
#[track_caller]
pub fn end_with_input(status: i32, command: &mut Command, input: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that has ended already reads none.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = |bytes| String::from_utf8(bytes).unwrap();
    let ended =
        Ended { status: output.status.code().unwrap_or(-1), out: said(output.stdout), err: said(output.stderr) };
    assert_eq!(ended.status, status, "{command:?}: {ended:?}");
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    ended
}

/// The command on a terminal, whose two outputs are one; its exit status is the command's.
pub fn on_a_terminal(command: &Command) -> Command {
    let mut terminal = programs::system("script");
    let words: Vec<&str> = command.get_args().map(|word| word.to_str().unwrap()).collect();
    let line = format!("{} {}", command.get_program().to_str().unwrap(), words.join(" "));
    terminal.args(["-qec", &line, "/dev/null"]);
    terminal.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    terminal
}
