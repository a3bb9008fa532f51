//! The commands `migrate`, `master-key`, `backup` and `restore`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::folder::{self, Work};
use super::session::{self, Session};
use super::{CliError, logging, output};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::domain::audit::{Action, Disposition, Outcome, Reason};
use crate::http;
use crate::service::audit_context::AuditContext;
use crate::service::events::Events;
use crate::store::migrations::{self, SchemaState};
use crate::store::{Store, backup, installation};

#[derive(Subcommand)]
pub enum MasterKeyCommand {
    /// Seal every value again under the first master key; where the keys are in a file, create that key first
    Rotate,
}

#[derive(clap::Args)]
pub struct BackupArguments {
    /// File to write; it must not exist
    #[arg(long)]
    output: PathBuf,
}

#[derive(clap::Args)]
pub struct RestoreArguments {
    /// File that `backup` wrote
    #[arg(long)]
    input: PathBuf,
}

/// Runs `sealwright migrate`: applies missing migrations.
pub fn migrate(flags: &Flags, json: bool) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    logging::start(&config, "warn");
    folder::require(&config, flags, Work::Migrates)?;
    let applied = migrations::run(&Store::open(&config.database)?)?;
    if json {
        output::line(&json!({ "applied": applied }).to_string());
    } else if applied.is_empty() {
        output::line("The schema is up to date.");
    } else {
        output::line(&format!("Applied: {}", applied.join(", ")));
    }
    Ok(())
}

/// Runs `sealwright master-key …`: seals every value again.
pub fn master_key(flags: &Flags, json: bool, command: &MasterKeyCommand) -> Result<(), CliError> {
    match command {
        MasterKeyCommand::Rotate => {
            session::run_as(Work::ReplacesMasterKey, flags, "master-key rotate", async move |session| {
                let Session { services, caller, origin } = session;
                let rotation = services.operations.rotate_master_key(&caller, origin).await?;
                output::object(json, &json!({"master_key": rotation.key.to_string(), "resealed": rotation.resealed}));
                output::remark(if rotation.resealed == 0 {
                    "Every value was sealed under the first master key already. To replace it, put a new one before it."
                } else {
                    "Keep the old key beside the new one until every node has both. Earlier backups need it \
                     permanently."
                });
                Ok(())
            })
        }
    }
}

/// Runs `sealwright backup`: writes a copy of the database.
pub fn backup(flags: &Flags, json: bool, arguments: &BackupArguments) -> Result<(), CliError> {
    let path = arguments.output.clone();
    session::run(flags, "backup", async move |session| {
        let Session { services, caller, origin } = session;
        let rows = services.operations.back_up(&caller, path.clone(), origin).await?;
        output::object(json, &json!({"file": path.display().to_string(), "rows": rows, "master_key": "not included"}));
        output::remark(
            "The master key is NOT in this backup. Without it no signing key in the backup can be used: \
             keep it safe elsewhere.",
        );
        Ok(())
    })
}

/// Runs `sealwright restore`: fills an empty database from a copy.
pub fn restore(flags: &Flags, json: bool, arguments: &RestoreArguments) -> Result<(), CliError> {
    let config = Config::load(flags)?;
    logging::start(&config, "warn");
    folder::require(&config, flags, Work::Restores)?;
    let store = Store::open_or_create(&config.database)?;
    let is_empty = match migrations::state(&store)? {
        SchemaState::Empty => true,
        // It was migrated only, or left by a restore that failed: nothing was ever sealed in it.
        SchemaState::Current => !installation::has_sealed_values(&mut *store.connection()?)?,
        SchemaState::Behind(_) | SchemaState::Unknown(_) => false,
    };
    if !is_empty {
        return Err(CliError::Failed("the database is not empty: a backup is restored into an empty one".to_owned()));
    }
    let events = Events::new(Clock::system(), http::status_of);
    let origin = session::origin(&events, "restore")?;
    let context = AuditContext::of(&session::caller(), Action::BackupRestore, origin);
    let event = events.event(&context, Outcome::Success, Disposition::Unattended, Reason::Ok);
    let event = event.map_err(|error| CliError::Failed(error.to_string()))?;
    let incarnation = crate::app::incarnation().map_err(|error| CliError::Failed(error.to_string()))?;
    let rows = backup::restore(&store, &arguments.input, &event, incarnation)?;
    output::object(json, &json!({"file": arguments.input.display().to_string(), "rows": rows}));
    output::remark("Give this installation the master key of the backup.");
    Ok(())
}
