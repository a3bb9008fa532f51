//! Types and decisions. Nothing here performs I/O, reads a clock or uses a framework: time, randomness and stored
//! values are arguments, so that every decision can be tested by itself.

pub mod audience;
pub mod audit;
pub mod caller;
pub mod caller_address;
pub mod change;
pub mod credential;
pub mod customer;
pub mod environment;
pub mod epoch;
pub mod field_error;
pub mod form_encoding;
pub mod ids;
pub mod key_code;
pub mod lease;
pub mod listing;
pub mod metadata;
pub mod network;
pub mod patch;
pub mod permission;
pub mod rate;
pub mod reference;
pub mod role;
pub mod scope;
pub mod scope_entry;
pub mod secret_text;
pub mod signing_key;
pub mod size;
pub mod text;
pub mod time;
pub mod token;
pub mod user;
