//! Management permissions as types, so that what a handler requires is in its signature.

use crate::domain::permission;

/// A management permission as a type.
pub trait Permission: 'static {
    /// The permission.
    const NAME: &'static str;
    /// Whether the call counts towards the caller's rate limits.
    const COUNTS: bool = true;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $constant:ident;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl Permission for $name {
            const NAME: &'static str = permission::$constant;
        }
    )*};
}

permissions! {
    /// Everything.
    Admin = ADMIN;
    /// Read clients.
    ClientsRead = CLIENTS_READ;
    /// Create and change clients.
    ClientsWrite = CLIENTS_WRITE;
    /// Read API keys.
    KeysRead = KEYS_READ;
    /// Create and change API keys.
    KeysWrite = KEYS_WRITE;
    /// Read customers.
    CustomersRead = CUSTOMERS_READ;
    /// Create and change customers.
    CustomersWrite = CUSTOMERS_WRITE;
    /// Read users.
    UsersRead = USERS_READ;
    /// Create and change users.
    UsersWrite = USERS_WRITE;
    /// Read roles.
    RolesRead = ROLES_READ;
    /// Create and change roles.
    RolesWrite = ROLES_WRITE;
    /// Read the scope registry.
    ScopesRead = SCOPES_READ;
    /// Change the scope registry.
    ScopesWrite = SCOPES_WRITE;
    /// Read signing keys.
    SigningKeysRead = SIGNING_KEYS_READ;
    /// Rotate and destroy signing keys.
    SigningKeysWrite = SIGNING_KEYS_WRITE;
    /// Read the audit log.
    AuditRead = AUDIT_READ;
}

/// Verify API keys. An API that verifies a key for each of its requests is not held to a rate of its own.
pub enum KeysVerify {}

impl Permission for KeysVerify {
    const NAME: &'static str = permission::KEYS_VERIFY;
    const COUNTS: bool = false;
}
