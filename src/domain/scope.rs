//! Scope tokens and what covers what.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::permission;

/// Longest scope token.
const SCOPE_MAX: usize = 128;
/// Most scope tokens in one set.
pub const SCOPES_MAX: usize = 100;
/// Most characters of a set as it is printed: with that many, and as many as audiences may have, a token stays below the
/// 8 KiB that verifiers read.
const TEXT_MAX: usize = 3072;

/// One scope token (RFC 6749 §3.3): visible ASCII without `"` and `\`. Either a business scope (a level such as `read`,
/// or `resource:action`) or a management permission (`sealwright.…`, a closed list).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

impl Scope {
    /// The scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a management permission rather than a business scope.
    pub fn is_management(&self) -> bool {
        permission::is_management(&self.0)
    }

    /// Whether a grant of `self` covers a requirement of `required`.
    ///
    /// Levels do not imply one another, and no business scope ever covers a management permission.
    pub fn covers(&self, required: &Scope) -> bool {
        let (granted, required_text) = (self.as_str(), required.as_str());
        if granted == required_text {
            return true;
        }
        if required.is_management() {
            return permission::covers(granted, required_text);
        }
        match granted {
            "admin" => true,
            "read" | "write" | "delete" => required_text
                .strip_suffix(granted)
                .is_some_and(|resource| resource.len() > 1 && resource.ends_with(':')),
            _ => granted
                .strip_suffix('*')
                .filter(|resource| resource.len() > 1 && resource.ends_with(':'))
                .is_some_and(|resource| required_text.starts_with(resource)),
        }
    }
}

impl FromStr for Scope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > SCOPE_MAX {
            return Err("must have 1 to 128 characters");
        }
        if !text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err("must be visible ASCII without quotation mark, backslash or space");
        }
        if permission::is_management(text) && !permission::is_known(text) {
            return Err("begins with sealwright. but is not a management permission");
        }
        Ok(Self(text.into()))
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

/// A set of scopes, sorted, each once. Printed with single spaces, as in RFC 6749 §3.3.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scopes(Arc<[Scope]>);

impl Scopes {
    /// The set of `scopes`; order and repetition do not matter.
    ///
    /// # Errors
    /// More than a hundred different scopes, or too many characters for a token.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, &'static str> {
        let mut all: Vec<Scope> = scopes.into_iter().collect();
        all.sort();
        all.dedup();
        if all.len() > SCOPES_MAX {
            return Err("must have at most 100 scopes");
        }
        if all.iter().map(|scope| scope.as_str().len() + 1).sum::<usize>() > TEXT_MAX + 1 {
            return Err("must have at most 3072 characters in all");
        }
        Ok(Self(all.into()))
    }

    /// The scopes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any scope of this set covers `required`.
    pub fn cover(&self, required: &Scope) -> bool {
        self.iter().any(|granted| granted.covers(required))
    }

    /// Whether any scope of this set covers the management permission `required`.
    pub fn cover_permission(&self, required: &str) -> bool {
        self.iter().any(|granted| granted.as_str() == required || permission::covers(granted.as_str(), required))
    }

    /// Whether every scope of `required` is covered.
    pub fn cover_all(&self, required: &Scopes) -> bool {
        required.iter().all(|scope| self.cover(scope))
    }

    /// Those of this set that `others` cover.
    #[must_use]
    pub fn covered_by(&self, others: &Scopes) -> Scopes {
        Self(self.iter().filter(|scope| others.cover(scope)).cloned().collect())
    }

    /// Whether the set has a management permission.
    pub fn has_management(&self) -> bool {
        self.iter().any(Scope::is_management)
    }
}

/// In the scopes of a role: every business scope that names a resource, such as `orders:read` and `orders:*`.
pub const ANY_RESOURCE: &str = "*:*";

