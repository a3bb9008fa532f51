//! Commands, options and output that `sealwright client …` and `sealwright key …` share.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::confirmation::{Confirmation, revocation};
use super::issued::print_secret;
use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::credential::{
    CredentialFilter, CredentialInput, CredentialKind, Due, KeyType, NewCredential, StateChange, Status,
};
use crate::domain::environment::Environment;
use crate::domain::time::{Duration, Timestamp};
use crate::service::Services;
use crate::service::credentials::TiedCredential;
use crate::view::credential::{ApiKeyView, ClientView, Moment};

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

/// Filters of a list of credentials.
#[derive(Args)]
pub struct Filter {
    /// Only credentials of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Only credentials whose names begin with this
    #[arg(long)]
    name: Option<String>,
    /// Only credentials with this status: active, inactive, expired or revoked
    #[arg(long)]
    status: Option<Status>,
    /// Only credentials of this owner, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Only credentials tied to this customer, by id or external id
    #[arg(long)]
    customer: Option<String>,
    /// Only credentials that are due for rotation
    #[arg(long)]
    rotation_due: bool,
    /// Maximum number of credentials
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
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
        print_secret(json, &services, &services.credentials.rotate(&caller, kind, &id, grace, None, origin).await?);
        Ok(())
    })
}

/// Lists credentials in a table of `columns`, or as JSON.
pub fn list(
    flags: &Flags,
    json: bool,
    (kind, key_type): (CredentialKind, Option<KeyType>),
    filter: Filter,
    columns: &'static [&'static str],
) -> Result<(), CliError> {
    session::run(flags, &words(kind, "list"), async move |session| {
        let Session { services, caller, origin } = session;
        let (credentials, now) = (&services.credentials, services.recorder.now());
        let owner = match filter.owner {
            Some(name) => Some(credentials.user_named(&caller, name).await?),
            None => None,
        };
        let narrowed = CredentialFilter {
            environment: filter.environment,
            name: filter.name,
            key_type,
            owner,
            customer: filter.customer,
            status: filter.status.map(|status| (status, now)),
            due: filter.rotation_due.then(|| Due::at(now, credentials.rotation_age, true)),
            ..CredentialFilter::all(kind)
        };
        let (mut views, mut narrowed) = (Vec::new(), narrowed);
        let limit = usize::try_from(filter.limit).unwrap_or(1);
        loop {
            let missing = limit - views.len();
            let found = credentials.list(&caller, narrowed.clone(), missing, origin.clone()).await?;
            views.extend(found.rows.iter().map(|tied| view(&services, tied, None)));
            match found.rest {
                Some(rest) if views.len() < limit => narrowed.before = Some(rest),
                _ => break,
            }
        }
        output::list(json, &views, columns);
        Ok(())
    })
}

/// Returns the name of the command for audit events.
fn words(kind: CredentialKind, verb: &str) -> String {
    format!("{} {verb}", kind.noun())
}

/// Returns a credential as the API shows it, with `secret` if it was just created.
pub fn view(services: &Services, tied: &TiedCredential, secret: Option<&str>) -> Value {
    let TiedCredential { credential, customers } = tied;
    let at = Moment { now: services.recorder.now(), rotation_age: services.credentials.rotation_age };
    let audiences = &services.issuers.of(credential.environment).audiences;
    match (credential.as_client(), credential.key_type(), secret) {
        (Some(client), _, secret) => {
            let view = ClientView::new(client, customers, audiences, at);
            if secret.is_some() { output::shown(&view.with_secret(secret)) } else { output::shown(&view) }
        }
        (None, Some(key_type), secret) => {
            let view = ApiKeyView::new(credential, key_type, customers, at);
            if secret.is_some() { output::shown(&view.with_value(secret)) } else { output::shown(&view) }
        }
        (None, None, _) => Value::Null,
    }
}

/// Prints a credential as the API shows it, without its secret.
pub fn print(json: bool, services: &Services, tied: &TiedCredential) {
    output::object(json, &view(services, tied, None));
}
