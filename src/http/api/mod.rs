//! The management API below `/api/v1`: JSON, cursors, RFC 9457 problems.

pub mod audit_events;
pub mod clients;
mod fields;
mod page;
mod permitted;
mod repeated;
pub mod scopes;
pub mod signing_keys;

pub use permitted::authorization;
