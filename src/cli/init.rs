//! The command `sealwright init`: makes an installation, and says what to back up.

use serde_json::json;

use super::folder::{self, Work, absolute};
use super::{CliError, logging, output, session};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, DatabaseConfig, Flags};
use crate::store::migrations::{self, SchemaState};
use crate::store::{Store, installation};

/// Makes the data folder, the database with its schema and signing keys, and the master key, where they are missing.
pub fn run(flags: &Flags, json: bool) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    logging::start(&config, "warn");
    folder::require(&config, flags, Work::Makes)?;
    if is_installed(&config)? {
        return Err(CliError::Failed(format!(
            "there is an installation in {} already; nothing was changed",
            place(&config.database)
        )));
    }
    let opened = app::open_and_tell(&config, config.server.listen, Purposes::Serve, Clock::system());
    let (services, created) = session::runtime()?.block_on(opened)?;
    let source = services.operations.sealer.source();
    let key = source.path().map(absolute);
    output::object(
        json,
        &json!({
            "data_dir": absolute(&config.data_dir),
            "database": place(&config.database),
            "master_key": key,
            "master_key_created": created.is_some(),
        }),
    );
    let key = key.unwrap_or_else(|| format!("{source:?}"));
    output::remark(&format!(
        "\nBack up:\n\
         - The master key, {key}. Copy it now, and keep the copy apart from the backups: without it no signing key of \
         this installation can be used again.\n\
         - The database, regularly: `sealwright backup --output FILE`. A backup never has the master key.\n\
         - Your settings, if you have any: sealwright.toml and SEALWRIGHT_ variables.\n\
         `sealwright serve` starts the server."
    ));
    Ok(())
}

/// Says where the database is, without a password.
fn place(database: &DatabaseConfig) -> String {
    match database {
        DatabaseConfig::Sqlite { file, .. } => format!("sqlite:{}", absolute(file)),
        server @ DatabaseConfig::Postgres { .. } => format!("{server:?}"),
    }
}

/// Returns whether the database has been used. One that was only migrated, or left by an `init` that was interrupted,
/// has not.
fn is_installed(config: &Config) -> Result<bool, CliError> {
    if let DatabaseConfig::Sqlite { file, .. } = &config.database
        && !file.exists()
    {
        return Ok(false);
    }
    let store = Store::open(&config.database)?;
    match migrations::state(&store)? {
        SchemaState::Empty => Ok(false),
        SchemaState::Current => Ok(installation::has_sealed_values(&mut *store.connection()?)?),
        SchemaState::Behind(_) | SchemaState::Unknown(_) => Ok(true),
    }
}
