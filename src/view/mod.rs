//! JSON shapes: the inputs of requests and commands, and what responses and commands show. Nothing here knows HTTP.
//!
//! An input is declared by [`input!`](input::input), a response is a struct that serde writes. Both consist of domain
//! types, whose JSON form and schema are in [`text`] and [`closed`], each in one place.

pub mod audit_event;
pub mod closed;
pub mod credential;
pub mod credential_fields;
pub mod credential_input;
pub mod customer;
pub mod field;
pub mod input;
pub mod introspection;
pub mod metadata;
pub mod operation;
pub mod page;
pub mod revoke_all;
pub mod role;
pub mod scope;
pub mod server_metadata;
pub mod signing_key;
pub mod text;
pub mod user;
pub mod verification;
