//! Management permissions: the closed list of scopes that begin with `sealwright.`.

use sealwright_scope::{MANAGEMENT_PREFIX, wildcard_resource};

/// Covers every management permission, and no business scope.
pub const ADMIN: &str = sealwright_scope::MANAGEMENT_ADMIN;
/// Read OAuth clients.
pub const CLIENTS_READ: &str = "sealwright.clients:read";
/// Create and change OAuth clients.
pub const CLIENTS_WRITE: &str = "sealwright.clients:write";
/// Read API keys, never their values.
pub const KEYS_READ: &str = "sealwright.keys:read";
/// Create and change API keys.
pub const KEYS_WRITE: &str = "sealwright.keys:write";
/// Verify API keys.
pub const KEYS_VERIFY: &str = "sealwright.keys:verify";
/// Read and write the clients and API keys of the caller's own owner, and no others.
pub const CREDENTIALS_OWN: &str = "sealwright.credentials:own";
/// Read customers.
pub const CUSTOMERS_READ: &str = "sealwright.customers:read";
/// Create and change customers.
pub const CUSTOMERS_WRITE: &str = "sealwright.customers:write";
/// Read users.
pub const USERS_READ: &str = "sealwright.users:read";
/// Create and change users.
pub const USERS_WRITE: &str = "sealwright.users:write";
/// Read roles.
pub const ROLES_READ: &str = "sealwright.roles:read";
/// Create and change roles.
pub const ROLES_WRITE: &str = "sealwright.roles:write";
/// Read the scope registry.
pub const SCOPES_READ: &str = "sealwright.scopes:read";
/// Change the scope registry.
pub const SCOPES_WRITE: &str = "sealwright.scopes:write";
/// Read signing keys (never their private halves).
pub const SIGNING_KEYS_READ: &str = "sealwright.signing-keys:read";
/// Rotate and destroy signing keys.
pub const SIGNING_KEYS_WRITE: &str = "sealwright.signing-keys:write";
/// Read the audit log.
pub const AUDIT_READ: &str = "sealwright.audit:read";
/// Introspect every token of the environment.
pub const TOKENS_INTROSPECT: &str = "sealwright.tokens:introspect";
/// Read `/metrics` from elsewhere than loopback.
pub const METRICS_READ: &str = "sealwright.metrics:read";

/// Every permission that a credential can be granted, except the `…:*` forms.
pub const ALL: [&str; 28] = [
    ADMIN,
    CLIENTS_READ,
    CLIENTS_WRITE,
    KEYS_READ,
    KEYS_WRITE,
    KEYS_VERIFY,
    CREDENTIALS_OWN,
    CUSTOMERS_READ,
    CUSTOMERS_WRITE,
    USERS_READ,
    USERS_WRITE,
    ROLES_READ,
    ROLES_WRITE,
    SCOPES_READ,
    SCOPES_WRITE,
    SIGNING_KEYS_READ,
    SIGNING_KEYS_WRITE,
    AUDIT_READ,
    "sealwright.usage:read",
    "sealwright.alerts:read",
    "sealwright.alerts:write",
    "sealwright.webhooks:read",
    "sealwright.webhooks:write",
    "sealwright.jobs:read",
    "sealwright.jobs:write",
    TOKENS_INTROSPECT,
    "sealwright.access-log:append",
    METRICS_READ,
];

/// The permissions that [`CREDENTIALS_OWN`] includes for the credentials of the caller's own owner.
const OF_CREDENTIALS: [&str; 4] = [CLIENTS_READ, CLIENTS_WRITE, KEYS_READ, KEYS_WRITE];

/// Returns `true` if [`CREDENTIALS_OWN`] includes `permission`, for the credentials of the caller's own owner.
pub fn is_of_credentials(permission: &str) -> bool {
    OF_CREDENTIALS.contains(&permission)
}

/// Management permissions that every client, and keys of every type, may carry. Only an owner or the command line can
/// give a client any other one, and only `internal` keys may carry it.
const DELEGABLE: [&str; 4] = ["keys:verify", "webhooks:", "jobs:", "access-log:append"];

/// Returns `true` if `scope` is in the closed list, or is the wildcard of a resource in it.
pub fn is_known(scope: &str) -> bool {
    let is_of_resource =
        |known: &&str, resource| known.strip_prefix(resource).is_some_and(|rest| rest.starts_with(':'));
    ALL.contains(&scope)
        || wildcard_resource(scope).is_some_and(|resource| ALL.iter().any(|known| is_of_resource(known, resource)))
}

/// Returns `true` if only the command line or an owner may give `scope` to a client, and only `internal` keys may carry
/// it.
pub fn is_reserved(scope: &str) -> bool {
    match scope.strip_prefix(MANAGEMENT_PREFIX) {
        Some(rest) => !DELEGABLE.iter().any(|free| rest.starts_with(free)),
        None => scope == sealwright_scope::ADMIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_list_is_closed() {
        for known in ["sealwright.clients:read", "sealwright.clients:*", "sealwright.admin", "sealwright.webhooks:*"] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "sealwright.",
            "sealwright.*",
            "sealwright.:*",
            "sealwright.admin:*",
            "sealwright.client:read",
            "sealwright.clients:",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }

    #[test]
    fn reserved_permissions_need_the_command_line_or_an_owner() {
        for reserved in
            ["admin", "sealwright.admin", "sealwright.clients:read", "sealwright.keys:write", "sealwright.keys:*"]
        {
            assert!(is_reserved(reserved), "{reserved}");
        }
        for free in [
            "read",
            "orders:admin",
            "sealwright.keys:verify",
            "sealwright.webhooks:write",
            "sealwright.jobs:*",
            "sealwright.access-log:append",
        ] {
            assert!(!is_reserved(free), "{free}");
        }
    }
}
