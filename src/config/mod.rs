//! Settings: read once at the start from `sealwright.toml`, `SEALWRIGHT_…` variables and flags, into one struct per
//! concern. The errors of unknown names and invalid values name the setting and its source.

pub mod data_folder;
mod database;
mod error;
mod issuers;
mod log;
mod master_key;
mod node;
mod server;
mod settings;
mod signing;
mod sources;
mod system_user;

use std::path::{Path, PathBuf};

pub use database::DatabaseConfig;
pub use error::ConfigError;
pub use issuers::{EnvironmentIssuer, Issuers};
pub use log::{LogConfig, LogFormat};
pub use master_key::{MasterKeyError, MasterKeySource};
pub use server::{ServerConfig, TlsFiles};
pub use settings::Flags;
pub use signing::SigningConfig;
pub use sources::Source;
pub use system_user::SystemUser;

use crate::domain::credential::Brand;
use crate::domain::time::Duration;
use error::Problems;
use settings::Settings;

const EMPTY: &str = "must not be empty";

/// The configuration, ready for use.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the SQLite file, the master key file and other state.
    pub data_dir: PathBuf,
    /// The database and its connections.
    pub database: DatabaseConfig,
    /// The HTTP server.
    pub server: ServerConfig,
    /// The external base address; `None` for that of the listening socket.
    pub public_url: Option<String>,
    /// Default audiences and algorithms of the environments.
    pub issuers: issuers::IssuerSettings,
    /// Algorithms and dates of signing keys.
    pub signing: SigningConfig,
    /// The source of the master keys.
    pub master_key: MasterKeySource,
    /// The brand that API keys begin with.
    pub key_brand: Brand,
    /// The age at which a secret or a key is flagged as due for rotation.
    pub rotation_age: Duration,
    /// Failed authentications per minute that are allowed from one address, and for one client from one address.
    pub guess_limit_per_minute: u32,
    /// A file that receives every audit event as a line of JSON; `-` is standard output.
    pub audit_json_lines: Option<PathBuf>,
    /// The name of this node among the processes on one database.
    pub node_name: String,
    /// The log.
    pub log: LogConfig,
    shown: Vec<ShownSetting>,
}

/// The effective value of a setting, as `sealwright config check` shows it. Secrets are hidden.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ShownSetting {
    /// The name in `sealwright.toml`.
    pub name: &'static str,
    /// The value, or a placeholder if it is secret.
    pub value: serde_json::Value,
    /// The source of the value.
    pub source: Source,
    /// The source as errors name it, such as ` (in sealwright.toml)`.
    #[serde(skip)]
    place: String,
}

/// Returns the external base address, if it is set. Beyond loopback it must be.
fn public_url(settings: &Settings) -> Result<Option<String>, ConfigError> {
    match &settings.public_url {
        Some(url) => issuers::public_url(url, settings.allow_insecure_http).map(Some),
        None => match settings.listen.parse::<std::net::SocketAddr>() {
            Ok(listen) if !listen.ip().is_loopback() => {
                Err(ConfigError::setting("public_url", format_args!("is required when listening on {listen}")))
            }
            _ => Ok(None),
        },
    }
}

/// Requires that no path is empty: it would be that of the current folder.
fn require_paths(settings: &Settings, problems: &mut Problems) {
    problems.require(!settings.data_dir.as_os_str().is_empty(), "data_dir", EMPTY);
    for (name, path) in [
        ("tls_certificate", &settings.tls_certificate),
        ("tls_key", &settings.tls_key),
        ("master_key_file", &settings.master_key_file),
        ("audit_json_lines", &settings.audit_json_lines),
    ] {
        problems.require(path.as_ref().is_none_or(|path| !path.as_os_str().is_empty()), name, EMPTY);
    }
}

fn rotation_age(text: &str) -> Result<Duration, ConfigError> {
    let wrong = |wrong| ConfigError::setting("rotation_age", wrong);
    let age: Duration = text.parse().map_err(wrong)?;
    if age < Duration::seconds(1) { Err(wrong("must be at least 1s")) } else { Ok(age) }
}

