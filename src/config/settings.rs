//! The settings as they are written, and the precedence of file, variables and flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::error::Problems;
use super::sources::{Sources, in_file};

/// The file that is read if no other is named.
const DEFAULT_FILE: &str = "sealwright.toml";
/// The prefix of all variables.
pub(super) const PREFIX: &str = "SEALWRIGHT_";
/// Names that are not settings of the server: those that are read separately, so that error messages never contain
/// their values, and those that clients and examples use with the same prefix.
const EXCLUDED: [&str; 6] = ["master_key", "config", "issuer", "client_id", "client_secret", "api_key"];

/// Options of the command line that are also settings. They take precedence over file and variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, clap::Args)]
pub struct Flags {
    /// Settings file [default: ./sealwright.toml, if it exists]
    #[arg(long, global = true, env = "SEALWRIGHT_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Folder for the database, the master key and other state
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// postgres://… for PostgreSQL, sqlite:FILE for a SQLite file outside the data folder
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// Address and port to listen on
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// External base address, as clients see it
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Write into a data folder that belongs to another user
    #[arg(long, global = true)]
    #[serde(skip)]
    pub force: bool,
}

/// The settings by their names in `sealwright.toml`. A variable has the name in capitals after `SEALWRIGHT_`, with
/// tables joined by two underscores: `SEALWRIGHT_ENVIRONMENTS__STAGING__DEFAULT_AUDIENCE`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub data_dir: PathBuf,
    pub database_url: Option<String>,
    pub database_pool_size: u32,
    pub list_time_limit: String,
    pub min_free_disk: String,
    pub listen: String,
    pub public_url: Option<String>,
    pub allow_insecure_http: bool,
    pub trusted_proxies: Vec<String>,
    pub client_address_header: String,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub workers: Option<usize>,
    pub max_connections: usize,
    pub request_timeout: String,
    pub keep_alive: String,
    pub shutdown_timeout: String,
    pub master_key_file: Option<PathBuf>,
    #[serde(skip)]
    pub master_key: Option<String>,
    pub signing_algorithms: Vec<String>,
    pub signing_algorithm: String,
    pub token_typ: String,
    pub signing_key_lead: String,
    pub signing_key_rotation: String,
    pub environments: BTreeMap<String, EnvironmentSettings>,
    pub key_brand: String,
    pub rotation_age: String,
    pub guess_limit_per_minute: u32,
    pub public_docs: bool,
    pub audit_json_lines: Option<PathBuf>,
    pub node_name: Option<String>,
    pub log: String,
    pub log_format: String,
}

/// The settings of one environment, in the table `[environments.NAME]`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSettings {
    pub default_audience: Option<String>,
    pub signing_algorithm: Option<String>,
    pub token_typ: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: "sealwright-data".into(),
            database_url: None,
            database_pool_size: 8,
            list_time_limit: "1s".to_owned(),
            min_free_disk: "256MiB".to_owned(),
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            allow_insecure_http: false,
            trusted_proxies: vec![],
            client_address_header: "x-forwarded-for".to_owned(),
            tls_certificate: None,
            tls_key: None,
            workers: None,
            max_connections: 10_000,
            request_timeout: "10s".to_owned(),
            keep_alive: "75s".to_owned(),
            shutdown_timeout: "30s".to_owned(),
            master_key_file: None,
            master_key: None,
            signing_algorithms: ["ES256", "RS256", "EdDSA"].map(str::to_owned).to_vec(),
            signing_algorithm: "ES256".to_owned(),
            token_typ: "at+jwt".to_owned(),
            signing_key_lead: "24h".to_owned(),
            signing_key_rotation: "90d".to_owned(),
            environments: BTreeMap::new(),
            key_brand: "sw".to_owned(),
            rotation_age: "90d".to_owned(),
            guess_limit_per_minute: 30,
            public_docs: true,
            audit_json_lines: None,
            node_name: None,
            log: "info".to_owned(),
            log_format: "text".to_owned(),
        }
    }
}

