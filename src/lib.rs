//! Sealwright: an OAuth 2.0 client-credentials authorization server.
//!
//! The map, in reading order:
//!
//! - [`domain`]: nouns and decisions, pure.
//! - [`crypto`]: hashing, sealing, signing; the only layer that names the cryptographic libraries.
//! - [`oauth`]: the protocol; no HTTP and no SQL.
//! - [`store`]: rows and queries; the only layer that names diesel.
//! - [`audit`]: events, appended durably before the response.
//! - [`service`]: the use cases.
//! - [`jobs`]: what runs in the background.
//! - [`view`]: JSON shapes of requests and responses, for `http` and `cli`.
//! - [`http`]: routes, extractors; the only layer that names actix-web.
//! - [`config`]: settings, read once.
//! - [`app`]: puts it all together.
//! - [`cli`]: the commands.

pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod oauth;
pub mod service;
pub mod store;
pub mod view;
