//! The layers and their arrows: who may name whom.

use std::collections::BTreeSet;

use crate::names;
use crate::report;
use crate::source::Source;

/// Every layer and the layers that it may name. A layer names only layers above it in this list, so there is no circle.
const LAYERS: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("clock", &["domain"]),
    ("crypto", &["domain"]),
    ("oauth", &["domain"]),
    ("view", &["domain"]),
    // A master key's text is parsed where it is read, so that it is nowhere else.
    ("config", &["crypto", "domain"]),
    // The settings of the database say which of the two it is, where, and with how many connections.
    ("store", &["config", "domain"]),
    ("audit", &["store", "crypto", "domain"]),
    ("service", &["oauth", "audit", "store", "crypto", "config", "clock", "domain"]),
    ("jobs", &["service", "domain"]),
    ("http", &["service", "oauth", "config", "view", "domain"]),
    ("app", &["http", "service", "audit", "store", "crypto", "config", "clock", "domain"]),
    ("cli", &["app", "http", "jobs", "service", "store", "crypto", "config", "clock", "view", "domain"]),
    ("main", &["cli"]),
];

/// The package's facade for its binary, its tests and its examples. Nothing imports it.
const FACADE: &str = "lib";

/// What may be named of a layer where an arrow allows only a part of it.
enum Part {
    /// These items.
    Items(&'static [&'static str]),
    /// Types and what belongs to them, no functions.
    Types,
}

/// Arrows that allow a part: from, to, which part.
const PARTS: [(&str, &str, Part); 3] = [
    ("app", "http", Part::Items(&["status_of"])),
    (
        "cli",
        "http",
        Part::Items(&["ServeError", "Stop", "UnreadHeads", "bind", "check_tls", "runtime", "serve", "status_of"]),
    ),
    ("http", "oauth", Part::Types),
];

impl Part {
    fn contains(&self, path: &[String]) -> bool {
        match self {
            // The layer's own name, of which something is named elsewhere.
            Self::Items(items) => path.first().is_none_or(|item| items.contains(&item.as_str())),
            Self::Types => path.iter().any(|part| part.starts_with(char::is_uppercase)),
        }
    }
}

/// Whether `from` may name `path` of the layer `to`.
fn is_allowed(from: &str, to: &str, path: &[String]) -> bool {
    let arrows = LAYERS.iter().find(|(layer, _)| *layer == from).map_or(&[][..], |(_, arrows)| arrows);
    let mut parts = PARTS.iter().filter(|(its, other, _)| (*its, *other) == (from, to));
    from == to || (arrows.contains(&to) && parts.all(|(_, _, part)| part.contains(path)))
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for source in Source::all().iter().filter(|source| source.layer != FACADE) {
        for name in names::of(source) {
            let Some((layer, path)) = name.in_layer() else { continue };
            used.insert((source.layer.clone(), layer.to_owned()));
            if !is_allowed(&source.layer, layer, path) {
                wrong.push(format!("{}:{}: {name}", source.path, name.line));
            }
        }
    }
    report("names beyond the layers' arrows", &wrong);
    let is_used = |from: &str, to: &str| used.contains(&(from.to_owned(), to.to_owned()));
    let unused: Vec<String> = LAYERS
        .iter()
        .flat_map(|(from, arrows)| arrows.iter().map(move |to| (*from, *to)))
        .filter(|(from, to)| !is_used(from, to))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    report("arrows that nothing needs", &unused);
}

#[test]
fn every_layer_has_its_arrows_and_there_is_no_circle() {
    let layers: BTreeSet<String> =
        Source::all().into_iter().map(|source| source.layer).filter(|layer| layer != FACADE).collect();
    let known: BTreeSet<String> = LAYERS.iter().map(|(layer, _)| (*layer).to_owned()).collect();
    assert_eq!(layers, known);
    for (at, (layer, arrows)) in LAYERS.iter().enumerate() {
        for arrow in *arrows {
            assert!(LAYERS[..at].iter().any(|(above, _)| above == arrow), "{layer} -> {arrow} may close a circle");
        }
    }
}

#[test]
fn arrows_that_allow_a_part_allow_no_more() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    for (from, to, item, expected) in [
        ("cli", "http", "serve", true),
        ("cli", "http", "routes::table", false),
        ("app", "http", "serve", false),
        ("http", "oauth", "error::OAuthError::Unavailable", true),
        ("http", "oauth", "form::pairs", false),
        ("http", "store", "Store", false),
        ("domain", "crypto", "random", false),
        ("view", "domain", "ids", true),
        ("lib", "domain", "ids", false),
    ] {
        assert_eq!(is_allowed(from, to, &path(item)), expected, "{from} -> {to}::{item}");
    }
}
