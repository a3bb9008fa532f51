//! Sessions of commands that use the database.

use std::future::Future;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use super::{CliError, logging};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
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
    let config = Config::load(flags)?;
    logging::start(&config, "warn");
    let runtime = runtime()?;
    runtime.block_on(async {
        let services = app::open(&config, config.server.listen, Purposes::Command, Clock::system()).await?;
        let origin = origin(services.recorder.events(), command)?;
        work(Session { services, caller: caller(), origin }).await
    })
}

/// Returns the caller of a command.
pub fn caller() -> Caller {
    Caller::CommandLine { actor: actor().into() }
}

/// Returns the origin of a command's audit events.
///
/// # Errors
/// The system provides no randomness.
pub fn origin(events: &Events, command: &str) -> Result<Arc<Origin>, CliError> {
    let origin = events.system_origin(command).map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(Arc::new(Origin {
        method: "CLI".into(),
        user_agent: concat!("sealwright/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..Origin::clone(&origin)
    }))
}

/// Creates the runtime of a command.
///
/// # Errors
/// The system cannot provide it.
pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Returns `cli:` with the operating system's user, by number if no name is known. With sudo, it is the user who ran
/// sudo.
fn actor() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|user| !user.is_empty() && user.chars().all(|c| c.is_ascii_graphic()));
    if let Some(user) = user {
        return format!("cli:{}", crate::domain::text::recordable(&user, 60));
    }
    let owner = std::fs::metadata("/proc/self").map(|process| process.uid().to_string());
    format!("cli:{}", owner.as_deref().unwrap_or("unknown"))
}
