//! Metadata: pairs of text that the company keeps with a credential or a customer, and that its APIs read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::patch::Patch;
use super::text::{self, checked_text};

/// Most pairs of an object.
pub const PAIRS_MAX: usize = 20;
/// Longest key, in characters.
pub const KEY_MAX: usize = 40;
/// Longest value, in characters.
pub const VALUE_MAX: usize = 500;

/// The error for too many pairs, as the end of a sentence.
pub const TOO_MANY: &str = "must have at most 20 pairs";

checked_text! {
    /// The key of a pair: 1 to 40 characters, no control characters, no white space at either end.
    MetadataKey by key;
    /// The value of a pair: at most 500 characters, no control characters.
    MetadataValue by value;
}

fn key(text: &str) -> Result<&str, &'static str> {
    if text.is_empty() || text.chars().count() > KEY_MAX {
        return Err("must have keys of 1 to 40 characters");
    }
    if !text::is_visible(text) || text.trim() != text {
        return Err("must have keys without control characters, and without white space at either end");
    }
    Ok(text)
}

fn value(text: &str) -> Result<&str, &'static str> {
    if text.chars().count() > VALUE_MAX {
        return Err("must have values of at most 500 characters");
    }
    if !text::is_visible(text) {
        return Err("must have values without control characters");
    }
    Ok(text)
}

/// The pairs of an object, by their keys. Cheap to clone; most objects have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Arc<BTreeMap<MetadataKey, MetadataValue>>>);

/// Changes to pairs, by their keys: a new value, or `None` to remove the pair.
pub type MetadataChanges = BTreeMap<MetadataKey, Option<MetadataValue>>;

impl Metadata {
    /// Returns the pairs, ordered by key.
    pub fn pairs(&self) -> impl Iterator<Item = (&MetadataKey, &MetadataValue)> {
        self.0.iter().flat_map(|pairs| pairs.iter())
    }

    /// Returns the pairs after a change to the whole field: nothing, no pairs, or what [`Metadata::merged`] makes.
    ///
    /// # Errors
    /// There would be too many, as the end of a sentence.
    pub fn patched(&self, changes: Patch<MetadataChanges>) -> Result<Self, &'static str> {
        match changes {
            Patch::Keep => Ok(self.clone()),
            Patch::Clear => Ok(Self::default()),
            Patch::Set(changes) => self.merged(changes),
        }
    }

    /// Returns the pairs after `changes`. Pairs that `changes` does not name stay.
    ///
    /// # Errors
    /// There would be too many, as the end of a sentence.
    pub fn merged(&self, changes: MetadataChanges) -> Result<Self, &'static str> {
        let mut pairs = self.0.as_deref().cloned().unwrap_or_default();
        for (key, value) in changes {
            match value {
                Some(value) => pairs.insert(key, value),
                None => pairs.remove(&key),
            };
        }
        if pairs.len() > PAIRS_MAX {
            return Err(TOO_MANY);
        }
        Ok(Self((!pairs.is_empty()).then(|| Arc::new(pairs))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(pairs: &[(&str, Option<&str>)]) -> MetadataChanges {
        let pair =
            |(key, value): &(&str, Option<&str>)| (key.parse().unwrap(), value.map(|text| text.parse().unwrap()));
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn changes_set_and_remove_single_pairs() {
        let first = Metadata::default().merged(changes(&[("a", Some("1")), ("b", Some("")), ("c", None)])).unwrap();
        let shown = |metadata: &Metadata| metadata.pairs().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        assert_eq!(shown(&first), ["a=1", "b="]);
        let second = first.merged(changes(&[("a", Some("2")), ("b", None)])).unwrap();
        assert_eq!(shown(&second), ["a=2"]);
        assert_eq!(second.merged(changes(&[("a", None)])).unwrap(), Metadata::default());
    }

    #[test]
    fn there_are_at_most_twenty_pairs_after_a_change() {
        let keys: Vec<String> = (0..=PAIRS_MAX).map(|n| n.to_string()).collect();
        let all: Vec<_> = keys.iter().map(|key| (key.as_str(), Some("x"))).collect();
        let full = Metadata::default().merged(changes(&all[..PAIRS_MAX])).unwrap();
        assert_eq!(full.merged(changes(&all[PAIRS_MAX..])), Err(TOO_MANY));
        assert!(full.merged(changes(&[("0", None), ("new", Some("x"))])).is_ok());
    }

    #[test]
    fn keys_and_values_are_bounded() {
        for (text, is_key, is_value) in [
            ("plan", true, true),
            ("", false, true),
            (&*"é".repeat(40), true, true),
            (&*"é".repeat(41), false, true),
            (&*"é".repeat(500), false, true),
            (&*"é".repeat(501), false, false),
            (" a", false, true),
            ("a\nb", false, false),
            ("a\u{202e}b", false, false),
        ] {
            let (key, value) = (text.parse::<MetadataKey>(), text.parse::<MetadataValue>());
            assert_eq!((key.is_ok(), value.is_ok()), (is_key, is_value), "{text:?}");
        }
    }
}
