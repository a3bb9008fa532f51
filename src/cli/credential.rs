//! Commands, options and output that `sealwright client …` and `sealwright key …` share.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::confirmation::{Confirmation, revocation};
use super::issued::print_secret;
use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::credential::{CredentialInput, CredentialKind, NewCredential, StateChange, TiedCredential};
use crate::domain::time::{Duration, Timestamp};
use crate::service::Services;
use crate::view::credential::{ApiKeyView, ClientView};
use crate::view::credential_fields::Moment;

/// Commands on one credential of either kind.
#[derive(Subcommand)]
pub enum Command {
    /// Show a credential's settings
    Show {
        /// Id of the credential, as `list` shows it
        id: String,
    },
    /// Disable a credential; it can be enabled again
    Disable {
        /// Id of the credential, as `list` shows it
        id: String,
    },
    /// Enable a disabled credential
    Enable {
        /// Id of the credential, as `list` shows it
        id: String,
    },
    /// Revoke a credential permanently; its record and its audit events remain
    Revoke {
        /// Id of the credential, as `list` shows it
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Transfer a credential to another owner
    Transfer {
        /// Id of the credential, as `list` shows it
        id: String,
        #[command(flatten)]
        to: NewOwner,
    },
}

/// Settings that clients and API keys share. Options are named as the fields of the API.
#[derive(Args, Default)]
pub struct Settings {
    /// Description of its purpose
    #[arg(long)]
    description: Option<String>,
    /// Scope that it may be granted (repeatable, or several separated by commas or spaces)
    #[arg(long)]
    pub scope: Vec<String>,
    /// IP address or CIDR block that it may be used from (repeatable); `any` clears the list
    #[arg(long)]
    allow_ip: Vec<String>,
    /// Limit of requests per minute, or `unlimited`
    #[arg(long)]
    rate_per_minute: Option<String>,
    /// Limit of requests per second, or `unlimited`
    #[arg(long)]
    burst_per_second: Option<String>,
    /// Time after which it expires, such as 90d
    #[arg(long, conflicts_with = "expires_at")]
    expires_in: Option<Duration>,
    /// RFC 3339 time at which it expires; `never` clears it
    #[arg(long)]
    expires_at: Option<String>,
    /// Customer that it is tied to, by id or external id (repeatable); `any` clears the list
    #[arg(long)]
    customer: Vec<String>,
    /// Pair of text to keep with it, key=value (repeatable); `key=` removes the pair, and `none` all pairs
    #[arg(long, value_name = "KEY=VALUE")]
    metadata: Vec<String>,
}

impl Settings {
    /// Converts the settings to the members of a request at `now`.
    ///
    /// # Errors
    /// `--expires-in` is zero, or `--metadata` is no pair.
    pub fn members(self, name: Option<String>, now: Timestamp) -> Result<Members, CliError> {
        let members = Members::default().pairs("metadata", &self.metadata)?;
        members
            .text("name", name)
            .text("description", self.description)
            .scopes("scopes", self.scope, "")
            .list("allowed_ips", self.allow_ip, "any")
            .number("rate_per_minute", self.rate_per_minute, "unlimited")
            .number("burst_per_second", self.burst_per_second, "unlimited")
            .list("customers", self.customer, crate::domain::customer::ANY)
            .end("expires_at", self.expires_in, self.expires_at, now)
    }
}

/// The new owner of a credential.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct NewOwner {
    /// New owner, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Make the organisation its owner: no role limits its scopes any more
    #[arg(long)]
    to_organisation: bool,
}

