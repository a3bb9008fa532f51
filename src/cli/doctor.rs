//! `sealwright doctor`: what is wrong, and what might be. Exit status 1 only on errors.

use serde_json::{Value, json};

use super::{CliError, output, session};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::domain::environment::Environment;
use crate::http::check_tls;
use crate::store::Store;
use crate::store::migrations::{self, SchemaState};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Error,
}

#[derive(Default)]
struct Findings(Vec<Value>, bool);

impl Findings {
    fn add(&mut self, check: &str, verdict: Verdict, finding: impl Into<String>) {
        let word = match verdict {
            Verdict::Good => "ok",
            Verdict::Warning => "warning",
            Verdict::Error => "error",
        };
        self.1 |= verdict == Verdict::Error;
        self.0.push(json!({"check": check, "verdict": word, "finding": finding.into()}));
    }
}

/// Runs every check that can still be run.
pub fn run(flags: &Flags, json: bool) -> Result<(), CliError> {
    let mut findings = Findings::default();
    match Config::load(flags) {
        Ok(config) => {
            session::start_log(&config, "error");
            findings.add("settings", Verdict::Good, "all can be used");
            check_transport(&config, &mut findings);
            check_database(&config, &mut findings)?;
        }
        Err(error) => findings.add("settings", Verdict::Error, error.to_string()),
    }
    output::list(json, &findings.0, &["check", "verdict", "finding"]);
    if findings.1 { Err(CliError::Silent) } else { Ok(()) }
}

fn check_transport(config: &Config, findings: &mut Findings) {
    let (verdict, finding) = if config.server.allow_insecure_http {
        (Verdict::Warning, "allow_insecure_http = true: secrets and tokens cross the network in clear")
    } else if let Some(files) = &config.server.tls {
        match check_tls(files) {
            Ok(()) => (Verdict::Good, "TLS ends here"),
            Err(error) => return findings.add("transport", Verdict::Error, error.to_string()),
        }
    } else if !config.server.trusted_proxies.is_empty() {
        (Verdict::Good, "plain HTTP, for trusted proxies that say https")
    } else if config.server.listen.ip().is_loopback() {
        (Verdict::Good, "plain HTTP on loopback")
    } else {
        (Verdict::Warning, "neither TLS nor trusted_proxies: requests from other machines are refused")
    };
    findings.add("transport", verdict, finding);
}

fn check_database(config: &Config, findings: &mut Findings) -> Result<(), CliError> {
    let store = match Store::open(&config.database) {
        Ok(store) => store,
        Err(error) => {
            findings.add("database", Verdict::Error, error.to_string());
            return Ok(());
        }
    };
    findings.add("database", Verdict::Good, "answers");
    match migrations::state(&store) {
        Ok(SchemaState::Current) => findings.add("schema", Verdict::Good, "up to date"),
        Ok(SchemaState::Empty) => {
            findings.add("schema", Verdict::Warning, "empty: the first start or `sealwright migrate` makes it");
            return Ok(());
        }
        Ok(SchemaState::Behind(missing)) => {
            let missing = missing.join(", ");
            findings.add("schema", Verdict::Error, format!("lacks {missing}: run `sealwright migrate`"));
            return Ok(());
        }
        Ok(SchemaState::Ahead(unknown)) => {
            findings.add("schema", Verdict::Error, format!("was made by a newer release: {unknown} is not known here"));
            return Ok(());
        }
        Err(error) => {
            findings.add("schema", Verdict::Error, error.to_string());
            return Ok(());
        }
    }
    let opened =
        session::runtime()?.block_on(app::open(config, config.server.listen, Purposes::Command, Clock::system()));
    match opened {
        Ok(services) => {
            findings.add("master key", Verdict::Good, "opens everything that is sealed");
            let now = services.recorder.now();
            for environment in Environment::ALL {
                let missing: Vec<&str> = services
                    .signing_keys
                    .settings
                    .algorithms
                    .iter()
                    .filter(|algorithm| services.signing_keys.keyring.signer(environment, **algorithm, now).is_none())
                    .map(|algorithm| algorithm.as_str())
                    .collect();
                let check = format!("signing keys of {environment}");
                if missing.is_empty() {
                    findings.add(&check, Verdict::Good, "one active key of every enabled algorithm");
                } else {
                    let finding = format!("no active key for {}: the next `serve` makes it", missing.join(", "));
                    findings.add(&check, Verdict::Warning, finding);
                }
            }
        }
        Err(error) => findings.add("keys", Verdict::Error, error.to_string()),
    }
    Ok(())
}
