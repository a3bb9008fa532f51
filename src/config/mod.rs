//! Settings: read once at the start from `sealwright.toml`, then `SEALWRIGHT_…` variables, then flags, into one ready
//! struct per concern. Unknown names and bad values are errors that name the setting and where it came from.

mod database;
mod issuers;
mod master_key;
mod server;
mod settings;
mod signing;

use std::path::PathBuf;

pub use database::DatabaseConfig;
pub use issuers::{EnvironmentIssuer, Issuers};
pub use master_key::{MasterKeyError, MasterKeySource};
pub use server::{ServerConfig, TlsFiles};
pub use settings::{Flags, Source};
pub use signing::SigningConfig;

use crate::domain::credential::Brand;
use crate::domain::time::Duration;
use settings::Settings;

/// Why the settings cannot be used: one line that names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    fn setting(name: &str, wrong: impl std::fmt::Display) -> Self {
        Self(format!("setting {name}: {wrong}"))
    }
}

/// Everything that is configured, ready for use.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where SQLite, the master key file and other state lie.
    pub data_dir: PathBuf,
    /// Which database.
    pub database: DatabaseConfig,
    /// How HTTP is served.
    pub server: ServerConfig,
    /// The configured external base address, if any; `None` means that of the listening socket.
    pub public_url: Option<String>,
    /// Default audiences and algorithms of the environments.
    pub issuers: issuers::IssuerSettings,
    /// Algorithms and dates of signing keys.
    pub signing: SigningConfig,
    /// Where the master keys come from.
    pub master_key: MasterKeySource,
    /// What API keys begin with.
    pub key_brand: Brand,
    /// How old a secret or a key becomes before it is marked as due to be rotated.
    pub rotation_age: Duration,
    /// Failed authentications a minute that one address, or one client from one address, may make.
    pub guess_limit_per_minute: u32,
    /// A file that gets every audit event as a line of JSON; `-` is standard output.
    pub audit_json_lines: Option<PathBuf>,
    /// What is logged, as an `env_logger` filter.
    pub log: String,
    shown: Vec<ShownSetting>,
}

/// One setting in force, as `sealwright config check` shows it: secrets hidden.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ShownSetting {
    /// The name in `sealwright.toml`.
    pub name: &'static str,
    /// The value, or a word in its stead where it is secret.
    pub value: serde_json::Value,
    /// Where it came from.
    pub source: Source,
}

fn rotation_age(text: &str) -> Result<Duration, ConfigError> {
    let wrong = |wrong| ConfigError::setting("rotation_age", wrong);
    let age: Duration = text.parse().map_err(wrong)?;
    if age < Duration::seconds(1) { Err(wrong("must be at least 1s")) } else { Ok(age) }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown setting, or a value that cannot be used.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let (settings, shown) = settings::read(flags)?;
        let mut config = Self::from_settings(settings, shown)?;
        config.show_defaults();
        Ok(config)
    }

    fn from_settings(settings: Settings, shown: Vec<ShownSetting>) -> Result<Self, ConfigError> {
        if !(1..=100_000).contains(&settings.guess_limit_per_minute) {
            return Err(ConfigError::setting("guess_limit_per_minute", "must be 1 to 100000"));
        }
        env_filter::Builder::new()
            .try_parse(&settings.log)
            .map_err(|wrong| ConfigError::setting("log", wrong.to_string().trim()))?;
        let server = ServerConfig::from_settings(&settings)?;
        let public_url = settings
            .public_url
            .as_deref()
            .map(|url| issuers::public_url(url, server.allow_insecure_http))
            .transpose()?;
        if public_url.is_none() && !server.listen.ip().is_loopback() {
            return Err(ConfigError::setting(
                "public_url",
                format_args!("is required when listening on {}", server.listen),
            ));
        }
        Ok(Self {
            database: DatabaseConfig::from_settings(&settings)?,
            issuers: issuers::IssuerSettings::from_settings(&settings)?,
            signing: SigningConfig::from_settings(&settings)?,
            master_key: MasterKeySource::from_settings(&settings)?,
            key_brand: settings.key_brand.parse().map_err(|wrong| ConfigError::setting("key_brand", wrong))?,
            rotation_age: rotation_age(&settings.rotation_age)?,
            guess_limit_per_minute: settings.guess_limit_per_minute,
            audit_json_lines: settings.audit_json_lines,
            log: settings.log,
            data_dir: settings.data_dir,
            server,
            public_url,
            shown,
        })
    }

    /// Defaults that depend on other settings are shown as what they come to.
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
                _ => continue,
            };
        }
    }

    fn public_url_at(&self, listening: std::net::SocketAddr) -> String {
        let scheme = if self.server.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{listening}"))
    }

    /// The issuers, for a server whose socket is bound to `listening`.
    ///
    /// # Errors
    /// A default audience that is none.
    pub fn issuers(&self, listening: std::net::SocketAddr) -> Result<Issuers, ConfigError> {
        Issuers::new(&self.public_url_at(listening), &self.issuers)
    }

    /// Every setting in force, secrets hidden, in the order of the documentation.
    pub fn shown(&self) -> &[ShownSetting] {
        &self.shown
    }
}
