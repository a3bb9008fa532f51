//! Options as members of the JSON object that the API takes: what is not named is absent, and a word clears. The same
//! reader then judges both, so that a command and a request are refused for the same reasons.

use serde_json::{Map, Value};

use super::CliError;
use crate::domain::field_error::FieldError;
use crate::domain::time::{Duration, Timestamp};
use crate::view::input::Input;

/// The members that options name.
#[derive(Debug, Default)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Adds a setting, if it is named.
    #[must_use]
    pub fn text(self, name: &str, value: Option<String>) -> Self {
        self.add(name, value.map(Value::String))
    }

    /// Adds a setting, if it is named; `word` clears it.
    #[must_use]
    pub fn clearable(self, name: &str, value: Option<String>, word: &str) -> Self {
        self.add(name, value.map(|text| if text == word { Value::Null } else { Value::String(text) }))
    }

    /// Adds a list, if it has items; `word` alone clears it.
    #[must_use]
    pub fn list(self, name: &str, items: Vec<String>, word: &str) -> Self {
        let value = match items.as_slice() {
            [] => None,
            [one] if one == word => Some(Value::Null),
            _ => Some(Value::from(items)),
        };
        self.add(name, value)
    }

    /// Adds a list without items.
    #[must_use]
    pub fn empty_list(self, name: &str) -> Self {
        self.add(name, Some(Value::Array(vec![])))
    }

    /// Adds a whole number, if it is named; `word` clears it. What is no number is left to the reader to refuse.
    #[must_use]
    pub fn number(self, name: &str, value: Option<String>, word: &str) -> Self {
        let number = |text: String| text.parse::<i64>().map_or(Value::String(text), Value::from);
        self.add(name, value.map(|text| if text == word { Value::Null } else { number(text) }))
    }

    /// Adds seconds, if a duration is named.
    #[must_use]
    pub fn seconds(self, name: &str, value: Option<Duration>) -> Self {
        self.add(name, value.map(|duration| Value::from(duration.as_seconds())))
    }

    /// Adds when something ends: after a duration, or at a time, which `never` clears.
    ///
    /// # Errors
    /// The duration is zero.
    pub fn end(
        self,
        name: &str,
        after: Option<Duration>,
        at: Option<String>,
        now: Timestamp,
    ) -> Result<Self, CliError> {
        match after {
            Some(Duration::ZERO) => Err(CliError::Usage("--expires-in must be longer than zero".to_owned())),
            Some(duration) => Ok(self.text(name, Some(now.plus(duration).to_string()))),
            None => Ok(self.clearable(name, at, "never")),
        }
    }

    fn add(mut self, name: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// Reads the members as an input of the API.
    ///
    /// # Errors
    /// Everything that is wrong, by the names of the options.
    pub fn read<I: Input>(self) -> Result<I, CliError> {
        I::read(self.0).map_err(|errors| invalid(&errors))
    }
}

/// Invalid fields, by the names of their options.
pub fn invalid(errors: &[FieldError]) -> CliError {
    let named = errors.iter().map(|error| format!("--{} {}", option_name(&error.field), error.wrong));
    CliError::Usage(named.collect::<Vec<_>>().join("; "))
}

/// How the command line names a field.
fn option_name(field: &str) -> String {
    match field {
        "scopes" => "scope".to_owned(),
        "default_scopes" => "default-scope".to_owned(),
        "audiences" => "audience".to_owned(),
        "allowed_ips" => "allow-ip".to_owned(),
        "customers" => "customer".to_owned(),
        other => other.replace('_', "-"),
    }
}
