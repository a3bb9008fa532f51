//! The command `sealwright serve`.

use std::net::TcpListener;

use super::folder::{self, Work};
use super::{CliError, logging};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::http::UnreadHeads;
use crate::service::SharedServices;
use crate::{http, jobs};

#[derive(clap::Args)]
pub struct Arguments {
    /// Do not migrate the schema; refuse to start if it is not that of this release
    #[arg(long)]
    no_migrate: bool,
}

/// Runs the server until a signal stops it.
pub fn run(flags: &Flags, arguments: &Arguments) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    folder::require(&config, flags, Work::Makes)?;
    let (log, heads) = logging::start_for_server(&config)?;
    let purpose = if arguments.no_migrate { Purposes::ServeWithoutMigrating } else { Purposes::Serve };
    let (served, ready) = (config.clone(), || {});
    let listener = http::bind(config.server.listen)?;
    let result = actix_rt(async move { serve(served, heads, listener, purpose, ready).await });
    log.drain();
    result
}

/// Opens the database and the keys, serves on `listener`, and calls `ready` once requests are accepted.
///
/// # Errors
/// A setting, the schema, or a key is missing or does not fit; the error names it.
pub async fn serve(
    config: Config,
    heads: UnreadHeads,
    listener: TcpListener,
    purpose: Purposes,
    ready: impl FnOnce(),
) -> Result<(), CliError> {
    let address = listener.local_addr()?;
    let services = app::open(&config, address, purpose, Clock::system()).await?;
    jobs::start(&services).await;
    let issuer = services.issuers.of(crate::domain::environment::Environment::Production).issuer.clone();
    tokio::spawn(reread_on_hangup(services.clone()));
    http::serve(&config, services.clone(), heads, listener, http::Stop::Signals, || {
        log::info!("listening on {address}, issuer {issuer}");
        ready();
    })
    .await?;
    jobs::stop(&services).await;
    log::info!("stopped");
    Ok(())
}

/// Reloads the master keys on SIGHUP, which would end the process otherwise, and opens the file of `audit_json_lines`
/// again. Certificates are reloaded with them where Sealwright terminates TLS.
async fn reread_on_hangup(services: SharedServices) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) =
        signal(SignalKind::hangup()).inspect_err(|error| log::warn!("cannot listen for SIGHUP: {error}"))
    else {
        return;
    };
    while hangups.recv().await.is_some() {
        if let Some(lines) = &services.lines {
            lines.reopen();
        }
        match services.operations.sealer.reread() {
            Ok(()) => log::info!("master keys reloaded"),
            Err(error) => log::error!("master keys could not be reloaded: {error}"),
        }
    }
}

/// Runs `work` on the server's runtime.
pub fn actix_rt<F: Future<Output = Result<(), CliError>>>(work: F) -> Result<(), CliError> {
    http::runtime().block_on(work)
}
