//! `sealwright key …`.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::credential::{Filter, NewOwner};
use super::named::{end, limit, list};
use super::session::{self, Session};
use super::{CliError, output};
use crate::clock;
use crate::config::Flags;
use crate::domain::api_key::{ApiKey, KeyText, KeyType};
use crate::domain::credential::StateChange;
use crate::domain::customer::ANY;
use crate::domain::environment::Environment;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::time::Duration;
use crate::http::api::keys::{verdict, view, view_with_string};
use crate::service::Services;
use crate::service::belonging::NewPlace;
use crate::service::error::ServiceError;
use crate::service::input::Patch;
use crate::service::keys::KeyInput;
use crate::service::use_key::KeyCode;
use crate::service::verify_key::{COST_MAX, KeyQuestion, RequestAsked};
use crate::store::credentials::CredentialFilter;

#[derive(Subcommand)]
pub enum Command {
    /// Create an API key; it is printed this once
    Create {
        /// Its purpose, in a few words
        #[arg(long)]
        name: String,
        /// production, staging or development
        #[arg(long, default_value = "production")]
        environment: Environment,
        /// client, partner or internal
        #[arg(long = "type", default_value = "partner")]
        kind: KeyType,
        /// User whom it belongs to, by id or e-mail address; the organisation's own, unless given
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// List API keys, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only those of this type
        #[arg(long = "type")]
        kind: Option<KeyType>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Show an API key
    Show {
        /// Its id
        id: String,
    },
    /// Change an API key's settings; what is not named stays
    Update {
        /// Its id
        id: String,
        /// Its purpose, in a few words
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Replace an API key's string; the new one is printed this once
    Rotate {
        /// Its id
        id: String,
        /// How long the old string goes on being accepted, at most 30d
        #[arg(long, default_value = "0s")]
        grace: Duration,
    },
    /// Stop an API key for now
    Disable {
        /// Its id
        id: String,
    },
    /// Let a disabled API key go on
    Enable {
        /// Its id
        id: String,
    },
    /// End an API key for good
    Revoke {
        /// Its id
        id: String,
    },
    /// Give an API key to another owner
    Transfer {
        /// Its id
        id: String,
        #[command(flatten)]
        to: NewOwner,
    },
    /// Tell whether an API key may be used; exit status 1 if not
    Verify(Verification),
}

/// Settings of a key, named as the fields are.
#[derive(Args, Default)]
pub struct Settings {
    /// The purpose at length
    #[arg(long)]
    description: Option<String>,
    /// What it may do (repeatable)
    #[arg(long)]
    scope: Vec<String>,
    /// The same by one word: read-only, write, full, or scoped for those named
    #[arg(long)]
    preset: Option<String>,
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

/// A key, and what it is to be used for.
#[derive(Args)]
pub struct Verification {
    /// The key; `-` reads it from standard input, where other users of the machine do not see it
    key: String,
    /// Only check form and checksum: needs no database and no network
    #[arg(long, conflicts_with_all = ["environment", "scope", "customer", "ip", "cost"])]
    offline: bool,
    /// The environment of the API that is called
    #[arg(long, default_value = "production")]
    environment: Environment,
    /// What is needed (repeatable)
    #[arg(long)]
    scope: Vec<Scope>,
    /// The customer whose data it is about, by either id
    #[arg(long)]
    customer: Option<String>,
    /// Where it is used from
    #[arg(long)]
    ip: Option<IpAddr>,
    /// How many requests it counts as
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(COST_MAX)))]
    cost: u32,
}

