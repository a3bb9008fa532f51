//! Programs of others that the tests run: scripts in Python and Node.js, and the examples.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::Duration;

/// A Python script of this repository, with the packages that it needs.
pub fn python(script: &str) -> Command {
    program(variable("SEALWRIGHT_TEST_PYTHON").as_ref(), &root().join(script))
}

/// A program of the Python environment that reads the OpenAPI document: `openapi-generator-cli`, `schemathesis`,
/// `python`.
pub fn generated(program: &str) -> Command {
    let python = PathBuf::from(variable("SEALWRIGHT_TEST_GENERATED_PYTHON"));
    clean(Command::new(python.with_file_name(program)))
}

/// A program of the system, such as `go`.
pub fn system(program: &str) -> Command {
    clean(Command::new(program))
}

/// The folder with the Node.js packages of generated clients.
pub fn generated_node_modules() -> PathBuf {
    Path::new(&variable("SEALWRIGHT_TEST_NODE_DIR")).join("generated/node_modules")
}

/// A file or folder of this repository.
pub fn source(path: &str) -> PathBuf {
    root().join(path)
}

/// A Node.js script, from the folder that has the packages: `interop/…` or `examples/…`.
pub fn node(script: &str) -> Command {
    program("node".as_ref(), &Path::new(&variable("SEALWRIGHT_TEST_NODE_DIR")).join(script))
}

/// A file beside the Node.js packages, which need not exist.
pub fn node_file(path: &str) -> PathBuf {
    Path::new(&variable("SEALWRIGHT_TEST_NODE_DIR")).join(path)
}

/// A shell script of this repository.
pub fn shell(script: &str) -> Command {
    program("bash".as_ref(), &root().join(script))
}

/// Apache with this configuration, in a folder of its own.
pub fn apache(folder: &Path, config: &Path) -> Command {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let mut command = Command::new("apache2");
    // Debian has it where only root looks for programs.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap()));
    command.arg("-d").arg(folder).arg("-f").arg(config).args(["-D", "FOREGROUND"]);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        // It serves as another user where it is started as root; that user must be able to read the folder.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        command.args(["-c", "User www-data", "-c", "Group www-data"]);
    }
    command
}

/// A Rust example, which cargo has built beside the tests.
pub fn rust(example: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples").join(example);
    assert!(path.exists(), "{} is missing: cargo builds it unless tests are chosen by --test", path.display());
    clean(Command::new(path))
}

/// The first line that a program prints; none if it ends before, or takes too long.
pub fn first_line(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(lines.next().and_then(Result::ok));
        lines.for_each(drop); // so that it never waits for a reader
    });
    receiver.recv_timeout(Duration::from_secs(60)).ok().flatten()
}

fn program(interpreter: &Path, script: &Path) -> Command {
    let mut command = clean(Command::new(interpreter));
    command.arg(script);
    command
}

/// Nothing of the tests' own environment may configure it, nor come between it and the server.
fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEALWRIGHT_")) {
        command.env_remove(name);
    }
    command.env("NO_PROXY", "*").env("no_proxy", "*");
    command
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests by scripts/test, which installs what they need"))
}