impl Scopes {
    /// What is left of these scopes under a `ceiling`: what both allow. Where that cannot be said in scopes (a level under
    /// [`ANY_RESOURCE`]), nothing is left: the result never allows more than either.
    #[must_use]
    pub fn cut_to(&self, ceiling: &Scopes) -> Scopes {
        if self.iter().all(|own| ceiling.allow(own)) {
            return self.clone();
        }
        let mut both: Vec<Scope> =
            self.iter().flat_map(|own| ceiling.iter().filter_map(|allowed| meet(own, allowed))).collect();
        both.sort();
        both.dedup();
        let mut length = 0;
        both.truncate(SCOPES_MAX);
        both.retain(|scope| {
            length += scope.as_str().len() + 1;
            length <= TEXT_MAX + 1
        });
        Self(both.into())
    }

    /// Whether a credential under this ceiling may carry `scope`.
    fn allow(&self, scope: &Scope) -> bool {
        self.iter().any(|allowed| allowed.allows(scope))
    }

    /// Whether a credential under this ceiling may carry all of `scopes`.
    pub fn allow_all(&self, scopes: &Scopes) -> bool {
        scopes.iter().all(|scope| self.allow(scope))
    }
}

impl Scope {
    /// Whether as part of a ceiling it allows `scope` to be carried.
    fn allows(&self, scope: &Scope) -> bool {
        self.covers(scope) || (self.as_str() == ANY_RESOURCE && !scope.is_management() && scope.as_str().contains(':'))
    }

    /// `x:read` of `x:*` and `read`.
    fn of_level(&self, level: &Scope) -> Option<Scope> {
        let resource =
            self.as_str().strip_suffix('*').filter(|resource| resource.len() > 1 && resource.ends_with(':'))?;
        let action = level.as_str();
        let is_level = matches!(action, "read" | "write" | "delete") && !self.is_management();
        is_level.then(|| Scope(format!("{resource}{action}").into()))
    }
}

/// What a granted scope and one of a ceiling both allow, if that can be said in one scope.
fn meet(own: &Scope, allowed: &Scope) -> Option<Scope> {
    if allowed.allows(own) {
        return Some(own.clone());
    }
    if allowed.as_str() == ANY_RESOURCE {
        return None;
    }
    if own.covers(allowed) {
        return Some(allowed.clone());
    }
    own.of_level(allowed).or_else(|| allowed.of_level(own))
}

impl<'s> IntoIterator for &'s Scopes {
    type Item = &'s Scope;
    type IntoIter = std::slice::Iter<'s, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromStr for Scopes {
    type Err = &'static str;

    /// Reads `scope-token *( SP scope-token )`: single spaces, none at either end. An empty text is no set.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scopes: Result<Vec<Scope>, _> = text.split(' ').map(str::parse).collect();
        Self::new(scopes?)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
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

    fn covers(granted: &str, required: &str) -> bool {
        granted.parse::<Scope>().unwrap().covers(&required.parse().unwrap())
    }

    #[test]
    fn scope_matching_follows_the_table() {
        let table = [
            ("orders:read", "orders:read", true),
            ("orders:read", "orders:write", false),
            ("read", "read", true),
            ("read", "orders:read", true),
            ("write", "orders:read", false),
            ("write", "read", false),
            ("delete", "orders:delete", true),
            ("admin", "orders:read", true),
            ("admin", "read", true),
            ("read", "admin", false),
            ("orders:*", "orders:read", true),
            ("orders:*", "orders:*", true),
            ("orders:*", "invoices:read", false),
            ("orders:*", "ordersx:read", false),
            ("orders:*", "read", false),
            ("orders:*", "orders:", true),
            ("read", ":read", false),
            ("read", "spread", false),
            (":*", ":read", false),
            ("*", "orders:read", false),
            ("admin", "sealwright.clients:read", false),
            ("read", "sealwright.clients:read", false),
            ("write", "sealwright.clients:write", false),
            ("sealwright.clients:*", "sealwright.clients:write", true),
            ("sealwright.clients:*", "sealwright.keys:write", false),
            ("sealwright.clients:write", "sealwright.clients:read", false),
            ("sealwright.clients:read", "sealwright.clients:*", false),
            ("sealwright.admin", "sealwright.clients:*", true),
            ("sealwright.admin", "sealwright.keys:verify", true),
            ("sealwright.admin", "orders:read", false),
            ("sealwright.admin", "admin", false),
        ];
        for (granted, required, expected) in table {
            assert_eq!(covers(granted, required), expected, "{granted} covers {required}");
        }
    }

