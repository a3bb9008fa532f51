//! What `sealwright client …` and `sealwright key …` have in common.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::options::Members;
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::credential::{
    Credential, CredentialFilter, CredentialInput, CredentialKind, Due, KeyType, NewCredential, RawSecret, StateChange,
    Status,
};
use crate::domain::environment::Environment;
use crate::domain::time::{Duration, Timestamp};
use crate::service::Services;
use crate::service::credentials::Issued;
use crate::view::credential::{ApiKeyView, ClientView, Moment};

/// What can be done to a credential of either kind by its id.
#[derive(Subcommand)]
pub enum Command {
    /// Show the details and settings
    Show {
        /// Its id
        id: String,
    },
    /// Disable it: refused until it is enabled
    Disable {
        /// Its id
        id: String,
    },
    /// Enable it again
    Enable {
        /// Its id
        id: String,
    },
    /// Revoke it permanently; its record and its audit events remain
    Revoke {
        /// Its id
        id: String,
    },
    /// Transfer it to another owner
    Transfer {
        /// Its id
        id: String,
        #[command(flatten)]
        to: NewOwner,
    },
}

/// Settings that clients and API keys share, named as the fields are.
#[derive(Args, Default)]
pub struct Settings {
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// What it may be granted (repeatable)
    #[arg(long)]
    pub scope: Vec<String>,
    /// Address or CIDR block that it may be used from (repeatable); `any` clears the list
    #[arg(long)]
    allow_ip: Vec<String>,
    /// Requests a minute, or unlimited
    #[arg(long)]
    rate_per_minute: Option<String>,
    /// Requests at once, or unlimited
    #[arg(long)]
    burst_per_second: Option<String>,
    /// Ends after this time, such as 90d
    #[arg(long, conflicts_with = "expires_at")]
    expires_in: Option<Duration>,
    /// Ends at this RFC 3339 time; `never` clears it
    #[arg(long)]
    expires_at: Option<String>,
    /// Customer that it is tied to, by either id (repeatable); `any` clears the list
    #[arg(long)]
    customer: Vec<String>,
}

impl Settings {
    /// The members that they are in a request at `now`.
    ///
    /// # Errors
    /// A duration of zero.
    pub fn members(self, name: Option<String>, now: Timestamp) -> Result<Members, CliError> {
        Members::default()
            .text("name", name)
            .text("description", self.description)
            .list("scopes", self.scope, "")
            .list("allowed_ips", self.allow_ip, "any")
            .number("rate_per_minute", self.rate_per_minute, "unlimited")
            .number("burst_per_second", self.burst_per_second, "unlimited")
            .list("customers", self.customer, crate::domain::customer::ANY)
            .end("expires_at", self.expires_in, self.expires_at, now)
    }
}

/// Which credentials to list.
#[derive(Args)]
pub struct Filter {
    /// Only those of this environment
    #[arg(long)]
    environment: Option<Environment>,
    /// Only those with exactly this name
    #[arg(long)]
    name: Option<String>,
    /// Only those with this status: active, inactive, expired or revoked
    #[arg(long)]
    status: Option<Status>,
    /// Only those of this user, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// Only those that are tied to this customer, by either of its ids
    #[arg(long)]
    customer: Option<String>,
    /// Only those that are due to be rotated
    #[arg(long)]
    rotation_due: bool,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

/// The new owner of a credential.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct NewOwner {
    /// User, by id or e-mail address
    #[arg(long)]
    owner: Option<String>,
    /// The organisation: no role limits it any more
    #[arg(long)]
    to_organisation: bool,
}

