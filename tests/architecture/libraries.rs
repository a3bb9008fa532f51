//! The libraries that only one layer names, and those that a layer may name at all.

use std::collections::BTreeSet;

use crate::manifest;
use crate::names;
use crate::report;
use crate::source::Source;

/// Libraries that only one layer names.
const OWNED: [(&[&str], &str); 7] = [
    (&["diesel", "diesel_migrations", "libsqlite3_sys", "openssl_sys", "pq_sys", "r2d2"], "store"),
    (&["argon2", "aws_lc_rs", "jsonwebtoken", "ring", "signature", "subtle"], "crypto"),
    (&["actix_http", "actix_web", "prometheus_client", "rustls"], "http"),
    (&["oxide_auth"], "oauth"),
    (&["sealwright_scope"], "domain"),
    (&["env_filter", "figment"], "config"),
    (&["clap_complete", "clap_mangen", "comfy_table", "env_logger", "indicatif", "reqwest", "rpassword"], "cli"),
];

/// Layers that name these libraries and no others.
const CLOSED: [(&str, &[&str]); 8] = [
    // Pure computing: calendars, checksums, networks, addresses, names of enums, ids, and zeroing secrets.
    (
        "domain",
        &["chrono", "crc32fast", "ipnet", "percent_encoding", "sealwright_scope", "strum", "url", "uuid", "zeroize"],
    ),
    ("clock", &[]),
    ("view", &["serde", "serde_json", "utoipa"]),
    ("oauth", &["base64", "chrono", "oxide_auth", "zeroize"]),
    // No JSON and no HTTP.
    ("service", &["arc_swap", "log", "parking_lot", "quick_cache", "strum", "thiserror", "tokio", "zeroize"]),
    ("jobs", &["log", "tokio"]),
    // JSON for the lines of `audit_json_lines` and what seals cover, and the flag that opens a file without waiting.
    ("audit", &["libc", "log", "parking_lot", "quick_cache", "serde", "serde_json", "thiserror", "tokio"]),
    ("app", &["log", "thiserror"]),
];

/// Single files that name a library beyond these rules, and why. An entry that is no longer needed fails.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "src/domain/token.rs",
    "serde",
    "a token's claims are signed and read as they are: a second type would be copied for each token",
)];

/// Why `layer` may not name `library`.
fn refusal(layer: &str, library: &str) -> Option<String> {
    if let Some((_, owner)) = OWNED.iter().find(|(owned, owner)| owned.contains(&library) && *owner != layer) {
        return Some(format!("only {owner} names it"));
    }
    let (_, listed) = CLOSED.iter().find(|(closed, _)| *closed == layer)?;
    (!listed.contains(&library)).then(|| format!("{layer} names only {}", listed.join(", ")))
}

#[test]
fn libraries_stay_in_their_layers() {
    let libraries: BTreeSet<String> =
        manifest::dependencies_of(".").iter().map(|name| name.replace('-', "_")).collect();
    let mut wrong = Vec::new();
    let (mut used, mut excused) = (BTreeSet::new(), BTreeSet::new());
    for source in Source::all() {
        for name in names::of(&source) {
            let library = name.root();
            if !libraries.contains(library) {
                continue;
            }
            used.insert((source.layer.clone(), library.to_owned()));
            let Some(why) = refusal(&source.layer, library) else { continue };
            let exception = EXCEPTIONS.iter().find(|(path, its, _)| (*path, *its) == (&*source.path, library));
            match exception {
                Some((path, _, _)) => drop(excused.insert((*path, library.to_owned()))),
                None => wrong.push(format!("{}:{}: {name}: {why}", source.path, name.line)),
            }
        }
    }
    report("libraries beyond their layers", &wrong);
    assert_eq!(excused.len(), EXCEPTIONS.len(), "exceptions that nothing needs: only {excused:?} are used");
    let unused: Vec<String> = CLOSED
        .iter()
        .flat_map(|(layer, listed)| listed.iter().map(move |library| ((*layer).to_owned(), (*library).to_owned())))
        .filter(|pair| !used.contains(pair))
        .map(|(layer, library)| format!("{layer}: {library}"))
        .collect();
    report("listed libraries that the layer does not name", &unused);
}