    #[test]
    fn a_ceiling_leaves_what_both_allow() {
        for (own, ceiling, left) in [
            ("orders:read", "read", "orders:read"),
            ("read", "orders:read", "orders:read"),
            ("read write", "read", "read"),
            ("admin", "read orders:*", "orders:* read"),
            ("read", "orders:*", "orders:read"),
            ("orders:*", "read write", "orders:read orders:write"),
            ("orders:* read", "orders:approve", "orders:approve"),
            ("orders:read", "invoices:read", ""),
            ("orders:* orders:approve read", "read write delete *:*", "orders:* orders:approve read"),
            ("admin", "read write delete *:*", "delete read write"),
            ("read", "*:*", ""),
            ("invoices", "*:*", ""),
            ("sealwright.keys:*", "sealwright.keys:read", "sealwright.keys:read"),
            ("sealwright.admin", "sealwright.keys:* *:*", "sealwright.keys:*"),
            ("admin sealwright.keys:read", "admin", "admin"),
            ("sealwright.keys:read", "admin *:* read", ""),
            ("sealwright.keys:*", "read", ""),
        ] {
            let cut = own.parse::<Scopes>().unwrap().cut_to(&ceiling.parse().unwrap());
            assert_eq!(cut.to_string(), left, "{own} under {ceiling}");
        }
        assert!("read".parse::<Scopes>().unwrap().cut_to(&Scopes::default()).is_empty());
    }

    #[test]
    fn scope_lists_are_strict_and_collapse_duplicates() {
        assert_eq!("b a b".parse::<Scopes>().unwrap().to_string(), "a b");
        for text in ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "ä", "sealwright.unknown:read", "sealwright."]
        {
            assert!(text.parse::<Scopes>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_prints_as_it_was_read(text in "\\PC{0,40}") {
            if let Ok(scopes) = text.parse::<Scopes>() {
                prop_assert_eq!(scopes.to_string().parse::<Scopes>().unwrap(), scopes);
            }
        }

        #[test]
        fn what_is_left_under_a_ceiling_allows_no_more_than_either(
            own in r"(admin|read|write|a:read|a:\*|b:\*|b:x|sealwright\.keys:\*|sealwright\.admin)( (read|a:write|b:\*|c)){0,2}",
            ceiling in r"(admin|read|write|a:read|a:\*|\*:\*|b:y|sealwright\.keys:read|sealwright\.admin)( (read|a:x|b:\*|c)){0,2}",
            required in r"(admin|read|write|c|[abd]:(read|write|x|y|\*)|sealwright\.keys:(read|write)|sealwright\.admin)",
        ) {
            let (own, ceiling): (Scopes, Scopes) = (own.parse().unwrap(), ceiling.parse().unwrap());
            let required: Scope = required.parse().unwrap();
            if own.cut_to(&ceiling).cover(&required) {
                prop_assert!(own.cover(&required) && ceiling.allow(&required));
            } else if !ceiling.iter().any(|scope| scope.as_str() == ANY_RESOURCE) {
                prop_assert!(!(own.cover(&required) && ceiling.cover(&required)), "{} {} {}", own, ceiling, required);
            }
        }

        #[test]
        fn no_business_scope_covers_a_management_permission(granted in "[a-z:*.]{1,12}") {
            if let Ok(scope) = granted.parse::<Scope>()
                && !scope.is_management() {
                for name in permission::ALL {
                    prop_assert!(!scope.covers(&name.parse().unwrap()));
                }
            }
        }
    }
}
