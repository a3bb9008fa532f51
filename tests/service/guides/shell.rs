//! The blocks of a guide that are marked `sh`, run one after the other in one shell.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::support::programs;

/// A block of a guide: a script, and what it prints.
pub struct Step {
    /// The commands.
    pub script: String,
    /// The block `text` after it; empty if there is none.
    pub expected: String,
}

/// A block of code with its language.
pub struct Block<'g> {
    /// What the fence says.
    pub language: &'g str,
    /// The lines between the fences.
    pub code: &'g str,
}

/// The fenced blocks of a guide.
pub fn blocks(guide: &str) -> Vec<Block<'_>> {
    let mut parts = guide.split("\n```");
    parts.next();
    let mut blocks = vec![];
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, code) = block.split_once('\n').unwrap_or((block, ""));
        blocks.push(Block { language, code });
    }
    blocks
}

/// The blocks that a guide marks `sh`, each with the block `text` that follows it, if one does.
pub fn steps(guide: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut before = "";
    for Block { language, code } in blocks(guide) {
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step { script: code.to_owned(), expected: String::new() }),
            ("text", Some(step)) if before == "sh" => step.expected = format!("{code}\n"),
            ("text" | "", _) => panic!("a block of text that follows no commands, or of no language: {code}"),
            _ => {}
        }
        before = language;
    }
    steps
}

/// Adds a program for the guide to a folder: a script of `sh`.
pub fn add_program(folder: &Path, name: &str, script: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A shell in `folder`, which finds programs in its `bin`, and Python with the packages of the tests.
pub fn shell_in(folder: &Path) -> Command {
    let sealwright = env!("CARGO_BIN_EXE_sealwright");
    add_program(&folder.join("bin"), "sealwright", &format!("exec '{sealwright}' \"$@\""));
    let python = programs::python("").get_program().to_owned();
    let python = Path::new(&python).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{}:{path}:/usr/sbin", folder.join("bin").display(), python.display());
    let mut shell = programs::system("bash");
    shell.current_dir(folder).env("PATH", path).env("HOME", folder);
    shell
}

/// Waits in a script until something listens on a port.
pub fn wait_for(port: u16) -> String {
    let listens = format!("command curl -s -o /dev/null http://127.0.0.1:{port}/");
    format!("for _ in $(seq 300); do {listens} && break; sleep 0.1; done")
}

/// Runs the steps, each changed by `change`, after `prelude`. Each must succeed, and print what the guide says.
pub fn run(mut shell: Command, folder: &Path, prelude: &str, steps: &[Step], change: impl Fn(&str) -> String) {
    let file = |name: &str| folder.join(name);
    let create = |name: &str| std::fs::File::create(file(name)).unwrap();
    let mut script = format!("set -eu\n{prelude}\n");
    for (number, step) in steps.iter().enumerate() {
        writeln!(script, "echo '=== {number}'\n{}", change(&step.script)).unwrap();
    }
    std::fs::write(file("script"), script).unwrap();
    let mut group = Group::start(shell.arg("script").stdout(create("stdout")).stderr(create("stderr")));
    let status = group.wait();
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    let (said, log) = (read("stdout"), read("stderr"));
    let said: Vec<&str> = said.split("=== ").skip(1).map(|part| part.split_once('\n').unwrap().1).collect();
    for (number, step) in steps.iter().enumerate() {
        let found = said.get(number).unwrap_or_else(|| panic!("ended before {}: {log}", step.script));
        let is_last = number + 1 == said.len();
        assert!(!is_last || status.success(), "{status}: {}\n{found}\n{log}", step.script);
        assert!(step.expected.is_empty() || *found == step.expected, "{}\n{found}\n{log}", step.script);
    }
    assert!(status.success(), "{status}: {log}");
}

/// A shell and what it started, ended when dropped.
struct Group(Child);

impl Group {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).process_group(0).spawn().unwrap())
    }

    fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Where it started no servers, nothing is left of it.
        let mut kill = Command::new("kill");
        let _ = kill.args(["-TERM", "--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}
