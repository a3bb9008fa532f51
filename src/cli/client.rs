//! The commands `sealwright client …`.

use clap::{Args, Subcommand};

use super::CliError;
use super::credential::{self, Settings};
use super::credential_list::{self, Filter};
use super::options::Members;
use super::session::{self, Session};
use crate::clock::Clock;
use crate::config::Flags;
use crate::domain::credential::CredentialKind;
use crate::domain::environment::Environment;
use crate::domain::time::{Duration, Timestamp};
use crate::view::credential_input::{ClientCreate, ClientUpdate};

const KIND: CredentialKind = CredentialKind::Client;

#[derive(Subcommand)]
pub enum Command {
    /// Create a client and print its secret, which is not shown again
    Create {
        /// Display name
        #[arg(long)]
        name: String,
        /// Environment: production, staging or development
        #[arg(long, default_value = "production")]
        environment: Environment,
        /// Owner, by id or e-mail address; by default the organisation
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        settings: ClientSettings,
    },
    /// List clients, newest first
    List(Filter),
    /// Update a client; settings without an option stay as they are
    Update {
        /// Client id
        id: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: ClientSettings,
    },
    /// Rotate a client's secret and print the new one, which is not shown again
    RotateSecret {
        /// Client id
        id: String,
        /// Time for which the old secret remains valid, at most 30d
        #[arg(long, default_value = "0s")]
        grace: Duration,
    },
    /// Revoke all tokens issued to a client so far
    RevokeTokens {
        /// Client id
        id: String,
    },
    #[command(flatten)]
    Common(credential::Command),
}

/// Settings of a client. Options are named as the fields of the API.
#[derive(Args, Default)]
pub struct ClientSettings {
    #[command(flatten)]
    common: Settings,
    /// Scope of tokens whose request names none (repeatable, or several separated by commas or spaces); by default all
    /// of its scopes; `all` clears the list
    #[arg(long)]
    default_scope: Vec<String>,
    /// Audience of its tokens (repeatable); by default its environment's; `default` clears the list
    #[arg(long)]
    audience: Vec<String>,
    /// Audience whose tokens it may introspect (repeatable); `none` clears the list
    #[arg(long)]
    resource_for: Vec<String>,
    /// Lifetime of its tokens, at most 1h
    #[arg(long)]
    token_lifetime: Option<Duration>,
    /// Signing algorithm: ES256, RS256 or `EdDSA`, which Nimbus, Spring, Authlib, `HAProxy` 2.6 and Apache's
    /// `mod_oauth2` refuse; `default` is its environment's
    #[arg(long)]
    signing_algorithm: Option<String>,
    /// The `typ` of its tokens: at+jwt, or JWT for verifiers that refuse at+jwt; `default` is its environment's
    #[arg(long)]
    token_typ: Option<String>,
}

impl ClientSettings {
    fn members(self, name: Option<String>, now: Timestamp) -> Result<Members, CliError> {
        let members = self.common.members(name, now)?;
        Ok(members
            .scopes("default_scopes", self.default_scope, "all")
            .list("audiences", self.audience, "default")
            .list("resource_for", self.resource_for, "none")
            .seconds("token_lifetime", self.token_lifetime)
            .clearable("signing_algorithm", self.signing_algorithm, "default")
            .clearable("token_typ", self.token_typ, "default"))
    }
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    let now = Clock::system().now();
    match command {
        Command::Create { name, environment, owner, settings } => {
            if settings.common.scope.is_empty() {
                return Err(CliError::Usage(
                    "--scope is required: name the scopes that the client may be granted".to_owned(),
                ));
            }
            let members = settings.members(Some(name), now)?.text("owner", owner);
            let create: ClientCreate = members.text("environment", Some(environment.to_string())).read()?;
            credential::create(flags, json, create.into())
        }
        Command::List(filter) => {
            let columns =
                &["id", "environment", "name", "status", "owner_email", "customers", "scopes", "last_used_at"];
            credential_list::list(flags, json, (KIND, None), filter, columns)
        }
        Command::Update { id, name, settings } => {
            let update: ClientUpdate = settings.members(name, now)?.read()?;
            credential::update(flags, json, KIND, id, update.into())
        }
        Command::RotateSecret { id, grace } => credential::rotate(flags, json, (KIND, "rotate-secret"), id, grace),
        Command::RevokeTokens { id } => session::run(flags, "client revoke-tokens", async move |session| {
            let Session { services, caller, origin } = session;
            let client = services.credentials.revoke_tokens(&caller, &id, origin).await?;
            credential::print(json, &services, &client);
            Ok(())
        }),
        Command::Common(command) => credential::run(flags, json, KIND, command),
    }
}