impl Config {
    /// Loads the settings from file, variables and flags.
    ///
    /// # Errors
    /// The file cannot be read, a setting is unknown, or a value is invalid. The message names the setting.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let (settings, sources, problems) = settings::read(flags)?;
        let shown = sources.shown(&settings);
        let config = Self::from_settings(settings, shown, problems).and_then(Self::with_files_apart);
        let mut config = config.map_err(|error| error.placed(|name| sources.place(name)))?;
        config.show_defaults();
        Ok(config)
    }

    fn from_settings(
        settings: Settings,
        shown: Vec<ShownSetting>,
        mut problems: Problems,
    ) -> Result<Self, ConfigError> {
        let guesses = settings.guess_limit_per_minute;
        problems.require((1..=100_000).contains(&guesses), "guess_limit_per_minute", "must be 1 to 100000");
        require_paths(&settings, &mut problems);
        let log = problems.take(LogConfig::from_settings(&settings));
        let server = problems.take(ServerConfig::from_settings(&settings));
        let public_url = problems.take(public_url(&settings));
        let database = problems.take(DatabaseConfig::from_settings(&settings));
        let issuers = problems.take(issuers::IssuerSettings::from_settings(&settings));
        let signing = problems.take(SigningConfig::from_settings(&settings));
        let master_key = problems.take(MasterKeySource::from_settings(&settings));
        let key_brand =
            problems.take(settings.key_brand.parse().map_err(|wrong| ConfigError::setting("key_brand", wrong)));
        let rotation_age = problems.take(rotation_age(&settings.rotation_age));
        let node_name = problems.take(node::name(settings.node_name.as_deref()));
        problems.finish(move || {
            Some(Self {
                database: database?,
                issuers: issuers?,
                signing: signing?,
                master_key: master_key?,
                key_brand: key_brand?,
                rotation_age: rotation_age?,
                guess_limit_per_minute: settings.guess_limit_per_minute,
                node_name: node_name?,
                audit_json_lines: settings.audit_json_lines,
                log: log?,
                data_dir: settings.data_dir,
                server: server?,
                public_url: public_url?,
                shown,
            })
        })
    }

    /// Checks that lines for a SIEM do not go into a file of Sealwright's own, which they would damage.
    fn with_files_apart(self) -> Result<Self, ConfigError> {
        let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
        let lines = self.audit_json_lines.as_deref().and_then(real);
        if lines.is_some() && self.own_files().iter().any(|own| real(own) == lines) {
            return Err(ConfigError::setting("audit_json_lines", "must not be the database or the master key"));
        }
        Ok(self)
    }

    /// Replaces defaults that depend on other settings by their effective values.
    fn show_defaults(&mut self) {
        let database = match &self.database {
            DatabaseConfig::Sqlite { file, .. } => Some(format!("sqlite:{}", file.display())),
            DatabaseConfig::Postgres { .. } => None,
        };
        let public_url = self.public_url_at(self.server.listen);
        for shown in self.shown.iter_mut().filter(|shown| shown.value.is_null()) {
            shown.value = match shown.name {
                "database_url" => database.clone().into(),
                "public_url" => public_url.clone().into(),
                "workers" => self.server.workers.into(),
                "node_name" => self.node_name.clone().into(),
                _ => continue,
            };
        }
    }

    fn public_url_at(&self, listening: std::net::SocketAddr) -> String {
        let scheme = if self.server.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{listening}"))
    }

    /// Returns the issuers of a server that is bound to `listening`.
    ///
    /// # Errors
    /// The public URL yields no valid audience.
    pub fn issuers(&self, listening: std::net::SocketAddr) -> Result<Issuers, ConfigError> {
        Issuers::new(&self.public_url_at(listening), &self.issuers)
            .map_err(|error| error.placed(|name| self.place(name)))
    }

    /// Creates the error for a setting whose value the server cannot use.
    pub fn unusable(&self, setting: &str, wrong: impl std::fmt::Display) -> ConfigError {
        ConfigError::setting(setting, wrong).placed(|name| self.place(name))
    }

    /// Returns where the value of a setting comes from, as errors name it.
    fn place(&self, name: &str) -> String {
        self.shown.iter().find(|shown| shown.name == name).map_or_else(String::new, |shown| shown.place.clone())
    }

    /// Returns every setting with its effective value, secrets hidden, in the order of the documentation.
    pub fn shown(&self) -> &[ShownSetting] {
        &self.shown
    }
}
