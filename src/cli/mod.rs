//! The command line: one file per command. The exit status is 0, 1 (the command failed) or 2 (wrong usage or invalid
//! settings).

mod audit;
mod audit_verify;
mod check;
mod client;
mod completions;
mod config;
mod confirmation;
mod credential;
mod credential_list;
mod customer;
mod doctor;
mod examples;
mod folder;
mod init;
mod issued;
mod key;
mod key_find;
mod listing;
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

use clap::{FromArgMatches as _, Parser, Subcommand};

use crate::app::StartError;
use crate::config::{ConfigError, Flags};
use crate::domain::audit::Reason;
use crate::domain::text::refuse_secrets;
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
    /// Print a script that completes commands and options in a shell
    Completions(completions::Arguments),
    /// Print the manual page, or write the pages of all commands
    Man(completions::ManArguments),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A wrong command line.
    #[error("{0}")]
    Usage(String),
    /// Invalid settings.
    #[error("{0}")]
    Settings(String),
    /// Options whose values break a rule.
    #[error("{0}")]
    Invalid(String),
    /// A final act that was confirmed neither by `--yes` nor at a terminal.
    #[error("{0}")]
    Unconfirmed(String),
    /// A use case refused, for this reason.
    #[error("{message}")]
    Refused {
        /// The reason, which the audit event has too.
        code: Reason,
        /// What is wrong.
        message: String,
    },
    /// Any other failure.
    #[error("{0}")]
    Failed(String),
    /// A failure that has been printed already.
    #[error("")]
    Silent,
}

impl CliError {
    /// Returns the code of errors in JSON, for scripts.
    fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Settings(_) => "invalid_settings",
            Self::Invalid(_) => Reason::InvalidInput.as_str(),
            Self::Unconfirmed(_) => "confirmation_required",
            Self::Refused { code, .. } => code.as_str(),
            Self::Failed(_) | Self::Silent => "failed",
        }
    }

    /// Returns the exit status: 2 if other options or settings would help, else 1.
    fn status(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Settings(_) | Self::Invalid(_) | Self::Unconfirmed(_) => ExitCode::from(2),
            Self::Refused { .. } | Self::Failed(_) | Self::Silent => ExitCode::FAILURE,
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Settings(error.to_string())
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => error.into(),
            StartError::Store(error) => error.into(),
            StartError::Service(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(fields) => options::invalid(&fields),
            other => Self::Refused { code: other.reason(), message: other.to_string() },
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        Self::Refused { code: ServiceError::from(error).reason(), message }
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

/// Returns whether errors of the arguments themselves are to be printed as JSON.
fn wants_json() -> bool {
    std::env::args_os().any(|argument| argument == "--json")
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let mut parser = examples::command();
    let parsed = parser.try_get_matches_from_mut(std::env::args_os());
    let parsed = parsed.and_then(|found| Arguments::from_arg_matches(&found));
    let arguments = match parsed.map_err(|error| error.format(&mut parser)) {
        Ok(arguments) => arguments,
        // Help and version are no errors, and go to standard output.
        Err(error) if error.use_stderr() && (wants_json() || refuse_secrets(&error.to_string()).is_err()) => {
            let error = CliError::Usage(error.to_string().trim_start_matches("error: ").trim_end().to_owned());
            output::error(wants_json(), error.code(), &error.to_string());
            return error.status();
        }
        Err(error) => error.exit(),
    };
    let json = arguments.json;
    let result = dispatch(arguments);
    crate::store::end_connecting();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::Silent) => CliError::Silent.status(),
        Err(error) => {
            output::error(json, error.code(), &error.to_string());
            error.status()
        }
    }
}

fn dispatch(Arguments { flags, json, command }: Arguments) -> Result<(), CliError> {
    match command {
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
        Command::Completions(arguments) => {
            completions::completions(&arguments);
            Ok(())
        }
        Command::Man(arguments) => completions::man(&arguments),
    }
}
