//! The settings of signing keys.

use super::ConfigError;
use super::settings::Settings;
use crate::domain::signing_key::Algorithm;
use crate::domain::time::Duration;

/// The algorithms of signing keys, and the schedule of their rotation.
#[derive(Clone, Debug)]
pub struct SigningConfig {
    /// The algorithms that every environment has an active key of.
    pub algorithms: Vec<Algorithm>,
    /// How long a new key is published before it signs.
    pub lead: Duration,
    /// The age at which the schedule replaces a key; zero disables the schedule.
    pub rotation: Duration,
}

impl SigningConfig {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut algorithms: Vec<Algorithm> = settings
            .signing_algorithms
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(|wrong| ConfigError::setting("signing_algorithms", wrong))?;
        algorithms.sort();
        algorithms.dedup();
        if algorithms.is_empty() {
            return Err(ConfigError::setting("signing_algorithms", "must name at least one"));
        }
        let duration = |name, text: &str| text.parse::<Duration>().map_err(|wrong| ConfigError::setting(name, wrong));
        let lead = duration("signing_key_lead", &settings.signing_key_lead)?;
        let rotation = duration("signing_key_rotation", &settings.signing_key_rotation)?;
        if lead < Duration::seconds(1) {
            return Err(ConfigError::setting("signing_key_lead", "must be at least 1s"));
        }
        if rotation != Duration::ZERO && rotation <= lead {
            return Err(ConfigError::setting(
                "signing_key_rotation",
                "must be longer than signing_key_lead, or 0s for never",
            ));
        }
        Ok(Self { algorithms, lead, rotation })
    }
}
