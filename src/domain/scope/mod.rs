//! Scope tokens, sets of scopes, and the ceilings that limit sets. [`sealwright_scope`] decides which scope covers
//! another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::permission;
use super::text::refuse_secrets;

mod ceiling;
mod set;

pub use ceiling::ANY_RESOURCE;
pub use set::{SCOPES_MAX, Scopes};

/// One scope token (RFC 6749 §3.3): visible ASCII without `"` and `\`. Either a business scope (a level such as `read`,
/// or `resource:action`) or a management permission (`sealwright.…`, a closed list).
///
/// The scopes of one set share the set's text.
#[derive(Clone)]
pub struct Scope {
    text: Arc<str>,
    start: u16,
    end: u16,
}

impl Scope {
    /// Returns the scope as text.
    pub fn as_str(&self) -> &str {
        &self.text[usize::from(self.start)..usize::from(self.end)]
    }

    /// Returns `true` for a management permission, `false` for a business scope.
    pub fn is_management(&self) -> bool {
        sealwright_scope::is_management(self.as_str())
    }

    /// Returns `true` if a grant of `self` covers a requirement of `required`.
    pub fn covers(&self, required: &Scope) -> bool {
        sealwright_scope::covers(self.as_str(), required.as_str())
    }
}

/// Checks that a text is a scope token and, if it begins with `sealwright.`, a known management permission.
fn check(text: &str) -> Result<(), &'static str> {
    refuse_secrets(text)?;
    sealwright_scope::check(text).map_err(sealwright_scope::InvalidScope::as_str)?;
    if sealwright_scope::is_management(text) && !permission::is_known(text) {
        return Err("begins with sealwright. but is not a management permission");
    }
    Ok(())
}

impl FromStr for Scope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check(text)?;
        let end = u16::try_from(text.len()).map_err(|_| sealwright_scope::InvalidScope::Length.as_str())?;
        Ok(Self { text: text.into(), start: 0, end })
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Scope {}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn coverage_follows_the_vectors() {
        let mut decided = 0;
        for vector in sealwright_scope::vectors() {
            match (vector.granted.parse::<Scope>(), vector.required.parse::<Scope>()) {
                (Ok(granted), Ok(required)) => {
                    assert_eq!(granted.covers(&required), vector.covers, "{granted} covers {required}");
                    decided += 1;
                }
                // Not in the closed list.
                _ => assert!([vector.granted, vector.required].iter().any(|text| check(text).is_err())),
            }
        }
        assert!(decided > 150, "{decided}");
    }

    proptest! {
        #[test]
        fn no_business_scope_covers_a_management_permission(granted in "[a-z:*.]{1,12}") {
            if let Ok(scope) = granted.parse::<Scope>()
                && !scope.is_management() {
                for &name in permission::ALL {
                    prop_assert!(!scope.covers(&name.parse().unwrap()));
                }
            }
        }
    }
}
