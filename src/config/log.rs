//! The log: what is written, and as what.

use strum::EnumString;

use super::ConfigError;
use super::error::Problems;
use super::settings::Settings;

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum LogFormat {
    /// Words for people.
    #[default]
    Text,
    /// An object of JSON, for programs.
    Json,
}

/// The settings of the log.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// What is written, in the syntax of `env_logger`.
    pub filter: String,
    /// The form of a line.
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let filter = env_filter::Builder::new().try_parse(&settings.log).map(drop);
        problems.take(filter.map_err(|wrong| ConfigError::setting("log", wrong.to_string().trim())));
        let format = settings.log_format.parse();
        let format = problems.take(format.map_err(|_| ConfigError::setting("log_format", "must be text or json")));
        problems.finish(|| Some(Self { filter: settings.log.clone(), format: format? }))
    }
}
