//! The commands `sealwright signing-key …`.

use clap::Subcommand;
use serde_json::Value;

use super::confirmation::{Confirmation, Question, count_lately};
use super::session::{self, Session};
use super::{CliError, output};
use crate::config::Flags;
use crate::domain::audit::{Action, EventFilter};
use crate::domain::environment::Environment;
use crate::domain::signing_key::{Algorithm, SigningKey};
use crate::domain::time::{Duration, Timestamp};
use crate::service::error::ServiceError;
use crate::view::signing_key::SigningKeyView;

#[derive(Subcommand)]
pub enum Command {
    /// List signing keys, newest first
    List {
        /// Only keys of this environment
        #[arg(long)]
        environment: Option<Environment>,
    },
    /// Rotate a signing key: the new key is published now and signs after the lead
    Rotate {
        /// Environment: production, staging or development
        #[arg(long, default_value = "production")]
        environment: Environment,
        /// Algorithm: ES256, RS256 or `EdDSA`; by default the environment's
        #[arg(long)]
        algorithm: Option<Algorithm>,
        /// Time for which the key is published before it signs; by default the setting `signing_key_lead`
        #[arg(long)]
        lead: Option<Duration>,
    },
    /// Destroy a key in an emergency: tokens that it signed no longer verify
    Destroy {
        /// The kid of the key
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        #[command(flatten)]
        confirmation: Confirmation,
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
                        "Verifiers may cache the key set for as long as its last response allowed. Those that do not \
                         fetch it again for an unknown kid can refuse tokens after so short a lead.",
                    );
                }
                output::object(json, &view(&key, services.recorder.now()));
                Ok(())
            })
        }
        Command::Destroy { kid, confirmation } => session::run(flags, "signing-key destroy", async move |session| {
            confirmation.ask(destruction(&session, &kid)).await?;
            let Session { services, caller, origin } = session;
            let key = services.signing_keys.destroy(&caller, &kid, origin).await?;
            output::object(json, &view(&key, services.recorder.now()));
            Ok(())
        }),
    }
}

/// What destroying a signing key ends. Events do not name the key that signed a token, so that only those of its
/// environment can be counted.
async fn destruction(session: &Session, kid: &str) -> Result<Question, CliError> {
    let Session { services, caller, origin } = session;
    let keys = services.signing_keys.list(caller, None, origin.clone()).await?;
    let key = keys.into_iter().find(|key| *key.kid == *kid).ok_or(ServiceError::NotFound("signing key"))?;
    let (environment, algorithm) = (key.environment, key.algorithm);
    let filter = EventFilter {
        environment: Some(environment.to_string()),
        action: Some(Action::TokenIssue),
        ..EventFilter::default()
    };
    let issued = count_lately(session, filter, |_| true).await?;
    let about = format!(
        "Tokens that the {algorithm} key {kid} of {environment} signed no longer verify. Tokens that {environment} \
         issued in the last day: {issued}."
    );
    Ok(Question { about, question: "Destroy it?" })
}