/// Runs a command that is the same for both kinds.
pub fn run(flags: &Flags, json: bool, kind: CredentialKind, command: Command) -> Result<(), CliError> {
    match command {
        Command::Show { id } => session::run(flags, &words(kind, "show"), async move |session| {
            let Session { services, caller, origin } = session;
            print(json, &services, &services.credentials.get(&caller, kind, &id, origin).await?);
            Ok(())
        }),
        Command::Disable { id } => change(flags, json, kind, id, StateChange::Disable),
        Command::Enable { id } => change(flags, json, kind, id, StateChange::Enable),
        Command::Revoke { id } => change(flags, json, kind, id, StateChange::Revoke),
        Command::Transfer { id, to } => session::run(flags, &words(kind, "transfer"), async move |session| {
            let Session { services, caller, origin } = session;
            print(json, &services, &services.credentials.transfer(&caller, kind, &id, to.owner, origin).await?);
            Ok(())
        }),
    }
}

fn change(flags: &Flags, json: bool, kind: CredentialKind, id: String, change: StateChange) -> Result<(), CliError> {
    let verb = match change {
        StateChange::Disable => "disable",
        StateChange::Enable => "enable",
        StateChange::Revoke => "revoke",
    };
    session::run(flags, &words(kind, verb), async move |session| {
        let Session { services, caller, origin } = session;
        print(json, &services, &services.credentials.change_state(&caller, kind, &id, change, origin).await?);
        Ok(())
    })
}

/// Creates a credential, and prints it with its secret.
pub fn create(flags: &Flags, json: bool, new: NewCredential) -> Result<(), CliError> {
    session::run(flags, &words(new.kind.kind(), "create"), async move |session| {
        let Session { services, caller, origin } = session;
        print_issued(json, &services, &services.credentials.create(&caller, new, None, origin).await?);
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

/// Replaces a credential's secret; `verb` is the command's own word for it.
pub fn rotate(
    flags: &Flags,
    json: bool,
    (kind, verb): (CredentialKind, &str),
    id: String,
    grace: Duration,
) -> Result<(), CliError> {
    session::run(flags, &words(kind, verb), async move |session| {
        let Session { services, caller, origin } = session;
        print_issued(json, &services, &services.credentials.rotate(&caller, kind, &id, grace, None, origin).await?);
        Ok(())
    })
}

/// Lists credentials; `columns` are what the table shows.
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
        let found = credentials.list(&caller, narrowed, filter.limit, origin).await?;
        let views: Vec<Value> = found.iter().map(|credential| view(&services, credential, None)).collect();
        output::list(json, &views, columns);
        Ok(())
    })
}

/// The command as events name it.
fn words(kind: CredentialKind, verb: &str) -> String {
    format!("{} {verb}", kind.noun())
}

/// A credential as the API shows it, with the secret that was just created.
pub fn view(services: &Services, credential: &Credential, secret: Option<&str>) -> Value {
    let at = Moment { now: services.recorder.now(), rotation_age: services.credentials.rotation_age };
    let audiences = &services.issuers.of(credential.environment).audiences;
    match (credential.as_client(), credential.key_type(), secret) {
        (Some(client), _, None) => output::shown(&ClientView::new(client, audiences, at)),
        (Some(client), _, secret) => output::shown(&ClientView::new(client, audiences, at).with_secret(secret)),
        (None, Some(key_type), None) => output::shown(&ApiKeyView::new(credential, key_type, at)),
        (None, Some(key_type), secret) => output::shown(&ApiKeyView::new(credential, key_type, at).with_value(secret)),
        (None, None, _) => Value::Null,
    }
}

/// Prints a credential.
pub fn print(json: bool, services: &Services, credential: &Credential) {
    output::object(json, &view(services, credential, None));
}

fn print_issued(json: bool, services: &Services, issued: &Issued) {
    let secret = issued.secret.as_ref().map(RawSecret::expose);
    output::object(json, &view(services, &issued.credential, secret));
    if !json {
        output::remark(match issued.credential.kind() {
            CredentialKind::Client => "The client_secret is shown this once: store it where the client reads it.",
            CredentialKind::ApiKey => "The key is shown this once: store it where its user reads it.",
        });
    }
}
