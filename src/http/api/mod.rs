//! The management API below `/api/v1`: JSON, cursors, RFC 9457 problems.

pub mod audit_events;
pub mod credentials;
pub mod customers;
pub mod forward_auth;
pub mod revoke_all;
pub mod roles;
pub mod scopes;
pub mod signing_keys;
pub mod users;
pub mod verify;
