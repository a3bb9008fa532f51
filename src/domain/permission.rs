//! Management permissions: the closed list of scopes that begin with `sealwright.`.

use sealwright_scope::{MANAGEMENT_PREFIX, wildcard_resource};

/// Declares each permission once: its constant, and its place in [`ALL`].
macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $scope:expr;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $scope;)+

        /// Every permission that a credential can be granted, except the `…:*` forms.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

permissions! {
    /// Covers every management permission, and no business scope.
    ADMIN = sealwright_scope::MANAGEMENT_ADMIN;
    /// Read OAuth clients.
    CLIENTS_READ = "sealwright.clients:read";
    /// Create and change OAuth clients.
    CLIENTS_WRITE = "sealwright.clients:write";
    /// Read API keys, never their values.
    KEYS_READ = "sealwright.keys:read";
    /// Create and change API keys.
    KEYS_WRITE = "sealwright.keys:write";
    /// Verify API keys.
    KEYS_VERIFY = "sealwright.keys:verify";
    /// Read and write the clients and API keys of the caller's own owner, and no others.
    CREDENTIALS_OWN = "sealwright.credentials:own";
    /// Read customers.
    CUSTOMERS_READ = "sealwright.customers:read";
    /// Create and change customers.
    CUSTOMERS_WRITE = "sealwright.customers:write";
    /// Read users.
    USERS_READ = "sealwright.users:read";
    /// Create and change users.
    USERS_WRITE = "sealwright.users:write";
    /// Read roles.
    ROLES_READ = "sealwright.roles:read";
    /// Create and change roles.
    ROLES_WRITE = "sealwright.roles:write";
    /// Read the scope registry.
    SCOPES_READ = "sealwright.scopes:read";
    /// Change the scope registry.
    SCOPES_WRITE = "sealwright.scopes:write";
    /// Read signing keys (never their private halves).
    SIGNING_KEYS_READ = "sealwright.signing-keys:read";
    /// Rotate and destroy signing keys.
    SIGNING_KEYS_WRITE = "sealwright.signing-keys:write";
    /// Read the audit log.
    AUDIT_READ = "sealwright.audit:read";
    /// Read what credentials used.
    USAGE_READ = "sealwright.usage:read";
    /// Read alerts.
    ALERTS_READ = "sealwright.alerts:read";
    /// Create and change alerts.
    ALERTS_WRITE = "sealwright.alerts:write";
    /// Read webhooks.
    WEBHOOKS_READ = "sealwright.webhooks:read";
    /// Create and change webhooks.
    WEBHOOKS_WRITE = "sealwright.webhooks:write";
    /// Read jobs.
    JOBS_READ = "sealwright.jobs:read";
    /// Create and change jobs.
    JOBS_WRITE = "sealwright.jobs:write";
    /// Introspect every token of the environment.
    TOKENS_INTROSPECT = "sealwright.tokens:introspect";
    /// Append to the access log.
    ACCESS_LOG_APPEND = "sealwright.access-log:append";
    /// Read `/metrics` from elsewhere than loopback.
    METRICS_READ = "sealwright.metrics:read";
}

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
