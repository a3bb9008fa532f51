//! The rule of what covers what.

/// The scope that covers every business scope.
///
/// ```
/// use sealwright_scope::{ADMIN, covers};
///
/// assert!(covers(ADMIN, "orders:read"));
/// assert!(!covers(ADMIN, "sealwright.keys:read"));
/// ```
pub const ADMIN: &str = "admin";

/// The levels. Each covers the action of its name on every resource, and no other level.
///
/// ```
/// use sealwright_scope::{LEVELS, covers};
///
/// assert!(LEVELS.iter().all(|level| covers(level, &format!("orders:{level}"))));
/// ```
pub const LEVELS: [&str; 3] = ["read", "write", "delete"];

/// The beginning of every management permission.
///
/// ```
/// use sealwright_scope::{MANAGEMENT_PREFIX, is_management};
///
/// assert!(is_management(&format!("{MANAGEMENT_PREFIX}keys:read")));
/// ```
pub const MANAGEMENT_PREFIX: &str = "sealwright.";

/// The scope that covers every management permission, and no business scope.
///
/// ```
/// use sealwright_scope::{MANAGEMENT_ADMIN, covers};
///
/// assert!(covers(MANAGEMENT_ADMIN, "sealwright.keys:read"));
/// assert!(!covers(MANAGEMENT_ADMIN, "orders:read"));
/// ```
pub const MANAGEMENT_ADMIN: &str = "sealwright.admin";

/// Returns whether the scope `granted` covers the scope `required`.
///
/// Both texts are compared as they are: use [`check`](crate::check) for text that may not be a scope token.
///
/// ```
/// use sealwright_scope::covers;
///
/// assert!(covers("orders:read", "orders:read"));
/// assert!(covers("read", "orders:read"));
/// assert!(covers("orders:*", "orders:read"));
/// assert!(!covers("orders:*", "orders:"));
/// assert!(covers("sealwright.keys:*", "sealwright.keys:read"));
/// assert!(!covers("read", "sealwright.keys:read"));
/// ```
pub fn covers(granted: &str, required: &str) -> bool {
    if granted == required {
        return true;
    }
    if is_management(required) {
        // Only a management permission is a wildcard that begins with the management prefix.
        return granted == MANAGEMENT_ADMIN || covers_as_wildcard(granted, required);
    }
    granted == ADMIN || covers_as_level(granted, required) || covers_as_wildcard(granted, required)
}

fn covers_as_level(granted: &str, required: &str) -> bool {
    is_level(granted) && resource_and_action(required).is_some_and(|(_, action)| action == granted)
}

fn covers_as_wildcard(granted: &str, required: &str) -> bool {
    wildcard_resource(granted)
        .and_then(|resource| required.strip_prefix(resource))
        .is_some_and(|rest| rest.starts_with(':') && resource_and_action(required).is_some())
}

/// Returns whether a scope is a management permission rather than a business scope.
///
/// ```
/// use sealwright_scope::is_management;
///
/// assert!(is_management("sealwright.keys:read"));
/// assert!(!is_management("orders:read"));
/// ```
pub fn is_management(scope: &str) -> bool {
    scope.starts_with(MANAGEMENT_PREFIX)
}

/// Returns whether a scope is a level: `read`, `write` or `delete`.
///
/// ```
/// use sealwright_scope::is_level;
///
/// assert!(is_level("read"));
/// assert!(!is_level("admin") && !is_level("orders:read"));
/// ```
pub fn is_level(scope: &str) -> bool {
    LEVELS.contains(&scope)
}

/// Splits a scope at its last colon into resource and action. Returns `None` if the scope has no action: it has no
/// colon, or it begins or ends with one.
///
/// ```
/// use sealwright_scope::resource_and_action;
///
/// assert_eq!(resource_and_action("orders:read"), Some(("orders", "read")));
/// assert_eq!(resource_and_action("eu:orders:read"), Some(("eu:orders", "read")));
/// assert_eq!(resource_and_action("orders:"), None);
/// assert_eq!(resource_and_action(":read"), None);
/// ```
pub fn resource_and_action(scope: &str) -> Option<(&str, &str)> {
    let (resource, action) = scope.rsplit_once(':')?;
    let has_action = !resource.is_empty() && !resource.starts_with(':') && !action.is_empty();
    has_action.then_some((resource, action))
}

/// Returns the resource of a wildcard: `orders` of `orders:*`.
///
/// ```
/// use sealwright_scope::wildcard_resource;
///
/// assert_eq!(wildcard_resource("orders:*"), Some("orders"));
/// assert_eq!(wildcard_resource("orders:read"), None);
/// assert_eq!(wildcard_resource(":*"), None);
/// ```
pub fn wildcard_resource(scope: &str) -> Option<&str> {
    resource_and_action(scope).filter(|(_, action)| *action == "*").map(|(resource, _)| resource)
}
