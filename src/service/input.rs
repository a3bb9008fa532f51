//! Fields as text from outside, read into values that cannot be wrong. All that is wrong is reported at once, field by field.

use crate::domain::environment::Environment;
use crate::domain::network::Networks;
use crate::domain::rate::LIMIT_MAX;
use crate::domain::scope::{SCOPES_MAX, Scope, Scopes};
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::service::error::{FieldError, ServiceError};

/// A field that can be left as it is, cleared, or set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Not mentioned.
    #[default]
    Keep,
    /// `null`: back to the default, or to none.
    Clear,
    /// Set.
    Set(T),
}

impl<T> Patch<T> {
    /// Reads what is set; what cannot be read is reported as `field` and kept.
    pub fn read<U>(
        self,
        field: &str,
        wrong: &mut Vec<FieldError>,
        read: impl FnOnce(T) -> Result<U, String>,
    ) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => match read(value) {
                Ok(value) => Patch::Set(value),
                Err(what) => {
                    wrong.push(FieldError::new(field, what));
                    Patch::Keep
                }
            },
        }
    }

    /// For fields whose cleared state is a value like others.
    pub fn or_cleared(self, cleared: T) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(cleared),
            Self::Set(value) => Some(value),
        }
    }

    /// For fields that cannot be cleared.
    pub fn required(self, field: &str, wrong: &mut Vec<FieldError>) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Clear => {
                wrong.push(FieldError::new(field, "must not be null"));
                None
            }
            Self::Set(value) => Some(value),
        }
    }

    /// What an optional field is afterwards.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// Scopes, at least one.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn scopes(list: &[String]) -> Result<Scopes, String> {
    if list.is_empty() {
        return Err("must name at least one scope".to_owned());
    }
    if list.len() > SCOPES_MAX {
        return Err(format!("must have at most {SCOPES_MAX} scopes"));
    }
    let scopes = list.iter().map(|text| text.parse::<Scope>().map_err(|what| format!("{what}: {}", shown(text))));
    Scopes::new(scopes.collect::<Result<Vec<_>, _>>()?).map_err(str::to_owned)
}

/// A limit.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn limit(value: i64) -> Result<u32, String> {
    u32::try_from(value)
        .ok()
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| format!("must be 1 to {LIMIT_MAX}, or null for unlimited"))
}

/// An offending entry, short and without control characters.
pub fn shown(text: &str) -> String {
    text::recordable(text, 60)
}

/// Addresses and CIDR blocks.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn networks(list: &[String]) -> Result<Networks, String> {
    Networks::parse(list.iter().map(String::as_str)).map_err(str::to_owned)
}

/// A time that is still to come.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn future(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let at: Timestamp = text.parse().map_err(str::to_owned)?;
    if at <= now { Err("must be in the future".to_owned()) } else { Ok(at) }
}

/// A text that a function of the domain checks.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn checked<T>(text: &str, check: impl FnOnce(&str) -> Result<T, &'static str>) -> Result<T, String> {
    check(text).map_err(str::to_owned)
}

/// Reads an environment's name.
///
/// # Errors
/// It is none.
pub fn environment(text: &str) -> Result<Environment, ServiceError> {
    text.parse().map_err(|wrong: &str| ServiceError::invalid("environment", wrong))
}

/// The fields of an error that names some; else one that has no name.
pub fn field_errors(error: ServiceError) -> Vec<FieldError> {
    match error {
        ServiceError::Invalid(fields) => fields,
        other => vec![FieldError::new("", other.to_string())],
    }
}
