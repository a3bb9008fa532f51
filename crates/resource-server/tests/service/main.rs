//! Real services that use the crate, beside a Sealwright whose responses a test chooses.

#![allow(clippy::unwrap_used)]

mod api_keys;
mod jwks;
mod support;
mod tokens;
