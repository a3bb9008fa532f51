//! The scopes that handlers require.

/// A type that names required scopes in a handler's signature, as in `Authorized<OrdersRead>`.
/// [`scopes!`](crate::scopes!) declares such types.
///
/// ```
/// use sealwright_resource_server::{RequiredScopes, scopes};
///
/// scopes! { Fulfil = "orders:write", "stock:write"; }
/// assert_eq!(Fulfil::SCOPES, ["orders:write", "stock:write"]);
/// ```
pub trait RequiredScopes: 'static {
    /// The scopes, all of which are required.
    const SCOPES: &'static [&'static str];
}

/// Requires a valid credential and no scope.
///
/// ```
/// use sealwright_resource_server::{AnyCaller, Authorized};
///
/// async fn whoami(caller: Authorized<AnyCaller>) -> String {
///     caller.credential.clone()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum AnyCaller {}

impl RequiredScopes for AnyCaller {
    const SCOPES: &'static [&'static str] = &[];
}

/// Declares types that name required scopes. A text that is not a scope token (RFC 6749 section 3.3) does not compile.
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
            "a scope is 1 to 128 visible ASCII characters without quotation mark, backslash and space"
        );
    )+};
}

/// Returns whether all of these are scope tokens, for [`scopes!`](crate::scopes!).
#[doc(hidden)]
pub const fn are_scopes(scopes: &[&str]) -> bool {
    // A constant function has no iterators.
    let mut index = 0;
    while index < scopes.len() {
        if !sealwright_scope::is_scope(scopes[index]) {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_checked() {
        let endless = "a".repeat(129);
        for scope in ["orders:read", "a", "!", "~"] {
            assert!(are_scopes(&["orders:read", scope]), "{scope}");
        }
        for scope in ["", "orders read", "\"", "\\", "é", "a\n", &endless] {
            assert!(!are_scopes(&["orders:read", scope]), "{scope:?}");
            assert!(!are_scopes(&[scope, "orders:read"]), "{scope:?}");
        }
    }
}
