//! Limiting scopes by the ceiling of a role.

use std::borrow::Cow;

use super::set::TEXT_MAX;
use super::{SCOPES_MAX, Scope, Scopes};

/// In the scopes of a role, allows every business scope with an action, such as `orders:read` and `orders:*`.
pub const ANY_RESOURCE: &str = "*:*";

impl Scopes {
    /// Returns the scopes that this set and a `ceiling` both allow. If no scope expresses that (a level under
    /// [`ANY_RESOURCE`]), it is left out: the result never allows more than either.
    #[must_use]
    pub fn cut_to(&self, ceiling: &Scopes) -> Scopes {
        if ceiling.allow_all(self) {
            return self.clone();
        }
        let both = self.iter().flat_map(|own| ceiling.iter().filter_map(|allowed| intersection(own, allowed)));
        let mut both: Vec<Cow<'_, str>> = both.collect();
        both.sort_unstable();
        both.dedup();
        both.truncate(SCOPES_MAX);
        let mut length = 0;
        both.retain(|text| {
            length += text.len() + 1;
            length <= TEXT_MAX + 1
        });
        Self::of(both.iter().map(AsRef::as_ref).collect()).unwrap_or_default()
    }

    /// Returns `true` if a credential under this ceiling may carry all of `scopes`.
    pub fn allow_all(&self, scopes: &Scopes) -> bool {
        scopes.iter().all(|scope| self.allow(scope))
    }

    /// Returns `true` if a credential under this ceiling may carry `scope`.
    fn allow(&self, scope: &Scope) -> bool {
        self.iter().any(|allowed| allowed.allows(scope))
    }
}

impl Scope {
    /// Returns `true` if this scope of a ceiling allows `scope`.
    fn allows(&self, scope: &Scope) -> bool {
        let is_of_any_resource =
            || !scope.is_management() && sealwright_scope::resource_and_action(scope.as_str()).is_some();
        self.covers(scope) || (self.as_str() == ANY_RESOURCE && is_of_any_resource())
    }

    /// Combines `x:*` and `read` to `x:read`, if that is a scope.
    fn of_level(&self, level: &Scope) -> Option<String> {
        let resource = sealwright_scope::wildcard_resource(self.as_str())?;
        let can_have_levels = !self.is_management() && sealwright_scope::is_level(level.as_str());
        let text = format!("{resource}:{level}");
        (can_have_levels && sealwright_scope::is_scope(&text)).then_some(text)
    }
}

/// Returns the scope that a granted scope and one of a ceiling both allow, if there is one.
fn intersection<'s>(own: &'s Scope, allowed: &'s Scope) -> Option<Cow<'s, str>> {
    if allowed.allows(own) {
        return Some(own.as_str().into());
    }
    if allowed.as_str() == ANY_RESOURCE {
        return None;
    }
    if own.covers(allowed) {
        return Some(allowed.as_str().into());
    }
    own.of_level(allowed).or_else(|| allowed.of_level(own)).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            ("orders: :read orders:read", "*:*", "orders:read"),
            ("orders:", "orders:* *:*", ""),
            ("orders:*", "admin", "orders:*"),
            ("sealwright.keys:*", "sealwright.keys:read", "sealwright.keys:read"),
            ("sealwright.admin", "sealwright.keys:* *:*", "sealwright.keys:*"),
            ("admin sealwright.keys:read", "admin", "admin"),
            ("sealwright.keys:read", "admin *:* read", ""),
            ("sealwright.keys:*", "read", ""),
        ] {
            let cut = own.parse::<Scopes>().unwrap().cut_to(&ceiling.parse().unwrap());
            assert_eq!(cut.as_str(), left, "{own} under {ceiling}");
        }
        assert!("read".parse::<Scopes>().unwrap().cut_to(&Scopes::default()).is_empty());
    }

    #[test]
    fn what_is_left_is_a_scope_again() {
        let own: Scopes = format!("{}:*", "a".repeat(126)).parse().unwrap();
        assert!(own.cut_to(&"delete".parse().unwrap()).is_empty());
        assert_eq!(own.cut_to(&"a:* delete admin".parse().unwrap()), own);
    }

    #[test]
    fn what_is_left_is_no_larger_than_a_set_may_be() {
        let set = |numbers: std::ops::Range<u32>, rest: &str| -> Scopes {
            numbers.map(|number| format!("{number:0>3}{rest}")).collect::<Vec<_>>().join(" ").parse().unwrap()
        };
        let left = set(0..100, ":*").cut_to(&"read write delete".parse().unwrap());
        assert_eq!(left.iter().count(), SCOPES_MAX);
        let long = "a".repeat(80);
        let left = set(0..35, &format!("{long}:*")).cut_to(&"delete read".parse().unwrap());
        assert!((2950..=TEXT_MAX).contains(&left.as_str().len()), "{}", left.as_str().len());
    }

    fn set_of(scope: &str) -> impl Strategy<Value = String> {
        prop::string::string_regex(&format!("({scope})( ({scope})){{0,2}}")).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_left_under_a_ceiling_allows_no_more_than_either(
            own in set_of(r"admin|read|write|a:read|a:\*|b:\*|b:x|b:|c|sealwright\.keys:\*|sealwright\.admin"),
            ceiling in set_of(r"admin|read|write|a:read|a:\*|\*:\*|b:y|b:|sealwright\.keys:read|sealwright\.admin"),
            required in r"(admin|read|write|c|[abd]:(read|write|x|y|\*|)|sealwright\.(keys:(read|write)|admin))",
        ) {
            let (own, ceiling): (Scopes, Scopes) = (own.parse().unwrap(), ceiling.parse().unwrap());
            let required: Scope = required.parse().unwrap();
            if own.cut_to(&ceiling).cover(&required) {
                prop_assert!(own.cover(&required) && ceiling.allow(&required));
            } else if !ceiling.iter().any(|scope| scope.as_str() == ANY_RESOURCE) {
                prop_assert!(!(own.cover(&required) && ceiling.cover(&required)), "{} {} {}", own, ceiling, required);
            }
        }
    }
}