/// The names, in the order of the documentation.
pub(super) const NAMES: [&str; 30] = [
    "data_dir",
    "database_url",
    "database_pool_size",
    "list_time_limit",
    "min_free_disk",
    "listen",
    "public_url",
    "allow_insecure_http",
    "trusted_proxies",
    "client_address_header",
    "tls_certificate",
    "tls_key",
    "workers",
    "max_connections",
    "request_timeout",
    "keep_alive",
    "shutdown_timeout",
    "master_key_file",
    "signing_algorithms",
    "signing_algorithm",
    "token_typ",
    "signing_key_lead",
    "signing_key_rotation",
    "environments",
    "key_brand",
    "rotation_age",
    "guess_limit_per_minute",
    "public_docs",
    "audit_json_lines",
    "node_name",
];

/// Reads the settings, where they come from, and what is wrong with some of them, which have their defaults then.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(flags: &Flags) -> Result<(Settings, Sources, Problems), ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(Settings::default()));
    let file = flags.config.clone().unwrap_or_else(|| DEFAULT_FILE.into());
    // Also a pipe. A file that is there and cannot be read is never passed over.
    match std::fs::metadata(&file) {
        Ok(found) if !found.is_dir() => {
            if found.is_file() {
                std::fs::File::open(&file).map_err(|error| unreadable(&file, &error))?;
            }
            figment = figment.merge(Toml::file_exact(&file));
        }
        Ok(_) => return Err(unreadable(&file, &"it is a folder")),
        Err(error) if flags.config.is_some() || file.is_symlink() => return Err(unreadable(&file, &error)),
        Err(_) => {}
    }
    figment =
        figment.merge(Env::prefixed(PREFIX).ignore(&EXCLUDED).filter(|name| !name.starts_with("test_")).split("__"));
    figment = figment.merge(Serialized::defaults(flags));
    let written: Dict = figment.extract().map_err(|error| unparsed(&error))?;
    let sources = Sources::new(figment);
    let mut problems = Problems::default();
    let mut settings = typed(written, &sources, &mut problems);
    settings.master_key = problems.take(variable("SEALWRIGHT_MASTER_KEY")).flatten();
    Ok((settings, sources, problems))
}

/// Reads the settings from what is written. First each is read by itself, so that all that are unknown or of a wrong
/// type are found, and the values of the others can be checked.
fn typed(mut written: Dict, sources: &Sources, problems: &mut Problems) -> Settings {
    written.retain(|name, value| {
        let alone = Value::from(Dict::from([(name.clone(), value.clone())]));
        problems.take(alone.deserialize::<Settings>().map_err(|error| describe(&error, sources))).is_some()
    });
    let settings = Value::from(written).deserialize::<Settings>().map_err(|error| describe(&error, sources));
    problems.take(settings).unwrap_or_default()
}

fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::other(format!("settings file {} cannot be read: {error}", file.display()))
}

fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ConfigError::other(format!("variable {name}: is not UTF-8"))),
    }
}

/// Describes why the file is no TOML, without the lines of the file, which may have a password.
fn unparsed(error: &figment::Error) -> ConfigError {
    let is_of_file = |line: &str| line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|');
    let text = error.kind.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !is_of_file(line)).collect();
    ConfigError::other(format!("{}{}", lines.join(": "), error.metadata.as_ref().map_or_else(String::new, in_file)))
}

/// Describes what is wrong with a setting in one line. It contains values only of settings that are not secret.
fn describe(error: &figment::Error, sources: &Sources) -> ConfigError {
    use figment::error::Kind;
    // What is wrong with an entry of a list is wrong with the list.
    let name = error.path.iter().map(String::as_str).take_while(|part| part.parse::<usize>().is_err());
    let name = name.collect::<Vec<_>>().join(".");
    let wrong = match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("must be {}", plain_type(expected)),
        Kind::UnknownField(..) => return ConfigError::other(format!("unknown setting {name}{}", sources.place(&name))),
        other => other.to_string(),
    };
    ConfigError::setting(name, wrong).placed(|name| sources.place(name))
}

/// Returns a plain name for a type of Rust.
fn plain_type(name: &str) -> &str {
    match name {
        "usize" | "u32" => "a whole number",
        "a boolean" => "true or false",
        "path string" => "a string",
        "a sequence" => r#"a list such as ["a", "b"]"#,
        other => other,
    }
}
