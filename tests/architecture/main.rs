//! The architecture of `src/` as a program can hold it: layers that import one way, libraries that stay in their layer,
//! nothing that panics, and queries that are the same on both databases. There are no exceptions for layers.

#![allow(clippy::unwrap_used, clippy::panic)]

mod forks;
mod layers;
mod libraries;
mod manifest;
mod names;
mod panics;
mod source;

/// Fails with everything that is wrong, a line each.
fn report(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n{rule}: {}", wrong.join("\n"), wrong.len());
}
