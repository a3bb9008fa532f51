//! The commands `sealwright key …`.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::credential::{self, Settings};
use super::credential_list::{self, Filter};
use super::key_find;
use super::options::{self, Members};
use super::session::{self, Session};
use super::{CliError, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::domain::credential::{CredentialKind, KeyType, RawApiKey};
use crate::domain::environment::Environment;
use crate::domain::key_code::KeyCode;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::time::{Duration, Timestamp};
use crate::service::access::{COST_MAX, KeyQuestion, RequestAsked};
use crate::view::credential_input::{ApiKeyCreate, ApiKeyUpdate};
use crate::view::verification::Verdict;

const KIND: CredentialKind = CredentialKind::ApiKey;
/// What tables of keys show.
pub const COLUMNS: &[&str] = &[
    "id",
    "environment",
    "name",
    "type",
    "status",
    "owner_email",
    "customers",
    "scopes",
    "prefix",
    "last_four",
    "last_used_at",
];

#[derive(Subcommand)]
pub enum Command {
    /// Create an API key and print its value, which is not shown again
    Create {
        /// Display name
        #[arg(long)]
        name: String,
        /// Environment: production, staging or development
        #[arg(long, default_value = "production")]
        environment: Environment,
        /// Type: client, partner or internal
        #[arg(long = "type", default_value = "partner")]
        key_type: KeyType,
        /// Owner, by id or e-mail address; by default the organisation
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// List API keys, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only keys of this type
        #[arg(long = "type")]
        key_type: Option<KeyType>,
    },
    /// Find API keys, revoked ones too: by the value on standard input, or by the characters that are shown of it
    Find(key_find::Search),
    /// Update an API key; settings without an option stay as they are
    Update {
        /// API key id
        id: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// Rotate an API key and print its new value, which is not shown again
    Rotate {
        /// API key id
        id: String,
        /// Time for which the old value remains valid, at most 30d
        #[arg(long, default_value = "0s")]
        grace: Duration,
    },
    /// Verify an API key; the exit status is 1 if it may not be used
    Verify(Verification),
    #[command(flatten)]
    Common(credential::Command),
}

/// Settings of an API key. Options are named as the fields of the API.
#[derive(Args, Default)]
pub struct KeySettings {
    #[command(flatten)]
    common: Settings,
    /// Preset of scopes: read-only, write, full, or scoped for those that `--scope` names
    #[arg(long)]
    preset: Option<String>,
}

/// An API key, and the request that it is to be verified for.
#[derive(Args)]
pub struct Verification {
    /// The key; `-` reads it from standard input, where other users of the machine cannot see it
    key: String,
    /// Check only form and checksum, without database or network
    #[arg(long, conflicts_with_all = ["environment", "scope", "customer", "ip", "cost"])]
    offline: bool,
    /// The environment of the API that is called
    #[arg(long, default_value = "production")]
    environment: Environment,
    /// Scope that the request requires (repeatable, or several separated by commas or spaces)
    #[arg(long)]
    scope: Vec<String>,
    /// Customer whose data the request is about, by id or external id
    #[arg(long)]
    customer: Option<String>,
    /// IP address that the request comes from
    #[arg(long)]
    ip: Option<IpAddr>,
    /// Number of requests that it counts as
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(COST_MAX)))]
    cost: u32,
}

impl KeySettings {
    fn members(self, name: Option<String>, now: Timestamp) -> Result<Members, CliError> {
        Ok(self.common.members(name, now)?.text("preset", self.preset))
    }
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    let now = Clock::system().now();
    match command {
        Command::Create { name, environment, key_type, owner, settings } => {
            if settings.common.scope.is_empty() && settings.preset.is_none() {
                return Err(CliError::Usage("--scope or --preset is required: name the scopes of the key".to_owned()));
            }
            let members = settings.members(Some(name), now)?.text("owner", owner);
            let members = members.text("type", Some(key_type.as_str().to_owned()));
            let create: ApiKeyCreate = members.text("environment", Some(environment.to_string())).read()?;
            credential::create(flags, json, create.into())
        }
        Command::List { filter, key_type } => credential_list::list(flags, json, (KIND, key_type), filter, COLUMNS),
        Command::Find(search) => key_find::run(flags, json, search),
        Command::Update { id, name, settings } => {
            let update: ApiKeyUpdate = settings.members(name, now)?.read()?;
            credential::update(flags, json, KIND, id, update.into())
        }
        Command::Rotate { id, grace } => credential::rotate(flags, json, (KIND, "rotate"), id, grace),
        Command::Verify(verification) => verify(flags, json, verification),
        Command::Common(command) => credential::run(flags, json, KIND, command),
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
        scopes: required(asked.scope).map_err(|wrong| CliError::Invalid(format!("--scope {wrong}")))?,
        customer: asked.customer,
        ip: asked.ip.map(|ip| ip.to_canonical()),
        cost: asked.cost,
        about: RequestAsked::default(),
    };
    session::run(flags, "key verify", async move |session| {
        let Session { services, caller, origin } = session;
        let used = services.access.verify_key(&caller, question, &origin).await?;
        let verdict =
            Verdict::new(used.code, used.key.as_deref(), (&used.scopes, &used.customers), used.rate_limit.as_ref());
        output::object(json, &output::shown(&verdict));
        if used.code == KeyCode::Valid { Ok(()) } else { Err(CliError::Silent) }
    })
}

fn required(scopes: Vec<String>) -> Result<Scopes, &'static str> {
    let scopes: Vec<Scope> = options::scopes(scopes).iter().map(|scope| scope.parse()).collect::<Result<_, _>>()?;
    Scopes::new(scopes)
}

/// Verifies what needs no database: form and checksum.
fn verify_offline(json: bool, key: &str) -> Result<(), CliError> {
    let Some(raw) = RawApiKey::parse(key) else {
        output::object(json, &json!({"well_formed": false}));
        return Err(CliError::Silent);
    };
    let environment = raw.environment().map(Environment::as_str);
    output::object(json, &json!({"well_formed": true, "prefix": raw.prefix(), "environment": environment}));
    Ok(())
}
