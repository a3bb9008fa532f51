//! `sealwright key …`.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::credential::{self, Filter, Settings};
use super::options::{Members, invalid};
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
        key_type: KeyType,
        /// User who owns it, by id or e-mail address; the organisation, unless given
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// List API keys, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only those of this type
        #[arg(long = "type")]
        key_type: Option<KeyType>,
    },
    /// Change an API key's settings; what is not named stays
    Update {
        /// Its id
        id: String,
        /// Its purpose, in a few words
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// Replace an API key's value; the new one is printed this once
    Rotate {
        /// Its id
        id: String,
        /// How long the old value remains valid, at most 30d
        #[arg(long, default_value = "0s")]
        grace: Duration,
    },
    /// Verify an API key; exit status 1 if it may not be used
    Verify(Verification),
    #[command(flatten)]
    Common(credential::Command),
}

/// Settings of a key, named as the fields are.
#[derive(Args, Default)]
pub struct KeySettings {
    #[command(flatten)]
    common: Settings,
    /// Its scopes by one word: read-only, write, full, or scoped for those named
    #[arg(long)]
    preset: Option<String>,
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
                return Err(CliError::Usage("--scope or --preset is required: name what the key may do".to_owned()));
            }
            let members = settings.members(Some(name), now)?.text("owner", owner);
            let members = members.text("type", Some(key_type.as_str().to_owned()));
            let create: ApiKeyCreate = members.text("environment", Some(environment.to_string())).read()?;
            credential::create(flags, json, create.into_new(now).map_err(|errors| invalid(&errors))?)
        }
        Command::List { filter, key_type } => {
            let columns = &["id", "environment", "name", "type", "status", "scopes", "prefix", "last_used_at"];
            credential::list(flags, json, (KIND, key_type), filter, columns)
        }
        Command::Update { id, name, settings } => {
            let update: ApiKeyUpdate = settings.members(name, now)?.read()?;
            let input = update.into_input(now).map_err(|errors| invalid(&errors))?;
            credential::update(flags, json, KIND, id, input)
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
        scopes: Scopes::new(asked.scope).map_err(|wrong| CliError::Usage(format!("--scope {wrong}")))?,
        customer: asked.customer,
        ip: asked.ip.map(|ip| ip.to_canonical()),
        cost: asked.cost,
        about: RequestAsked::default(),
    };
    session::run(flags, "key verify", async move |session| {
        let Session { services, caller, origin } = session;
        let used = services.access.verify_key(&caller, question, &origin).await?;
        let verdict = Verdict::new(used.code, used.key.as_deref(), &used.scopes, used.rate_limit.as_ref());
        output::object(json, &output::shown(&verdict));
        if used.code == KeyCode::Valid { Ok(()) } else { Err(CliError::Silent) }
    })
}

/// What can be told of a key without a database: form and checksum.
fn verify_offline(json: bool, key: &str) -> Result<(), CliError> {
    let Some(raw) = RawApiKey::parse(key) else {
        output::object(json, &json!({"well_formed": false}));
        return Err(CliError::Silent);
    };
    let environment = raw.environment().map(Environment::as_str);
    output::object(json, &json!({"well_formed": true, "prefix": raw.prefix(), "environment": environment}));
    Ok(())
}