/// Runs a command that both kinds share.
pub fn run(flags: &Flags, json: bool, kind: CredentialKind, command: Command) -> Result<(), CliError> {
    match command {
        Command::Show { id } => session::run(flags, &words(kind, "show"), async move |session| {
            let Session { services, caller, origin } = session;
            print(json, &services, &services.credentials.get(&caller, kind, &id, origin).await?);
            Ok(())
        }),
        Command::Disable { id } => change(flags, json, kind, id, (StateChange::Disable, None)),
        Command::Enable { id } => change(flags, json, kind, id, (StateChange::Enable, None)),
        Command::Revoke { id, confirmation } => {
            change(flags, json, kind, id, (StateChange::Revoke, Some(confirmation)))
        }
        Command::Transfer { id, to } => session::run(flags, &words(kind, "transfer"), async move |session| {
            let Session { services, caller, origin } = session;
            print(json, &services, &services.credentials.transfer(&caller, kind, &id, to.owner, origin).await?);
            Ok(())
        }),
    }
}

/// Changes the state of a credential; a final change asks first.
fn change(
    flags: &Flags,
    json: bool,
    kind: CredentialKind,
    id: String,
    (change, confirmation): (StateChange, Option<Confirmation>),
) -> Result<(), CliError> {
    let verb = match change {
        StateChange::Disable => "disable",
        StateChange::Enable => "enable",
        StateChange::Revoke => "revoke",
    };
    session::run(flags, &words(kind, verb), async move |session| {
        if let Some(confirmation) = confirmation {
            confirmation.ask(revocation(&session, kind, &id)).await?;
        }
        let Session { services, caller, origin } = session;
        print(json, &services, &services.credentials.change_state(&caller, kind, &id, change, origin).await?);
        Ok(())
    })
}

/// Creates a credential and prints it with its secret.
pub fn create(flags: &Flags, json: bool, new: NewCredential) -> Result<(), CliError> {
    session::run(flags, &words(new.kind.kind(), "create"), async move |session| {
        let Session { services, caller, origin } = session;
        print_secret(json, &services, &services.credentials.create(&caller, new, None, origin).await?);
        Ok(())
    })
}

/// Changes a credential's settings.
pub fn update(
    flags: &Flags,
    json: bool,
    kind: CredentialKind,
    id: String,
    input: CredentialInput,
) -> Result<(), CliError> {
    session::run(flags, &words(kind, "update"), async move |session| {
        let Session { services, caller, origin } = session;
        print(json, &services, &services.credentials.update(&caller, kind, &id, input, origin).await?);
        Ok(())
    })
}

/// Rotates a credential's secret; `verb` is the name of the command.
pub fn rotate(
    flags: &Flags,
    json: bool,
    (kind, verb): (CredentialKind, &str),
    id: String,
    grace: Duration,
) -> Result<(), CliError> {
    session::run(flags, &words(kind, verb), async move |session| {
        let Session { services, caller, origin } = session;
        let issued = services.credentials.rotate(&caller, kind, &id, grace, None, origin).await?;
        print_secret(json, &services, &issued);
        if let Some(end) = issued.tied.credential.replaced_until(services.recorder.now()).filter(|_| !json) {
            output::remark(&format!("The one before is accepted until {end}."));
        }
        Ok(())
    })
}

/// Returns the name of the command for audit events.
pub fn words(kind: CredentialKind, verb: &str) -> String {
    format!("{} {verb}", kind.noun())
}

/// Returns a credential as the API shows it, with `secret` if it was just created.
pub fn view(services: &Services, tied: &TiedCredential, secret: Option<&str>) -> Value {
    let at = Moment { now: services.recorder.now(), rotation_age: services.credentials.rotation_age };
    let audiences = &services.issuers.of(tied.credential.environment).audiences;
    if let Some(client) = ClientView::of(tied, audiences, at) {
        return if secret.is_some() { output::shown(&client.with_secret(secret)) } else { output::shown(&client) };
    }
    let Some(key) = ApiKeyView::of(tied, at) else { return Value::Null };
    if secret.is_some() { output::shown(&key.with_value(secret)) } else { output::shown(&key) }
}

/// Prints a credential as the API shows it, without its secret.
pub fn print(json: bool, services: &Services, tied: &TiedCredential) {
    output::object(json, &view(services, tied, None));
}
