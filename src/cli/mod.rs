//! The command line: one file per command. The exit status is 0, 1 (the command failed) or 2 (wrong usage or invalid
//! settings).

mod audit;
mod check;
mod client;
mod config;
mod credential;
mod customer;
mod doctor;
mod folder;
mod init;
mod key;
mod log_pipe;
mod logging;
mod options;
mod output;
mod quickstart;
mod revoke_all;
mod role;
mod scope;
mod serve;
mod session;
mod signing_key;
mod upkeep;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::StartError;
use crate::config::{ConfigError, Flags};
use crate::http::ServeError;
use crate::service::error::ServiceError;
use crate::store::StoreError;

/// An OAuth 2.0 client-credentials authorization server.
#[derive(Parser)]
#[command(name = "sealwright", version, about, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Arguments),
    /// Make a data folder with its database and master key, and say what to back up
    Init,
    /// Run a demonstration in a new folder: a demo client, a token, and commands to try
    Quickstart(quickstart::Arguments),
    /// Create and manage OAuth clients
    #[command(subcommand)]
    Client(Box<client::Command>),
    /// Create and manage API keys
    #[command(subcommand)]
    Key(Box<key::Command>),
    /// Manage the customers that credentials can be tied to
    #[command(subcommand)]
    Customer(customer::Command),
    /// Manage the users who own credentials
    #[command(subcommand)]
    User(user::Command),
    /// Manage roles, which limit the scopes of users' credentials
    #[command(subcommand)]
    Role(role::Command),
    /// Manage the registry that describes scopes
    #[command(subcommand)]
    Scope(scope::Command),
    /// List, rotate and destroy signing keys
    #[command(subcommand)]
    SigningKey(signing_key::Command),
    /// Read the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Revoke every credential of an environment, an owner or a customer
    RevokeAll(revoke_all::Arguments),
    /// Check the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Replace the master key
    #[command(subcommand)]
    MasterKey(upkeep::MasterKeyCommand),
    /// Write a copy of the database, without the master key
    Backup(upkeep::BackupArguments),
    /// Restore a backup into an empty database
    Restore(upkeep::RestoreArguments),
    /// Migrate the database's schema to this release
    Migrate,
    /// Check settings, database and keys, and report problems
    Doctor,
}

/// Why a command failed, and its exit status.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Invalid settings or options: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// Any other failure: exit status 1.
    #[error("{0}")]
    Failed(String),
    /// A failure that has been printed already: exit status 1.
    #[error("")]
    Silent,
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(fields) => options::invalid(&fields),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let Arguments { flags, json, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are no errors, and go to standard output.
        Err(error) if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") => {
            output::error(true, error.to_string().trim_start_matches("error: ").trim_end());
            return ExitCode::from(2);
        }
        Err(error) => error.exit(),
    };
    let result = match command {
        Command::Serve(arguments) => serve::run(&flags, &arguments),
        Command::Init => init::run(&flags, json),
        Command::Quickstart(arguments) => quickstart::run(&flags, json, &arguments),
        Command::Client(command) => client::run(&flags, json, *command),
        Command::Key(command) => key::run(&flags, json, *command),
        Command::Customer(command) => customer::run(&flags, json, command),
        Command::User(command) => user::run(&flags, json, command),
        Command::Role(command) => role::run(&flags, json, command),
        Command::Scope(command) => scope::run(&flags, json, command),
        Command::SigningKey(command) => signing_key::run(&flags, json, command),
        Command::Audit(command) => audit::run(&flags, json, command),
        Command::RevokeAll(arguments) => revoke_all::run(&flags, json, &arguments),
        Command::Config(command) => config::run(&flags, json, &command),
        Command::MasterKey(command) => upkeep::master_key(&flags, json, &command),
        Command::Backup(arguments) => upkeep::backup(&flags, json, &arguments),
        Command::Restore(arguments) => upkeep::restore(&flags, json, &arguments),
        Command::Migrate => upkeep::migrate(&flags, json),
        Command::Doctor => doctor::run(&flags, json),
    };
    crate::store::end_connecting();
    let error = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    match &error {
        CliError::Silent => {}
        CliError::Usage(_) | CliError::Failed(_) => output::error(json, &error.to_string()),
    }
    match error {
        CliError::Usage(_) => ExitCode::from(2),
        CliError::Failed(_) | CliError::Silent => ExitCode::FAILURE,
    }
}
