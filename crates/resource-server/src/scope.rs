//! Scopes that handlers require, and what covers them.

/// The prefix of Sealwright's own management permissions, which no business scope covers.
const MANAGEMENT: &str = "sealwright.";
const LEVELS: [&str; 3] = ["read", "write", "delete"];

/// Whether the scope `granted` covers `required`.
///
/// A scope covers itself. `admin` covers every business scope; a level (`read`, `write`, `delete`) covers that action on
/// every resource; `orders:*` covers every action on orders. Levels do not imply one another. Scopes that begin with
/// `sealwright.` are covered only by themselves, by their own `sealwright.clients:*`, and by `sealwright.admin`.
pub fn covers(granted: &str, required: &str) -> bool {
    if granted == required {
        return true;
    }
    let by_wildcard = || {
        granted.strip_suffix('*').is_some_and(|prefix| {
            prefix.len() > 1 && prefix.ends_with(':') && required.len() > prefix.len() && required.starts_with(prefix)
        })
    };
    if required.starts_with(MANAGEMENT) {
        return granted == "sealwright.admin" || by_wildcard();
    }
    let by_level = || {
        let resource = required.strip_suffix(granted).and_then(|rest| rest.strip_suffix(':'));
        LEVELS.contains(&granted) && resource.is_some_and(|resource| !resource.is_empty())
    };
    granted == "admin" || by_level() || by_wildcard()
}

/// A type that stands for scopes in a handler's signature, as in `Authorized<OrdersRead>`. Made by [`scopes!`](crate::scopes!).
pub trait RequiredScopes: 'static {
    /// The scopes, all of which are needed.
    const SCOPES: &'static [&'static str];
}

/// Requires no scope, only a credential that is in force: `Authorized<AnyCaller>`.
#[derive(Clone, Copy, Debug)]
pub enum AnyCaller {}

impl RequiredScopes for AnyCaller {
    const SCOPES: &'static [&'static str] = &[];
}

/// Makes types that stand for scopes. What is no scope (RFC 6749 section 3.3) does not compile.
///
/// ```
/// sealwright_resource_server::scopes! {
///     OrdersRead = "orders:read";
///     /// Moves goods from the stock into an order.
///     pub Fulfil = "orders:write", "stock:write";
/// }
/// ```
///
/// ```compile_fail
/// sealwright_resource_server::scopes! { OrdersRead = "orders read"; }
/// ```
#[macro_export]
macro_rules! scopes {
    ($($(#[$meta:meta])* $visibility:vis $name:ident = $($scope:literal),+;)+) => {$(
        $(#[$meta])*
        #[doc = concat!("Requires", $(" `", $scope, "`",)+ ".")]
        #[derive(Clone, Copy, Debug)]
        $visibility enum $name {}

        impl $crate::RequiredScopes for $name {
            const SCOPES: &'static [&'static str] = &[$($scope),+];
        }

        const _: () = assert!(
            $crate::are_scopes(<$name as $crate::RequiredScopes>::SCOPES),
            "a scope is visible ASCII without quotation mark, backslash and space"
        );
    )+};
}

/// Whether these are scope tokens (RFC 6749 section 3.3), for [`scopes!`](crate::scopes!).
#[doc(hidden)]
pub const fn are_scopes(scopes: &[&str]) -> bool {
    let mut at = 0;
    while at < scopes.len() {
        let bytes = scopes[at].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            if !matches!(bytes[byte], 0x21 | 0x23..=0x5b | 0x5d..=0x7e) {
                return false;
            }
            byte += 1;
        }
        if bytes.is_empty() {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_follows_the_rules() {
        const TABLE: [(&str, &str, bool); 34] = [
            ("orders:read", "orders:read", true),
            ("orders:read", "orders:write", false),
            ("orders:read", "invoices:read", false),
            ("orders:read", "Orders:read", false),
            ("orders:read", "read", false),
            ("read", "read", true),
            ("read", "orders:read", true),
            ("read", "eu:orders:read", true),
            ("read", "orders:write", false),
            ("read", "orders:spread", false),
            ("read", ":read", false),
            ("read", "orders:*", false),
            ("write", "orders:read", false),
            ("write", "read", false),
            ("delete", "orders:delete", true),
            ("list", "orders:list", false),
            ("admin", "orders:read", true),
            ("admin", "read", true),
            ("admin", "anything", true),
            ("orders:admin", "orders:read", false),
            ("orders:*", "orders:read", true),
            ("orders:*", "orders:eu:read", true),
            ("orders:*", "orders:", false),
            ("orders:*", "orders", false),
            ("orders:*", "preorders:read", false),
            ("order:*", "orders:read", false),
            ("orders*", "orders:read", false),
            ("*", "orders:read", false),
            (":*", ":read", false),
            ("", "orders:read", false),
            ("admin", "sealwright.clients:read", false),
            ("read", "sealwright.clients:read", false),
            ("sealwright.admin", "orders:read", false),
            ("sealwright.clients:*", "sealwright.keys:read", false),
        ];
        for (granted, required, expected) in TABLE {
            assert_eq!(covers(granted, required), expected, "{granted} -> {required}");
        }
        for granted in ["sealwright.clients:read", "sealwright.clients:*", "sealwright.admin"] {
            assert!(covers(granted, "sealwright.clients:read"), "{granted}");
        }
    }

    #[test]
    fn scopes_are_checked() {
        for scope in ["orders:read", "a", "!", "~"] {
            assert!(are_scopes(&[scope]), "{scope}");
        }
        for scope in ["", "orders read", "\"", "\\", "é", "a\n"] {
            assert!(!are_scopes(&["orders:read", scope]), "{scope:?}");
        }
    }
}
