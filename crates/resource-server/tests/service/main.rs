//! Real services that use the crate, beside a Sealwright that answers what a test tells it to.

#![allow(clippy::unwrap_used)]

mod api_keys;
mod jwks;
mod support;
mod tokens;
