//! A run: its options, its folder, the programs that it starts, and the requests that failed.

mod changes;
mod compare;
mod figures;
mod flood;
mod keys;
mod machine;
mod options;
mod process;
mod seeds;
mod tokens;
mod wrk;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use tempfile::TempDir;

pub(crate) use options::Options;
use options::What;
use process::{Process, Started};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Whether the programs are built as they are released.
const IS_RELEASE: bool = !cfg!(debug_assertions);

pub(crate) struct Bench {
    options: Options,
    /// The top of the repository.
    root: PathBuf,
    /// Where cargo puts the programs, such as `target/release`.
    programs: PathBuf,
    folder: TempDir,
    started: Started,
    /// Requests without the expected response.
    bad: Cell<u64>,
}

impl Bench {
    /// Builds the programs, and creates the folder of this run.
    pub(crate) fn prepare(options: Options) -> Result<Self> {
        let wrk = Program::new("wrk").arg("--version").output();
        wrk.map_err(|_| "wrk is missing (Debian: apt-get install wrk)")?;
        // The program itself is in `examples`, below the folder of the profile.
        let program = std::env::current_exe()?;
        let programs = program.ancestors().nth(2).ok_or("this program must be started by cargo")?.to_owned();
        let target = programs.parent().ok_or("there is no target folder")?.to_owned();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        if options.is_built_first() {
            build(&root, &target)?;
        }
        let folder = tempfile::Builder::new().prefix("load.").tempdir_in(&target)?;
        let started = Started::default();
        started.stop_on_signal(folder.path().to_owned())?;
        Ok(Self { options, root, programs, folder, started, bad: Cell::new(0) })
    }

    /// Runs the commands. Returns the number of requests without the expected response.
    pub(crate) fn run(&self) -> Result<u64> {
        println!("{}", machine::describe(&self.options, self.folder.path())?);
        if !IS_RELEASE {
            println!("A debug build: its figures say nothing of the product's speed.");
        }
        for what in self.options.commands() {
            println!("{}:", what.name());
            match what {
                What::Ratio => self.ratio()?,
                What::Memory => self.memory()?,
                What::Start => self.start()?,
                What::MillionClients => self.million_clients()?,
                What::Verify => self.verify()?,
                What::ForwardAuth => self.forward_auth()?,
                What::MillionKeys => self.million_keys()?,
                What::UnknownKeys => self.unknown_keys()?,
                What::Flood => self.flood()?,
                What::Changes => self.changes()?,
                What::All => {}
            }
        }
        Ok(self.bad.get())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn example(&self, name: &str) -> PathBuf {
        self.programs.join("examples").join(name)
    }

    fn count_bad(&self, count: u64) {
        self.bad.set(self.bad.get() + count);
    }

    /// The server on a data folder of this run, once it is ready.
    fn start_server(&self, data: &Path) -> Result<Process> {
        let address = machine::free_address()?;
        let mut command = Program::new(self.programs.join("sealwright"));
        command.arg("serve").arg("--data-dir").arg(data);
        command.args(["--listen", &address, "--public-url", &format!("http://{address}")]);
        // Variables that the user has set are for another server.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SEALWRIGHT_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.envs(self.options.settings());
        Process::start(command, address, &self.path("server.log"), &self.started)
    }

    /// The bare handler, with as many workers as the server has, and with the same algorithm.
    fn start_bare(&self) -> Result<Process> {
        let address = machine::free_address()?;
        let mut command = Program::new(self.example("bare-handler"));
        command.args([&address, &machine::cores()?.to_string(), &self.options.algorithm]);
        Process::start(command, address, &self.path("bare.log"), &self.started)
    }
}

fn build(root: &Path, target: &Path) -> Result<()> {
    let mut cargo = Program::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--bin", "sealwright", "--examples"]);
    cargo.args(IS_RELEASE.then_some("--release"));
    // The variables that `cargo run` sets would make cargo build packages again whose build scripts read them.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    let status = cargo.current_dir(root).env("CARGO_TARGET_DIR", target).status()?;
    if status.success() { Ok(()) } else { Err("the programs could not be built".into()) }
}
