//! The command `sealwright doctor`: finds errors and likely mistakes. Its exit status is 1 only on errors.

mod data_folder;

use serde_json::{Value, json};

use super::{CliError, check, logging, output, session};
use crate::app::{self, Purposes};
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::domain::environment::Environment;
use crate::domain::time::Duration;
use crate::http::check_tls;
use crate::service::Services;
use crate::store::Store;
use crate::store::migrations::{self, SchemaState};
use data_folder::check_folder;

/// An event that a loop has not followed after this time shows that none runs, or that it lags behind.
const LATE: Duration = Duration::seconds(60);
/// Events that are not indexed, which make lists slow.
const UNINDEXED: i64 = 100_000;

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

/// Runs every check whose preconditions hold.
pub fn run(flags: &Flags, json: bool) -> Result<(), CliError> {
    let mut findings = Findings::default();
    match Config::load(flags) {
        Ok(config) => {
            logging::start(&config, "error");
            check_settings(&config, &mut findings);
            check_transport(&config, &mut findings);
            if check_folder(&config, &mut findings) {
                check_database(&config, &mut findings)?;
            }
        }
        Err(error) => findings.add("settings", Verdict::Error, error.to_string()),
    }
    output::list(json, &findings.0, &["check", "verdict", "finding"]);
    if findings.1 { Err(CliError::Silent) } else { Ok(()) }
}

fn check_settings(config: &Config, findings: &mut Findings) {
    // Whom the installation belongs to, the look at its folder says.
    let problems = check::problems(config, true);
    if problems.is_empty() {
        findings.add("settings", Verdict::Good, "all settings are valid");
    }
    for problem in problems {
        findings.add("settings", Verdict::Error, problem.to_string());
    }
}

fn check_transport(config: &Config, findings: &mut Findings) {
    let (verdict, finding) = if config.server.allow_insecure_http {
        (Verdict::Warning, "allow_insecure_http = true: secrets and tokens cross the network unencrypted")
    } else if let Some(files) = &config.server.tls {
        let wrong = check_tls(files);
        for error in &wrong {
            findings.add("transport", Verdict::Error, error.to_string());
        }
        if !wrong.is_empty() {
            return;
        }
        (Verdict::Good, "Sealwright terminates TLS")
    } else if !config.server.trusted_proxies.is_empty() {
        (Verdict::Good, "plain HTTP behind trusted proxies that terminate TLS")
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
    findings.add("database", Verdict::Good, "responds");
    if let Some(disk) = store.free_disk_blocking() {
        let verdict = if disk.is_low() { Verdict::Warning } else { Verdict::Good };
        findings.add("disk", verdict, format!("free: {disk}"));
    }
    if check_schema(&store, findings) { check_keys(config, findings) } else { Ok(()) }
}

/// Checks the schema, and returns whether it is that of this release.
fn check_schema(store: &Store, findings: &mut Findings) -> bool {
    let (verdict, finding) = match migrations::state(store) {
        Ok(SchemaState::Current) => (Verdict::Good, "up to date".to_owned()),
        Ok(SchemaState::Empty) => {
            (Verdict::Warning, "empty: `sealwright init` or `sealwright serve` creates it".to_owned())
        }
        Ok(SchemaState::Behind(missing)) => {
            (Verdict::Error, format!("lacks {}: run `sealwright migrate`", missing.join(", ")))
        }
        Ok(SchemaState::Unknown(unknown)) => (Verdict::Error, format!("has {unknown}")),
        Err(error) => (Verdict::Error, error.to_string()),
    };
    findings.add("schema", verdict, finding);
    verdict == Verdict::Good
}

/// Checks that the master keys open every sealed value, and that no signing key is missing.
fn check_keys(config: &Config, findings: &mut Findings) -> Result<(), CliError> {
    let opened =
        session::runtime()?.block_on(app::open(config, config.server.listen, Purposes::Command, Clock::system()));
    let services = match opened {
        Ok(services) => services,
        Err(error) => {
            findings.add("keys", Verdict::Error, error.to_string());
            return Ok(());
        }
    };
    findings.add("master key", Verdict::Good, "opens every sealed value");
    check_audit_log(&services, findings)?;
    let signing_keys = &services.signing_keys;
    let now = services.recorder.now();
    for environment in Environment::ALL {
        let algorithms = signing_keys.settings.algorithms.iter();
        let missing: Vec<&str> = algorithms
            .filter(|algorithm| signing_keys.keyring.signer(environment, **algorithm, now).is_none())
            .map(|algorithm| algorithm.as_str())
            .collect();
        let check = format!("signing keys of {environment}");
        if missing.is_empty() {
            findings.add(&check, Verdict::Good, "one active key of every enabled algorithm");
        } else {
            let finding = format!("no active key for {}: the next `serve` creates it", missing.join(", "));
            findings.add(&check, Verdict::Warning, finding);
        }
    }
    Ok(())
}

/// Checks that the loops of a server follow the audit log. What is left of them, a running server does.
fn check_audit_log(services: &Services, findings: &mut Findings) -> Result<(), CliError> {
    let lag = session::runtime()?.block_on(services.insight.read_lag())?;
    let now = services.recorder.now();
    for (what, since) in [("has no position", lag.unpositioned_since), ("is not sealed", lag.unsealed_since)] {
        if let Some(since) = since.filter(|since| now.minus(LATE) > *since) {
            let finding = format!("an event of {since} {what}: no server runs, or it lags behind");
            findings.add("audit log", Verdict::Warning, finding);
        }
    }
    if lag.unindexed > UNINDEXED {
        let finding = format!("{} events are not in the index: lists are slower until a server has it", lag.unindexed);
        findings.add("audit log", Verdict::Warning, finding);
    }
    Ok(())
}
