//! The set of scopes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Scope, check};

/// Most scope tokens in one set.
pub const SCOPES_MAX: usize = 100;
/// Most characters of a printed set. With these and the longest audiences, a token stays below the 8 KiB that verifiers
/// read.
pub(super) const TEXT_MAX: usize = 3072;

const TOO_LONG: &str = "must have at most 3072 characters in all";

/// A set of scopes, sorted and without duplicates. Printed with single spaces, as in RFC 6749 §3.3.
///
/// The scopes share the printed text, so that printing a set neither copies nor allocates, and a set has two
/// allocations for any number of scopes. Clones share both.
#[derive(Clone, Default)]
pub struct Scopes(Arc<[Scope]>);

impl Scopes {
    /// Creates the set of `scopes`; order and repetition do not matter.
    ///
    /// # Errors
    /// There are more than 100 different scopes, or more than 3072 characters.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, &'static str> {
        let all: Vec<Scope> = scopes.into_iter().collect();
        Self::of(all.iter().map(Scope::as_str).collect())
    }

    /// Creates the set of scope tokens that were checked before.
    pub(super) fn of(mut texts: Vec<&str>) -> Result<Self, &'static str> {
        texts.sort_unstable();
        texts.dedup();
        if texts.len() > SCOPES_MAX {
            return Err("must have at most 100 scopes");
        }
        if texts.iter().map(|text| text.len() + 1).sum::<usize>() > TEXT_MAX + 1 {
            return Err(TOO_LONG);
        }
        let joined: Arc<str> = texts.join(" ").into();
        let mut start = 0;
        let scopes = texts.iter().map(|text| {
            let end = start + u16::try_from(text.len())?;
            let scope = Scope { text: Arc::clone(&joined), start, end };
            start = end + 1;
            Ok(scope)
        });
        let scopes: Result<_, std::num::TryFromIntError> = scopes.collect();
        scopes.map(Self).map_err(|_| TOO_LONG)
    }

    /// Returns the scopes in alphabetical order.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// Returns the scopes in alphabetical order, separated by single spaces.
    pub fn as_str(&self) -> &str {
        self.0.first().map_or("", |first| &first.text)
    }

    /// Returns `true` if the set has no scopes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if any scope of this set covers `required`.
    pub fn cover(&self, required: &Scope) -> bool {
        self.iter().any(|granted| granted.covers(required))
    }

    /// Returns `true` if any scope of this set covers the management permission `required`.
    pub fn cover_permission(&self, required: &str) -> bool {
        self.iter().any(|granted| sealwright_scope::covers(granted.as_str(), required))
    }

    /// Returns `true` if this set covers every scope of `required`.
    pub fn cover_all(&self, required: &Scopes) -> bool {
        required.iter().all(|scope| self.cover(scope))
    }

    /// Returns the scopes of this set that `others` cover.
    #[must_use]
    pub fn covered_by(&self, others: &Scopes) -> Scopes {
        let covered: Vec<&str> = self.iter().filter(|scope| others.cover(scope)).map(Scope::as_str).collect();
        if covered.len() == self.0.len() {
            return self.clone();
        }
        // A subset is never too large; if it were, it would grant nothing.
        Self::of(covered).unwrap_or_default()
    }

    /// Returns `true` if the set has a management permission.
    pub fn has_management(&self) -> bool {
        self.iter().any(Scope::is_management)
    }
}

impl PartialEq for Scopes {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Scopes {}

impl<'s> IntoIterator for &'s Scopes {
    type Item = &'s Scope;
    type IntoIter = std::slice::Iter<'s, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromStr for Scopes {
    type Err = &'static str;

    /// Parses `scope-token *( SP scope-token )`: single spaces, none at either end. An empty text is an error.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let texts: Result<Vec<&str>, _> = text.split(' ').map(|text| check(text).map(|()| text)).collect();
        Self::of(texts?)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scope_lists_are_strict_and_collapse_duplicates() {
        assert_eq!("b a b".parse::<Scopes>().unwrap().to_string(), "a b");
        for text in ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "ä", "sealwright.unknown:read", "sealwright."]
        {
            assert!(text.parse::<Scopes>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_set_has_at_most_100_scopes_and_3072_characters() {
        let set = |count: usize, length: usize| {
            let scopes: Vec<String> = (0..count).map(|number| format!("{number:0length$}")).collect();
            scopes.join(" ").parse::<Scopes>()
        };
        assert_eq!(set(100, 3).unwrap().iter().count(), 100);
        assert_eq!(set(101, 3).unwrap_err(), "must have at most 100 scopes");
        assert_eq!(set(24, 127).unwrap().as_str().len(), 24 * 128 - 1);
        assert_eq!(set(25, 127).unwrap_err(), "must have at most 3072 characters in all");
    }

    #[test]
    fn a_set_is_printed_from_one_shared_text() {
        let scopes: Scopes = "orders:read admin orders:*".parse().unwrap();
        assert_eq!(scopes.as_str(), "admin orders:* orders:read");
        assert_eq!(scopes.iter().map(Scope::as_str).collect::<Vec<_>>(), ["admin", "orders:*", "orders:read"]);
        assert!(scopes.iter().all(|scope| std::ptr::eq(&raw const *scope.text, scopes.as_str())));
        assert_eq!(Scopes::default().as_str(), "");
        assert_eq!(Scopes::new(scopes.iter().cloned()).unwrap(), scopes);
    }

    #[test]
    fn a_part_of_a_set_is_what_others_cover() {
        let scopes: Scopes = "orders:read orders:write read".parse().unwrap();
        for (others, left) in [("read", "orders:read read"), ("admin", "orders:read orders:write read"), ("x", "")] {
            assert_eq!(scopes.covered_by(&others.parse().unwrap()).as_str(), left, "{others}");
        }
        assert!(scopes.covered_by(&Scopes::default()).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_prints_as_it_was_read(text in "\\PC{0,40}") {
            if let Ok(scopes) = text.parse::<Scopes>() {
                prop_assert_eq!(scopes.to_string().parse::<Scopes>().unwrap(), scopes);
            }
        }
    }
}
