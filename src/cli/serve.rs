//! `sealwright serve`.

use std::net::TcpListener;

use super::{CliError, session};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::service::SharedServices;
use crate::{http, jobs};

#[derive(clap::Args)]
pub struct Arguments {
    /// Leave the schema as it is; refuse to start where it is not this release's
    #[arg(long)]
    no_migrate: bool,
}

/// Runs the server until it is told to stop.
pub fn run(flags: &Flags, arguments: &Arguments) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    let log = session::start_server_log(&config)?;
    let purpose = if arguments.no_migrate { Purposes::ServeWithoutMigrating } else { Purposes::Serve };
    let (served, ready) = (config.clone(), || {});
    let listener = http::bind(config.server.listen)?;
    let result = actix_rt(async move { serve(served, listener, purpose, ready).await });
    log.drain();
    result
}

/// Opens everything, serves on `listener`, and calls `ready` once requests are accepted.
///
/// # Errors
/// What is missing or does not fit, by name.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    purpose: Purposes,
    ready: impl FnOnce(),
) -> Result<(), CliError> {
    let address = listener.local_addr()?;
    let services = app::open(&config, address, purpose, Clock::system()).await?;
    let followed = services.changes.start().await?;
    // What changed between loading and following is loaded once more.
    services.changes.reload_keyring().await?;
    jobs::start(&services, followed);
    let issuer = services.issuers.of(crate::domain::environment::Environment::Production).issuer.clone();
    tokio::spawn(reread_on_hangup(services.clone()));
    http::serve(&config, services.clone(), listener, http::Stop::Signals, || {
        log::info!("listening on {address}, issuer {issuer}");
        ready();
    })
    .await?;
    services.operations.store_notes().await;
    log::info!("stopped");
    Ok(())
}

/// SIGHUP reads the master keys again (and certificates, where TLS ends here), where it would end other programs.
async fn reread_on_hangup(services: SharedServices) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()).inspect_err(|error| log::warn!("SIGHUP is not heard: {error}"))
    else {
        return;
    };
    while hangups.recv().await.is_some() {
        match services.operations.sealer.reread() {
            Ok(()) => log::info!("master keys read again"),
            Err(error) => log::error!("master keys could not be read again: {error}"),
        }
    }
}

/// Runs `work` on the server's runtime.
pub fn actix_rt<F: Future<Output = Result<(), CliError>>>(work: F) -> Result<(), CliError> {
    http::runtime().block_on(work)
}
