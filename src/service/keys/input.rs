//! What may be said of an API key, as text from outside, and reading it.

use crate::domain::api_key::Preset;
use crate::domain::ids::CustomerId;
use crate::domain::network::Networks;
use crate::domain::scope::Scopes;
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::service::error::{FieldError, ServiceError};
use crate::service::input::{Patch, checked, future, limit, networks, scopes};

/// The fields of a key as they come from outside; `Keep` means not mentioned.
#[derive(Clone, Debug, Default)]
pub struct KeyInput {
    /// Name.
    pub name: Patch<String>,
    /// Description.
    pub description: Patch<String>,
    /// Scopes.
    pub scopes: Patch<Vec<String>>,
    /// Scopes by one word.
    pub preset: Patch<String>,
    /// Addresses and CIDR blocks.
    pub allowed_ips: Patch<Vec<String>>,
    /// Requests a minute; cleared is unlimited.
    pub rate_per_minute: Patch<i64>,
    /// Requests at once; cleared is unlimited.
    pub burst_per_second: Patch<i64>,
    /// RFC 3339.
    pub expires_at: Patch<String>,
    /// Customers, by either of their ids.
    pub customers: Patch<Vec<String>>,
}

/// The same, read.
#[derive(Clone, Debug, Default)]
pub struct KeyPatch {
    /// Name; it cannot be cleared.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Scopes, named or by a preset; they cannot be cleared.
    pub scopes: Option<Scopes>,
    /// Where it may be used from.
    pub allowed_ips: Option<Networks>,
    /// Requests a minute.
    pub rate_per_minute: Patch<u32>,
    /// Requests at once.
    pub burst_per_second: Patch<u32>,
    /// When it ends.
    pub expires_at: Patch<Timestamp>,
    /// The customers that it is tied to, which take a query to read.
    pub customers: Option<Vec<CustomerId>>,
}

impl KeyInput {
    /// Reads every field.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub fn read(self, now: Timestamp) -> Result<KeyPatch, ServiceError> {
        let mut errors = Vec::new();
        let wrong = &mut errors;
        let named = self.scopes.read("scopes", wrong, |list| scopes(&list)).required("scopes", wrong);
        let preset = self
            .preset
            .read("preset", wrong, |text| text.parse::<Preset>().map_err(str::to_owned))
            .required("preset", wrong);
        let patch = KeyPatch {
            name: self.name.read("name", wrong, |value| checked(&value, text::name)).required("name", wrong),
            description: self
                .description
                .read("description", wrong, |value| checked(&value, text::description))
                .or_cleared(String::new()),
            scopes: by_name_or_preset(named, preset, wrong),
            allowed_ips: self
                .allowed_ips
                .read("allowed_ips", wrong, |list| networks(&list))
                .or_cleared(Networks::default()),
            rate_per_minute: self.rate_per_minute.read("rate_per_minute", wrong, limit),
            burst_per_second: self.burst_per_second.read("burst_per_second", wrong, limit),
            expires_at: self.expires_at.read("expires_at", wrong, |text| future(&text, now)),
            customers: None,
        };
        if errors.is_empty() { Ok(patch) } else { Err(ServiceError::Invalid(errors)) }
    }
}

/// A preset says the scopes, but `scoped`, which says that they are named.
fn by_name_or_preset(named: Option<Scopes>, preset: Option<Preset>, wrong: &mut Vec<FieldError>) -> Option<Scopes> {
    let Some(preset) = preset else { return named };
    match (preset.scopes(), &named) {
        (None, None) if !wrong.iter().any(|error| error.field == "scopes") => {
            wrong.push(FieldError::new("scopes", "is required with the preset scoped"));
            None
        }
        (None, _) => named,
        (Some(scopes), None) => Some(scopes),
        (Some(_), Some(_)) => {
            wrong.push(FieldError::new("preset", "must be scoped where scopes are named"));
            None
        }
    }
}

impl KeyPatch {
    /// Whether it changes nothing but words.
    pub fn is_only_words(&self) -> bool {
        matches!(
            self,
            Self {
                name: _,
                description: _,
                scopes: None,
                allowed_ips: None,
                rate_per_minute: Patch::Keep,
                burst_per_second: Patch::Keep,
                expires_at: Patch::Keep,
                customers: None,
            }
        )
    }
}
