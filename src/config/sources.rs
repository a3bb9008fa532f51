//! Where the value of each setting comes from.

use figment::{Figment, Metadata};
use serde::Serialize;

use super::ShownSetting;
use super::settings::{NAMES, PREFIX, Settings};

/// The source of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The built-in default.
    Default,
    /// The settings file.
    File,
    /// A `SEALWRIGHT_…` variable.
    Variable,
    /// An option of the command line.
    Flag,
}

/// Returns the source of a value.
fn source_of(metadata: &Metadata) -> Source {
    if metadata.name.contains("environment variable") {
        Source::Variable
    } else if metadata.name.contains("TOML") {
        Source::File
    } else if metadata.name.contains("Flags") {
        Source::Flag
    } else {
        Source::Default
    }
}

/// Names the file of a value, as errors do.
pub(super) fn in_file(metadata: &Metadata) -> String {
    metadata.source.as_ref().map_or_else(String::new, |source| format!(" (in {source})"))
}

/// Where the settings come from. It holds their values, and is never shown.
pub struct Sources(Figment);

impl Sources {
    /// Creates the sources of what `figment` has merged.
    pub(super) fn new(figment: Figment) -> Self {
        Self(figment)
    }

    /// Names the source of a setting, as errors do: its file, its variable or its option.
    pub fn place(&self, name: &str) -> String {
        let Some(metadata) = self.0.find_metadata(name) else { return String::new() };
        match source_of(metadata) {
            Source::File => in_file(metadata),
            Source::Variable => format!(" (variable {PREFIX}{})", name.replace('.', "__").to_uppercase()),
            Source::Flag => format!(" (option --{})", name.replace('_', "-")),
            Source::Default => String::new(),
        }
    }

    /// Returns the values that `config check` shows, secrets hidden.
    pub fn shown(&self, settings: &Settings) -> Vec<ShownSetting> {
        let values = serde_json::to_value(settings).unwrap_or_default();
        let mut shown: Vec<ShownSetting> = NAMES
            .into_iter()
            .chain(["log", "log_format"])
            .map(|name| ShownSetting {
                name,
                value: match name {
                    "database_url" => settings.database_url.as_deref().map(super::database::without_password).into(),
                    _ => values.get(name).cloned().unwrap_or_default(),
                },
                source: self.0.find_metadata(name).map_or(Source::Default, source_of),
                place: self.place(name),
            })
            .collect();
        shown.push(ShownSetting {
            name: "master_key",
            value: settings.master_key.as_ref().map(|_| "(hidden)").into(),
            source: if settings.master_key.is_some() { Source::Variable } else { Source::Default },
            place: String::new(),
        });
        shown
    }
}
