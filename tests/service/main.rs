//! The service as its users see it: the real binary, real databases, real HTTP. Folders mirror the URLs.

// A test fails by panicking, and so do its helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod command_line;
mod database;
mod durability;
mod examples;
mod interop;
mod key_rotation;
mod oauth;
mod quickstart;
mod serving;
mod support;
mod tls;
