//! Converts options to the members of the JSON object that the API takes. An option that is not given is absent, and a
//! word such as `none` clears a field. The same reader then checks commands and requests, so that both are refused for
//! the same reasons.

use serde_json::{Map, Value};

use super::CliError;
use crate::domain::field_error::FieldError;
use crate::domain::time::{Duration, Timestamp};
use crate::view::input::Input;

/// The members of a request, collected from options.
#[derive(Debug, Default)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Adds a text, if it is given.
    #[must_use]
    pub fn text(self, name: &str, value: Option<String>) -> Self {
        self.add(name, value.map(Value::String))
    }

    /// Adds a text, if it is given; `word` clears the field.
    #[must_use]
    pub fn clearable(self, name: &str, value: Option<String>, word: &str) -> Self {
        self.add(name, value.map(|text| if text == word { Value::Null } else { Value::String(text) }))
    }

    /// Adds a list, if it has items; `word` alone clears the field.
    #[must_use]
    pub fn list(self, name: &str, items: Vec<String>, word: &str) -> Self {
        let value = match items.as_slice() {
            [] => None,
            [one] if one == word => Some(Value::Null),
            _ => Some(Value::from(items)),
        };
        self.add(name, value)
    }

    /// Adds a list of scopes as [`scopes`] reads them, if it has items; `word` alone clears the field.
    #[must_use]
    pub fn scopes(self, name: &str, options: Vec<String>, word: &str) -> Self {
        self.list(name, scopes(options), word)
    }

    /// Adds a list that has no items.
    #[must_use]
    pub fn empty_list(self, name: &str) -> Self {
        self.add(name, Some(Value::Array(vec![])))
    }

    /// Adds pairs `key=value`, if there are any: without a value, a pair is removed; `none` alone clears the field.
    ///
    /// # Errors
    /// One is not a pair, or a key is repeated.
    pub fn pairs(self, name: &str, items: &[String]) -> Result<Self, CliError> {
        if items.is_empty() {
            return Ok(self);
        }
        if items == ["none"] {
            return Ok(self.add(name, Some(Value::Null)));
        }
        let mut pairs = Map::new();
        for item in items {
            let wrong = |what: &str| CliError::Usage(format!("--{} {what}", option_name(name)));
            let (key, value) = item.split_once('=').ok_or_else(|| wrong("must be key=value, key= or none"))?;
            let value = if value.is_empty() { Value::Null } else { Value::from(value) };
            if pairs.insert(key.to_owned(), value).is_some() {
                return Err(wrong("names a key twice"));
            }
        }
        Ok(self.add(name, Some(Value::Object(pairs))))
    }

    /// Adds a whole number, if it is given; `word` clears the field. The reader refuses what is not a number.
    #[must_use]
    pub fn number(self, name: &str, value: Option<String>, word: &str) -> Self {
        let number = |text: String| text.parse::<i64>().map_or(Value::String(text), Value::from);
        self.add(name, value.map(|text| if text == word { Value::Null } else { number(text) }))
    }

    /// Adds a duration in seconds, if it is given.
    #[must_use]
    pub fn seconds(self, name: &str, value: Option<Duration>) -> Self {
        self.add(name, value.map(|duration| Value::from(duration.as_seconds())))
    }

    /// Adds the time at which a credential expires: after a duration, or at a time, which `never` clears.
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
    /// All invalid fields, by the names of their options.
    pub fn read<I: Input>(self) -> Result<I, CliError> {
        I::read(self.0).map_err(|errors| invalid(&errors))
    }
}

/// Splits options that name several scopes, separated by commas or spaces. One that names none is left empty, for the
/// reader to refuse.
pub fn scopes(options: Vec<String>) -> Vec<String> {
    let is_between = |letter: char| letter == ',' || letter.is_whitespace();
    let split = |option: String| {
        let named: Vec<String> =
            option.split(is_between).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        if named.is_empty() { vec![String::new()] } else { named }
    };
    options.into_iter().flat_map(split).collect()
}

/// Creates the error for invalid fields, by the names of their options.
pub fn invalid(errors: &[FieldError]) -> CliError {
    let named = errors.iter().map(|error| format!("--{} {}", option_name(&error.field), error.wrong));
    CliError::Invalid(named.collect::<Vec<_>>().join("; "))
}

/// Returns the name of the option for a field.
fn option_name(field: &str) -> String {
    match field {
        "scopes" => "scope".to_owned(),
        "default_scopes" => "default-scope".to_owned(),
        "audiences" => "audience".to_owned(),
        "allowed_ips" => "allow-ip".to_owned(),
        "customers" => "customer".to_owned(),
        "password" => "password-file".to_owned(),
        other => other.replace('_', "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_separated_by_commas_and_spaces() {
        let split = |options: &[&str]| scopes(options.iter().map(|option| (*option).to_owned()).collect());
        assert_eq!(split(&["a:read,b:read", "c d", " e , f,,\tg "]), ["a:read", "b:read", "c", "d", "e", "f", "g"]);
        assert_eq!(split(&["", ", ", "a"]), ["", "", "a"], "what names none is refused by the reader");
        assert!(split(&[]).is_empty());
    }
}
