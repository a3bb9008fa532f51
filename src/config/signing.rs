//! The settings of signing keys.

use super::ConfigError;
use super::error::Problems;
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
        let mut problems = Problems::default();
        let algorithms = problems.take(algorithms(&settings.signing_algorithms));
        let mut duration = |name: &str, text: &str| {
            problems.take(text.parse::<Duration>().map_err(|wrong| ConfigError::setting(name, wrong)))
        };
        let lead = duration("signing_key_lead", &settings.signing_key_lead);
        let rotation = duration("signing_key_rotation", &settings.signing_key_rotation);
        let has_lead = lead.is_none_or(|lead| lead >= Duration::seconds(1));
        problems.require(has_lead, "signing_key_lead", "must be at least 1s");
        let fits = lead.zip(rotation).is_none_or(|(lead, rotation)| rotation == Duration::ZERO || rotation > lead);
        problems.require(fits, "signing_key_rotation", "must be longer than signing_key_lead, or 0s for never");
        problems.finish(|| Some(Self { algorithms: algorithms?, lead: lead?, rotation: rotation? }))
    }
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, ConfigError> {
    let wrong = |wrong| ConfigError::setting("signing_algorithms", wrong);
    let mut algorithms: Vec<Algorithm> =
        names.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(wrong)?;
    algorithms.sort();
    algorithms.dedup();
    if algorithms.is_empty() { Err(wrong("must name at least one")) } else { Ok(algorithms) }
}
