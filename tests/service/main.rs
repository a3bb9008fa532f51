//! The service as its users see it: the real binary, real databases, real HTTP. Folders mirror the URLs.

// A test fails by panicking, and so do its helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command_line;
mod examples;
mod interop;
mod quickstart;
mod support;
