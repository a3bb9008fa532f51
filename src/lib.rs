//! Sealwright: an OAuth 2.0 client-credentials authorization server.
//!
//! The map, in reading order:
//!
//! - [`domain`]: nouns and decisions, pure.
//! - `crypto`: hashing, sealing, signing; the only layer that names the cryptographic libraries.
//! - `oauth`: the protocol; no HTTP and no SQL.
//! - `store`: rows and queries; the only layer that names diesel.
//! - `audit`: events, appended durably before the response.
//! - `service`: the use cases.
//! - [`jobs`]: what runs in the background.
//! - `view`: JSON shapes of requests and responses, for `http` and `cli`.
//! - [`http`]: routes, extractors; the only layer that names actix-web.
//! - [`config`]: settings, read once.
//! - [`app`]: puts it all together.
//! - [`cli`]: the commands.

pub mod app;
mod audit;
pub mod cli;
pub mod clock;
pub mod config;
mod crypto;
pub mod domain;
pub mod http;
pub mod jobs;
mod oauth;
mod service;
mod store;
mod view;

pub use service::SharedServices;

/// Parts of the server for programs of this repository that measure or seed it; not meant for others.
pub mod parts {
    pub use crate::crypto::digest::sha256;
    pub use crate::crypto::jwt::{TokenSigner, install_provider};
    pub use crate::crypto::random;
    pub use crate::crypto::signing::KeyPair;
    pub use crate::oauth::client_authentication::{SecretCredentials, extract_credentials};
    pub use crate::oauth::form::Form;
    pub use crate::service::access::{KeyQuestion, RequestAsked};
    pub use crate::service::audit_context::AuditContext;
    pub use crate::service::tokens::ProtocolRequest;
}
