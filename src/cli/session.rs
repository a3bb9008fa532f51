//! What a command that works on the database has at hand.

use std::future::Future;
use std::sync::Arc;

use super::CliError;
use crate::app::{self, Purposes};
use crate::clock;
use crate::config::{Config, Flags};
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::service::SharedServices;

/// A command's session: the services, and who runs it.
pub struct Session {
    /// The services.
    pub services: SharedServices,
    /// The command line, as the operating system's user.
    pub caller: Caller,
    /// For the command's audit events.
    pub origin: Arc<Origin>,
}

/// Opens the database and runs `work` on it.
///
/// # Errors
/// The settings, the database, the keys, or the work's own.
pub fn run<F: Future<Output = Result<(), CliError>>>(
    flags: &Flags,
    command: &str,
    work: impl FnOnce(Session) -> F,
) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    start_log(&config, "warn");
    let runtime = runtime()?;
    runtime.block_on(async {
        let services = app::open(&config, config.server.listen, Purposes::Command).await?;
        let now = clock::now();
        let origin = Arc::new(Origin {
            request_id: random::id(now).map_err(|error| CliError::Failed(error.to_string()))?,
            method: "CLI".into(),
            path: command.to_owned(),
            address: None,
            user_agent: concat!("sealwright/", env!("CARGO_PKG_VERSION")).to_owned(),
            received_at: now,
            started: std::time::Instant::now(),
        });
        work(Session { services, caller: Caller::CommandLine { actor: actor().into() }, origin }).await
    })
}

/// The runtime of a command.
///
/// # Errors
/// The system refuses it.
pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// `cli:` and the operating system's user; who came by sudo counts as who came.
fn actor() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|user| !user.is_empty() && user.chars().all(|c| c.is_ascii_graphic()));
    format!("cli:{}", user.as_deref().map_or("unknown", |user| crate::domain::text::clipped(user, 60)))
}

/// Starts logging to standard error; `RUST_LOG` wins over the setting, and commands say only what is wrong.
pub fn start_log(config: &Config, fallback: &str) {
    let filter = if fallback == "warn" && config.log == "info" { fallback } else { &config.log };
    let environment = env_logger::Env::default().default_filter_or(filter);
    let _already = env_logger::Builder::from_env(environment).format_timestamp_millis().try_init();
}
