//! What is wrong with the settings: all of it at once, each with its setting and where the value comes from.

/// Why the settings cannot be used, in one line that names each setting.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))]
pub struct ConfigError(Vec<Problem>);

/// What is wrong with one setting.
#[derive(Debug)]
struct Problem {
    /// The name in `sealwright.toml`, if it is that of one setting.
    setting: Option<String>,
    wrong: String,
    /// Where the value comes from, such as ` (in sealwright.toml)`.
    place: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(setting) = &self.setting {
            write!(f, "setting {setting}: ")?;
        }
        write!(f, "{}{}", self.wrong, self.place)
    }
}

impl ConfigError {
    /// Creates the error for one setting.
    pub(super) fn setting(name: impl Into<String>, wrong: impl std::fmt::Display) -> Self {
        Self(vec![Problem { setting: Some(name.into()), wrong: wrong.to_string(), place: String::new() }])
    }

    /// Creates an error that is not about one setting.
    pub(super) fn other(wrong: String) -> Self {
        Self(vec![Problem { setting: None, wrong, place: String::new() }])
    }

    /// The same with what `place` says of where each setting's value comes from.
    #[must_use]
    pub(super) fn placed(mut self, place: impl Fn(&str) -> String) -> Self {
        for problem in &mut self.0 {
            if let Some(setting) = &problem.setting {
                problem.place = place(setting);
            }
        }
        self
    }
}

/// Collects what is wrong with several settings, so that one error names them all. Of one setting the first counts:
/// a default has taken the place of a value that could not be read.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Returns the value, or keeps what is wrong with it.
    pub(super) fn take<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    fn add(&mut self, error: ConfigError) {
        for problem in error.0 {
            if problem.setting.is_none() || self.0.iter().all(|other| other.setting != problem.setting) {
                self.0.push(problem);
            }
        }
    }

    /// Keeps what is wrong with the setting `name`, unless `is_right`.
    pub(super) fn require(&mut self, is_right: bool, name: &str, wrong: impl std::fmt::Display) {
        if !is_right {
            self.add(ConfigError::setting(name, wrong));
        }
    }

    /// Returns what `build` makes of the values, if nothing is wrong.
    ///
    /// # Errors
    /// All that is wrong.
    pub(super) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, ConfigError> {
        if self.0.is_empty() { build().ok_or(ConfigError(vec![])) } else { Err(ConfigError(self.0)) }
    }
}
