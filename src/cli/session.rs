//! Sessions of commands that use the database.

use std::future::Future;
use std::sync::Arc;

use super::folder::{self, Work};
use super::{CliError, logging};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags, SystemUser};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::text;
use crate::service::SharedServices;
use crate::service::events::Events;

/// A command's session: the services, its caller and its origin.
pub struct Session {
    /// The use cases, with an open database.
    pub services: SharedServices,
    /// The operating system's user on the command line.
    pub caller: Caller,
    /// The origin of the command's audit events.
    pub origin: Arc<Origin>,
}

/// Opens the database and the keys, and runs `work` with them.
///
/// # Errors
/// The settings are invalid, the database or the keys cannot be opened, or `work` fails.
pub fn run<F: Future<Output = Result<(), CliError>>>(
    flags: &Flags,
    command: &str,
    work: impl FnOnce(Session) -> F,
) -> Result<(), CliError> {
    run_as(Work::Uses, flags, command, work)
}

/// Runs `work` as [`run`] does, for a command that does `what` with the installation.
///
/// # Errors
/// As [`run`].
pub fn run_as<F: Future<Output = Result<(), CliError>>>(
    what: Work,
    flags: &Flags,
    command: &str,
    work: impl FnOnce(Session) -> F,
) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    logging::start(&config, "warn");
    folder::require(&config, flags, what)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let services = app::open(&config, config.server.listen, Purposes::Command, Clock::system()).await?;
        let origin = origin(services.recorder.events(), command)?;
        work(Session { services, caller: caller(), origin }).await
    })
}

/// Returns the caller of a command: the user of this process, by number, which no variable can change.
pub fn caller() -> Caller {
    Caller::CommandLine { actor: format!("cli:{}", SystemUser::of_process().0).into() }
}

/// Returns the origin of a command's audit events.
///
/// # Errors
/// The system provides no randomness.
pub fn origin(events: &Events, command: &str) -> Result<Arc<Origin>, CliError> {
    let origin = events.system_origin(command).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(Arc::new(Origin { method: "CLI".into(), user_agent: user_agent(), ..Origin::clone(&origin) }))
}

/// Creates the runtime of a command.
///
/// # Errors
/// The system cannot provide it.
pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Returns the program and, as a note, the name that the environment claims for the user. Everyone may set it to
/// anything; the actor is who it was. With sudo, it is the name of the user who ran sudo.
fn user_agent() -> String {
    let claimed = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let claimed = claimed.filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic()));
    let program = concat!("sealwright/", env!("CARGO_PKG_VERSION"));
    match claimed {
        Some(name) => format!("{program} ({})", text::recordable(&name, 60)),
        None => program.to_owned(),
    }
}
