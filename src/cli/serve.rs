//! `sealwright serve`.

use super::{CliError, session};
use crate::app::{self, Purposes};
use crate::config::{Config, Flags};
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
    session::start_log(&config, "info");
    let purpose = if arguments.no_migrate { Purposes::ServeWithoutMigrating } else { Purposes::Serve };
    let (served, ready) = (config.clone(), || {});
    actix_rt(async move { serve(served, purpose, ready).await })
}

/// Opens everything, serves, and calls `ready` once requests are accepted.
///
/// # Errors
/// What is missing or does not fit, by name.
pub async fn serve(config: Config, purpose: Purposes, ready: impl FnOnce()) -> Result<(), CliError> {
    let listener = http::bind(config.server.listen)?;
    let address = listener.local_addr()?;
    let services = app::open(&config, address, purpose).await?;
    let followed = services.start_following().await?;
    // What changed between loading and following is loaded once more.
    services.reload_keyring().await?;
    jobs::start(&services, followed);
    let issuer = services.issuers.of(crate::domain::environment::Environment::Production).issuer.clone();
    http::serve(&config, services.clone(), listener, || {
        log::info!("listening on {address}, issuer {issuer}");
        ready();
    })
    .await?;
    jobs::finish(&services).await;
    log::info!("stopped");
    Ok(())
}

/// Runs `work` on the server's runtime.
pub fn actix_rt<F: Future<Output = Result<(), CliError>>>(work: F) -> Result<(), CliError> {
    http::runtime().block_on(work)
}