impl Settings {
    fn into_input(self, name: Option<String>) -> Result<KeyInput, CliError> {
        Ok(KeyInput {
            name: name.map_or(Patch::Keep, Patch::Set),
            description: self.description.map_or(Patch::Keep, Patch::Set),
            scopes: if self.scope.is_empty() { Patch::Keep } else { Patch::Set(self.scope) },
            preset: self.preset.map_or(Patch::Keep, Patch::Set),
            allowed_ips: list(self.allow_ip, "any"),
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
        Command::Create { name, environment, kind, owner, settings } => {
            if settings.scope.is_empty() && settings.preset.is_none() {
                return Err(CliError::Usage("--scope or --preset is required: name what the key may do".to_owned()));
            }
            let input = settings.into_input(Some(name))?;
            session::run(flags, "key create", async move |session| {
                let Session { services, caller, origin } = session;
                let place = NewPlace { environment: Some(environment.as_str()), owner: owner.as_deref() };
                let created = services.create_key(&caller, place, Some(kind.as_str()), input, None, origin).await?;
                print_with_string(json, &created);
                Ok(())
            })
        }
        Command::List { filter, kind, limit } => session::run(flags, "key list", async move |session| {
            let Session { services, caller, origin } = session;
            let kind = kind.map(KeyType::as_str);
            let filter = CredentialFilter { kind, ..filter.into_filter(&services, &caller).await? };
            let found = services.list_keys(&caller, filter, limit, origin).await?;
            let views: Vec<Value> = found.iter().map(|key| viewed(&services, key)).collect();
            let columns = ["id", "environment", "name", "type", "status", "scopes", "prefix", "last_used_at"];
            output::list(json, &views, &columns);
            Ok(())
        }),
        Command::Show { id } => session::run(flags, "key show", async move |session| {
            let shown = session.services.key(&session.caller, &id, session.origin.clone()).await;
            print(json, &session, shown)
        }),
        Command::Update { id, name, settings } => {
            let input = settings.into_input(name)?;
            session::run(flags, "key update", async move |session| {
                let updated = session.services.update_key(&session.caller, &id, input, session.origin.clone()).await;
                print(json, &session, updated)
            })
        }
        Command::Rotate { id, grace } => session::run(flags, "key rotate", async move |session| {
            let Session { services, caller, origin } = session;
            print_with_string(json, &services.rotate_key(&caller, &id, grace, None, origin).await?);
            Ok(())
        }),
        Command::Disable { id } => change(flags, json, "key disable", id, StateChange::Disable),
        Command::Enable { id } => change(flags, json, "key enable", id, StateChange::Enable),
        Command::Revoke { id } => change(flags, json, "key revoke", id, StateChange::Revoke),
        Command::Transfer { id, to } => session::run(flags, "key transfer", async move |session| {
            let Session { services, caller, origin } = &session;
            let given = services.transfer_key(caller, &id, to.owner(), origin.clone()).await;
            print(json, &session, given)
        }),
        Command::Verify(verification) => verify(flags, json, verification),
    }
}

fn verify(flags: &Flags, json: bool, asked: Verification) -> Result<(), CliError> {
    let key = if asked.key == "-" { output::first_line_of_input()? } else { Zeroizing::new(asked.key) };
    if asked.offline {
        return verify_offline(json, &key);
    }
    let question = KeyQuestion {
        key,
        environment: asked.environment,
        scopes: Scopes::new(asked.scope).map_err(|wrong| CliError::Usage(format!("--scope {wrong}")))?,
        customer: asked.customer,
        ip: asked.ip.map(|ip| ip.to_canonical()),
        cost: asked.cost,
        about: RequestAsked::default(),
    };
    session::run(flags, "key verify", async move |session| {
        let Session { services, caller, origin } = session;
        let used = services.verify_key(&caller, question, &origin).await?;
        output::object(json, &verdict(&used));
        if used.code == KeyCode::Valid { Ok(()) } else { Err(CliError::Silent) }
    })
}

/// What can be told of a key without asking anybody: form and checksum.
fn verify_offline(json: bool, key: &str) -> Result<(), CliError> {
    let Some(text) = KeyText::parse(key) else {
        output::object(json, &json!({"well_formed": false}));
        return Err(CliError::Silent);
    };
    let environment = text.environment().map(Environment::as_str);
    output::object(json, &json!({"well_formed": true, "prefix": text.prefix(), "environment": environment}));
    Ok(())
}

fn change(flags: &Flags, json: bool, command: &str, id: String, change: StateChange) -> Result<(), CliError> {
    session::run(flags, command, async move |session| {
        let changed = session.services.change_key_state(&session.caller, &id, change, session.origin.clone()).await;
        print(json, &session, changed)
    })
}

fn print(json: bool, session: &Session, key: Result<ApiKey, ServiceError>) -> Result<(), CliError> {
    output::object(json, &viewed(&session.services, &key?));
    Ok(())
}

fn viewed(services: &Services, key: &ApiKey) -> Value {
    let now = clock::now();
    view(key, key.is_rotation_due(services.rotation_age, now), now)
}

fn print_with_string(json: bool, (key, text): &(ApiKey, KeyText)) {
    output::object(json, &view_with_string(key, text, clock::now()));
    if !json {
        output::remark("The key is shown this once: keep it where its user finds it.");
    }
}
