#![doc = include_str!("../README.md")]

mod api_key;
mod authorized;
mod build_error;
mod builder;
mod caller;
mod http;
mod jwks;
mod refusal;
mod scope;
mod server;
mod token;

pub use authorized::Authorized;
pub use build_error::BuildError;
pub use builder::Builder;
pub use caller::{Caller, CallerKind, Environment};
pub use refusal::{Reason, Refusal};
pub use scope::{AnyCaller, RequiredScopes};
pub use sealwright_scope::covers;
pub use server::ResourceServer;

#[doc(hidden)]
pub use scope::are_scopes;
