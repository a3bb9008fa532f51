//! What the packages of the workspace depend on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The packages that the package in `folder` needs where it is used, in alphabetical order.
pub(crate) fn dependencies_of(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml")).unwrap();
    let mut names = BTreeSet::new();
    let mut table = "";
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
            assert!(!table.contains("dependencies."), "a table for one dependency is not read: {line}");
        } else if table.ends_with("dependencies") && table != "dev-dependencies" {
            names.extend(line.split([' ', '.', '=', '#']).next().filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names.into_iter().collect()
}

/// What others build into their services brings along neither the server nor its database.
#[test]
fn the_middleware_needs_nothing_of_the_server() {
    let allowed = [
        "actix-web",
        "jsonwebtoken",
        "log",
        "reqwest",
        "sealwright-scope",
        "serde",
        "serde_json",
        "thiserror",
        "tokio",
    ];
    assert_eq!(dependencies_of("crates/resource-server"), allowed);
}

/// The rule of scopes needs nothing, so that anything may depend on it.
#[test]
fn the_rule_of_scopes_has_no_dependencies() {
    assert_eq!(dependencies_of("crates/scope"), [""; 0]);
}

/// actix-http's implementation of HTTP/2 rests on a release of h2 with open advisories; gateways end HTTP/2. No feature
/// of any dependency may bring it back.
#[test]
fn nothing_speaks_http_2() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    assert!(!lock.lines().any(|line| line == "name = \"h2\""));
}
