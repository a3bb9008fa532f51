//! `sealwright client …`.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::credential::{Filter, NewOwner};
use super::named::{end, limit, list, text};
use super::session::{self, Session};
use super::{CliError, output};
use crate::clock;
use crate::config::Flags;
use crate::domain::client::Client;
use crate::domain::credential::StateChange;
use crate::domain::customer::ANY;
use crate::domain::environment::Environment;
use crate::domain::time::Duration;
use crate::http::api::clients::{view, view_with_secret};
use crate::service::Services;
use crate::service::belonging::NewPlace;
use crate::service::clients::{ClientChange, ClientInput};
use crate::service::error::ServiceError;
use crate::service::input::Patch;

#[derive(Subcommand)]
pub enum Command {
    /// Create a client; its secret is printed this once
    Create {
        /// What it is called
        #[arg(long)]
        name: String,
        /// production, staging or development
        #[arg(long, default_value = "production")]
        environment: Environment,
        /// User whom it belongs to, by id or e-mail address; the organisation's own, unless given
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// List clients, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Show a client
    Show {
        /// Its id
        id: String,
    },
    /// Change a client's settings; what is not named stays
    Update {
        /// Its id
        id: String,
        /// What it is called
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Replace a client's secret; the new one is printed this once
    RotateSecret {
        /// Its id
        id: String,
        /// How long the old secret goes on being accepted, at most 30d
        #[arg(long, default_value = "0s")]
        grace: Duration,
    },
    /// End all tokens that were issued to a client so far
    RevokeTokens {
        /// Its id
        id: String,
    },
    /// Stop a client for now
    Disable {
        /// Its id
        id: String,
    },
    /// Let a disabled client go on
    Enable {
        /// Its id
        id: String,
    },
    /// End a client for good
    Revoke {
        /// Its id
        id: String,
    },
    /// Give a client to another owner
    Transfer {
        /// Its id
        id: String,
        #[command(flatten)]
        to: NewOwner,
    },
}

/// Settings of a client, named as the fields are.
#[derive(Args, Default)]
pub struct Settings {
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// What it may be granted (repeatable)
    #[arg(long)]
    scope: Vec<String>,
    /// What it gets when it asks for nothing (repeatable); its scopes, unless given
    #[arg(long)]
    default_scope: Vec<String>,
    /// Whom its tokens may be for (repeatable); its environment's default, unless given
    #[arg(long)]
    audience: Vec<String>,
    /// Audience whose tokens it may introspect (repeatable)
    #[arg(long)]
    resource_for: Vec<String>,
    /// Address or CIDR block that it may be used from (repeatable); `any` clears the list
    #[arg(long)]
    allow_ip: Vec<String>,
    /// How long its tokens live, at most 1h
    #[arg(long)]
    token_lifetime: Option<Duration>,
    /// ES256, RS256 or `EdDSA`; `default` is its environment's
    #[arg(long)]
    signing_algorithm: Option<String>,
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
    fn into_input(self, name: Option<String>) -> Result<ClientInput, CliError> {
        Ok(ClientInput {
            name: name.map_or(Patch::Keep, Patch::Set),
            description: self.description.map_or(Patch::Keep, Patch::Set),
            scopes: if self.scope.is_empty() { Patch::Keep } else { Patch::Set(self.scope) },
            default_scopes: list(self.default_scope, "all"),
            audiences: list(self.audience, "default"),
            resource_for: list(self.resource_for, "none"),
            allowed_ips: list(self.allow_ip, "any"),
            token_lifetime: self.token_lifetime.map_or(Patch::Keep, |life| Patch::Set(life.as_seconds())),
            signing_algorithm: text(self.signing_algorithm, "default"),
            rate_per_minute: limit("rate-per-minute", self.rate_per_minute)?,
            burst_per_second: limit("burst-per-second", self.burst_per_second)?,
            expires_at: end(self.expires_in, self.expires_at)?,
            customers: list(self.customer, ANY),
        })
    }
}

/// Runs the command.
pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create { name, environment, owner, settings } => {
            if settings.scope.is_empty() {
                return Err(CliError::Usage("--scope is required: name what the client may be granted".to_owned()));
            }
            let input = settings.into_input(Some(name))?;
            session::run(flags, "client create", async move |session| {
                let Session { services, caller, origin } = session;
                let place = NewPlace { environment: Some(environment.as_str()), owner: owner.as_deref() };
                let (client, secret) = services.create_client(&caller, place, input, None, origin).await?;
                print_with_secret(json, &view_with_secret(&client, &secret, &services.issuers, clock::now()));
                Ok(())
            })
        }
        Command::List { filter, limit } => session::run(flags, "client list", async move |session| {
            let Session { services, caller, origin } = session;
            let filter = filter.into_filter(&services, &caller).await?;
            let found = services.list_clients(&caller, filter, limit, origin).await?;
            let views: Vec<Value> = found.iter().map(|client| viewed(&services, client)).collect();
            output::list(json, &views, &["id", "environment", "name", "status", "scopes", "last_used_at"]);
            Ok(())
        }),
        Command::Show { id } => session::run(flags, "client show", async move |session| {
            let shown = session.services.client(&session.caller, &id, session.origin.clone()).await;
            print(json, &session, shown)
        }),
        Command::Update { id, name, settings } => {
            let input = settings.into_input(name)?;
            session::run(flags, "client update", async move |session| {
                let updated = session.services.update_client(&session.caller, &id, input, session.origin.clone()).await;
                print(json, &session, updated)
            })
        }
        Command::RotateSecret { id, grace } => session::run(flags, "client rotate-secret", async move |session| {
            let Session { services, caller, origin } = session;
            let (client, secret) = services.rotate_client_secret(&caller, &id, grace, None, origin).await?;
            print_with_secret(json, &view_with_secret(&client, &secret, &services.issuers, clock::now()));
            Ok(())
        }),
        Command::RevokeTokens { id } => change(flags, json, "client revoke-tokens", id, ClientChange::RevokeTokens),
        Command::Disable { id } => change(flags, json, "client disable", id, ClientChange::State(StateChange::Disable)),
        Command::Enable { id } => change(flags, json, "client enable", id, ClientChange::State(StateChange::Enable)),
        Command::Revoke { id } => change(flags, json, "client revoke", id, ClientChange::State(StateChange::Revoke)),
        Command::Transfer { id, to } => session::run(flags, "client transfer", async move |session| {
            let Session { services, caller, origin } = &session;
            let given = services.transfer_client(caller, &id, to.owner(), origin.clone()).await;
            print(json, &session, given)
        }),
    }
}

fn change(flags: &Flags, json: bool, command: &str, id: String, change: ClientChange) -> Result<(), CliError> {
    session::run(flags, command, async move |session| {
        let changed = session.services.change_client_state(&session.caller, &id, change, session.origin.clone()).await;
        print(json, &session, changed)
    })
}

fn print(json: bool, session: &Session, client: Result<Client, ServiceError>) -> Result<(), CliError> {
    output::object(json, &viewed(&session.services, &client?));
    Ok(())
}

fn viewed(services: &Services, client: &Client) -> Value {
    let now = clock::now();
    view(client, client.is_rotation_due(services.rotation_age, now), &services.issuers, now)
}

fn print_with_secret(json: bool, view: &Value) {
    output::object(json, view);
    if !json {
        output::remark("The client_secret is shown this once: keep it where the client finds it.");
    }
}
