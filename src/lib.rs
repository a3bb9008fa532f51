//! Sealwright: an OAuth 2.0 client-credentials authorization server.
//!
//! The map, in reading order:
//!
//! - [`domain`]: nouns and decisions, pure.
//! - [`crypto`]: hashing, sealing, signing; the only room that names the cryptographic libraries.
//! - [`oauth`]: the protocol; no HTTP and no SQL.
//! - [`store`]: rows and queries; the only room that names diesel.
//! - [`audit`]: events, appended durably before what they witness is answered.
//! - [`service`]: the verbs, one file each.
//! - [`jobs`]: what runs in the background.
//! - [`http`]: routes, extractors, views; the only room that names actix-web.
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
