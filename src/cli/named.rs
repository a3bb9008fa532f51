//! Options as fields: what was not named stays, and a word clears.

use super::CliError;
use crate::clock;
use crate::domain::time::Duration;
use crate::service::input::Patch;

/// A named list, if it was named; `word` alone clears it.
pub fn list(items: Vec<String>, word: &str) -> Patch<Vec<String>> {
    match items.as_slice() {
        [] => Patch::Keep,
        [one] if one == word => Patch::Clear,
        _ => Patch::Set(items),
    }
}

/// A setting that `word` clears.
pub fn text(value: Option<String>, word: &str) -> Patch<String> {
    match value {
        None => Patch::Keep,
        Some(value) if value == word => Patch::Clear,
        Some(value) => Patch::Set(value),
    }
}

/// A limit, which `unlimited` clears.
pub fn limit(name: &str, value: Option<String>) -> Result<Patch<i64>, CliError> {
    match text(value, "unlimited") {
        Patch::Keep => Ok(Patch::Keep),
        Patch::Clear => Ok(Patch::Clear),
        Patch::Set(number) => match number.parse() {
            Ok(number) => Ok(Patch::Set(number)),
            Err(_) => Err(CliError::Usage(format!("--{name} must be a number or unlimited"))),
        },
    }
}

/// When something ends: after a duration, or at a time, which `never` clears.
pub fn end(expires_in: Option<Duration>, expires_at: Option<String>) -> Result<Patch<String>, CliError> {
    match expires_in {
        Some(Duration::ZERO) => Err(CliError::Usage("--expires-in must be more than nothing".to_owned())),
        Some(duration) => Ok(Patch::Set(clock::now().plus(duration).to_string())),
        None => Ok(text(expires_at, "never")),
    }
}
