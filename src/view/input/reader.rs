//! Reads the members of an object or a query string, and gathers what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::member::{Given, Member};
use super::schema::plain;
use crate::domain::field_error::FieldError;
use crate::domain::text::recordable;

/// Longest part of an unknown member's name that an error repeats, in bytes.
const UNKNOWN_NAME_MAX: usize = 60;

/// The members of an object or a query string that have not been read yet, and what was wrong so far.
pub struct Reader {
    members: BTreeMap<String, Given>,
    errors: Vec<FieldError>,
    unknown: &'static str,
}

impl Reader {
    pub fn of_object(members: Map<String, Value>) -> Self {
        let members = members.into_iter().map(|(name, value)| (name, Given::Json(value))).collect();
        Self { members, errors: vec![], unknown: "is not a field of this object" }
    }

    pub fn of_query(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut reader =
            Self { members: BTreeMap::new(), errors: vec![], unknown: "is not a parameter of this operation" };
        let mut seen = BTreeSet::new();
        for (name, text) in pairs {
            if !seen.insert(name.clone()) {
                reader.members.remove(&name);
                reader.fail(&name, "is repeated");
            } else if text.is_empty() {
                // A variable that was not set, perhaps: then more is asked for than is meant.
                reader.fail(&name, "must not be empty");
            } else {
                reader.members.insert(name, Given::Text(text));
            }
        }
        reader
    }

    /// Whether the member `name` was sent, and is not null.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|given| !given.is_null())
    }

    /// Whether the member `name` is this text.
    pub fn is(&self, name: &str, text: &str) -> bool {
        matches!(self.members.get(name), Some(Given::Json(Value::String(given)) | Given::Text(given)) if given == text)
    }

    /// Notes that the member `field` is invalid. Of several errors of one member the first counts.
    pub fn fail(&mut self, field: &str, detail: &str) {
        let field = recordable(field, UNKNOWN_NAME_MAX);
        if !self.errors.iter().any(|error| error.field == field) {
            self.errors.push(FieldError::new(field, detail));
        }
    }

    /// Reads the member `name`; `None` if it is invalid.
    pub fn take<M: Member>(&mut self, name: &'static str) -> Option<M::Value> {
        let name = plain(name);
        M::read(self.members.remove(name)).map_err(|detail| self.fail(name, &detail)).ok()
    }

    /// Done: what has not been read is unknown.
    pub fn finish<T>(mut self, input: Option<T>) -> Result<T, Vec<FieldError>> {
        for name in std::mem::take(&mut self.members).into_keys() {
            self.fail(&name, self.unknown);
        }
        match input {
            Some(input) if self.errors.is_empty() => Ok(input),
            _ => Err(self.errors),
        }
    }
}
