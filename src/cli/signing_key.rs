//! `sealwright signing-key …`.

use clap::Subcommand;
use serde_json::Value;

use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, SigningKey};
use crate::domain::time::{Duration, Timestamp};
use crate::view::signing_key::SigningKeyView;

#[derive(Subcommand)]
pub enum Command {
    /// List signing keys, newest first
    List {
        /// Only those of this environment
        #[arg(long)]
        environment: Option<Environment>,
    },
    /// Rotate a signing key: the new one is published now, and signs after the lead
    Rotate {
        /// production, staging or development
        #[arg(long, default_value = "production")]
        environment: Environment,
        /// ES256, RS256 or `EdDSA`; the environment's own, unless given
        #[arg(long)]
        algorithm: Option<Algorithm>,
        /// How long the key is published before it signs; the setting `signing_key_lead`, unless given
        #[arg(long)]
        lead: Option<Duration>,
    },
    /// Destroy a key at once: what it signed no longer verifies. For emergencies
    Destroy {
        /// Its kid
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

fn view(key: &SigningKey, now: Timestamp) -> Value {
    output::shown(&SigningKeyView::new(key, now))
}

pub fn run(flags: &Flags, json: bool, command: Command) -> Result<(), CliError> {
    match command {
        Command::List { environment } => session::run(flags, "signing-key list", async move |session| {
            let Session { services, caller, origin } = session;
            let keys = services.signing_keys.list(&caller, None, origin).await?;
            let now = services.recorder.now();
            let views: Vec<Value> = keys
                .iter()
                .filter(|key| environment.is_none_or(|wanted| key.environment == wanted))
                .map(|key| view(key, now))
                .collect();
            let columns = ["kid", "environment", "algorithm", "status", "activates_at", "retires_at"];
            output::list(json, &views, &columns);
            Ok(())
        }),
        Command::Rotate { environment, algorithm, lead } => {
            session::run(flags, "signing-key rotate", async move |session| {
                let Session { services, caller, origin } = session;
                let algorithm = algorithm.unwrap_or(services.issuers.of(environment).algorithm);
                let usual = services.signing_keys.settings.lead;
                let key = services.signing_keys.rotate(&caller, environment, algorithm, lead, None, origin).await?;
                if lead.is_some_and(|lead| lead < usual && lead < Duration::seconds(300)) {
                    output::remark(
                        "Verifiers may hold the key set for as long as its last answer allowed: those that do not fetch it \
                         anew for an unknown kid can refuse tokens after so short a lead.",
                    );
                }
                output::object(json, &view(&key, services.recorder.now()));
                Ok(())
            })
        }
        Command::Destroy { kid, yes } => {
            if !yes && !json && !output::confirmed(&format!("Destroy {kid}? Every token that it signed ends now.")) {
                return Err(CliError::Usage("not destroyed: add --yes".to_owned()));
            }
            session::run(flags, "signing-key destroy", async move |session| {
                let Session { services, caller, origin } = session;
                let key = services.signing_keys.destroy(&caller, &kid, origin).await?;
                output::object(json, &view(&key, services.recorder.now()));
                Ok(())
            })
        }
    }
}
