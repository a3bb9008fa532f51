//! The rooms below `src/`, and who may look into which: imports point one way.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may name. What is not listed may be named by nobody but itself.
const ARROWS: [(&str, &[&str]); 12] = [
    ("main", &["cli"]),
    ("cli", &["app", "http", "jobs", "service", "audit", "store", "oauth", "crypto", "config", "clock", "domain"]),
    ("app", &["service", "audit", "store", "crypto", "config", "clock", "domain"]),
    ("http", &["service", "oauth", "config", "clock", "domain"]),
    ("jobs", &["app", "service", "audit", "store", "clock", "domain"]),
    ("service", &["oauth", "audit", "store", "crypto", "config", "clock", "domain"]),
    ("audit", &["store", "config", "domain"]),
    ("store", &["config", "domain"]),
    ("oauth", &["domain"]),
    ("config", &["crypto", "domain"]),
    ("crypto", &["domain"]),
    ("clock", &["domain"]),
];

/// Single paths that are allowed beyond the arrows: the room, the path or what it begins with, and why.
const EXCEPTIONS: [(&str, &str, &str); 11] = [
    ("http", "store::credentials::CredentialFilter", "a query's filter is passed on as it is"),
    ("http", "store::credentials::Due", "a part of that filter"),
    ("http", "store::customers::CustomerFilter", "a query's filter is passed on as it is"),
    ("http", "store::users::UserFilter", "a query's filter is passed on as it is"),
    ("http", "store::audit_log", "a query's filter, and the stored event that a view shows"),
    ("http", "store::scopes", "the stored scope that a view shows"),
    ("http", "store::ping_connection", "readiness asks for nothing that a service decides"),
    ("http", "store::StoreError", "readiness logs it"),
    ("http", "crypto::client_secret::ClientSecretText", "the answer that shows a secret, this once"),
    ("http", "crypto::digest::sha256", "entity tags"),
    ("http", "crypto::random", "request ids"),
];

/// Libraries that only one room names.
const LIBRARIES: [(&[&str], &str); 4] = [
    (&["diesel", "diesel_migrations", "r2d2"], "store"),
    (&["ring", "argon2", "aws_lc_rs", "jsonwebtoken", "signature"], "crypto"),
    (&["actix_web", "actix_http", "rustls"], "http"),
    (&["sealwright_scope"], "domain"),
];

/// Single files that may name a library, too, and why.
const LIBRARY_EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("src/cli/quickstart.rs", "jsonwebtoken", "shows what a resource server does, which has nothing else"),
    ("src/http/tls.rs", "aws_lc_rs", "the name of rustls' own provider"),
];

/// A file of `src/` without comments, literals and tests.
struct Source {
    path: PathBuf,
    room: String,
    /// The module path below the crate, such as `["http", "oauth"]`.
    module: Vec<String>,
    code: String,
}

fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![top.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 50);
    files.sort();
    let found = files.iter().map(|path| {
        let relative = path.strip_prefix(top).unwrap();
        let mut module: Vec<String> =
            relative.with_extension("").iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
        let room = module[0].clone();
        if ["mod", "lib", "main"].contains(&module.last().unwrap().as_str()) {
            module.pop();
        }
        Source { path: relative.to_owned(), room, module, code: code_of(&fs::read_to_string(path).unwrap()) }
    });
    found.collect()
}

/// The code alone: comments and what stands in quotes become blanks, and the tests at a file's end are cut off.
fn code_of(text: &str) -> String {
    let text = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .split("\n#[cfg(test)]\npub mod tests {")
        .next()
        .unwrap();
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            end_of_string(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("'\\\"'") {
            4
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[length..];
    }
    code
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path in `code` that begins at `start` and is spelled out, groups in braces taken apart.
fn paths_from(code: &str, start: usize, prefix: &str, paths: &mut Vec<String>) -> usize {
    let mut at = start;
    let rest = || code[start..].trim_start();
    if rest().starts_with('{') {
        at += code[start..].find('{').unwrap() + 1;
        loop {
            at = paths_from(code, at, prefix, paths);
            at += code[at..].find(|c: char| !c.is_whitespace()).unwrap_or(0);
            if !code[at..].starts_with(',') {
                return at + 1;
            }
            at += 1;
            let next = code[at..].trim_start();
            if next.starts_with('}') {
                return at + code[at..].find('}').unwrap() + 1;
            }
        }
    }
    at += code[start..].len() - rest().len();
    let end = at + code[at..].find(|c| !is_name(c)).unwrap_or(code.len() - at);
    let path = if prefix.is_empty() { code[at..end].to_owned() } else { format!("{prefix}::{}", &code[at..end]) };
    if code[end..].starts_with("::") && !code[end + 2..].starts_with('<') {
        return paths_from(code, end + 2, &path, paths);
    }
    let renamed = code[end..].trim_start();
    let end = match renamed.strip_prefix("as ") {
        Some(name) => code.len() - name.trim_start_matches(is_name).len(),
        None => end,
    };
    paths.push(path);
    end
}

/// Paths that begin with `word`, which is not itself inside a longer path.
fn paths_with(code: &str, word: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices(word) {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        if before.is_some_and(|c| is_name(c) || c == ':' || c == '.') || !after.starts_with("::") {
            continue;
        }
        paths_from(code, at + word.len() + 2, "", &mut paths);
    }
    paths
}

/// What a source names of its own crate, as paths below the crate.
fn names_of(source: &Source) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = paths_with(&source.code, "crate").into_iter().collect();
    for path in paths_with(&source.code, "super") {
        let mut module = source.module.clone();
        module.pop();
        let mut path = path.as_str();
        while let Some(rest) = path.strip_prefix("super::") {
            module.pop();
            path = rest;
        }
        module.push(path.to_owned());
        names.insert(module.join("::"));
    }
    // The crate's name, where main says it.
    names.extend(paths_with(&source.code, "sealwright"));
    names
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources() {
        if source.room == "lib" {
            continue;
        }
        let arrows = ARROWS.iter().find(|(room, _)| *room == source.room).map_or(&[][..], |(_, arrows)| arrows);
        for name in names_of(&source) {
            let room = name.split("::").next().unwrap();
            if room == source.room || arrows.contains(&room) {
                continue;
            }
            let exception = EXCEPTIONS.iter().position(|(from, path, _)| {
                *from == source.room
                    && name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            });
            match exception {
                Some(exception) => drop(used.insert(exception)),
                None => wrong.push(format!("{}: {name}", source.path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that run back, or past a room:\n{}", wrong.join("\n"));
    let unused: Vec<_> = EXCEPTIONS.iter().enumerate().filter(|(at, _)| !used.contains(at)).collect();
    assert!(unused.is_empty(), "exceptions that nobody needs any more: {unused:?}");
}

#[test]
fn every_room_has_its_arrows() {
    let rooms: BTreeSet<String> = sources().into_iter().map(|source| source.room).collect();
    let known: BTreeSet<String> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let left: Vec<_> = rooms.difference(&known).filter(|room| !["lib", "domain"].contains(&room.as_str())).collect();
    assert!(left.is_empty(), "rooms without arrows: {left:?}");
    // No two rooms name each other, and the arrows make no circle.
    let mut order: Vec<&str> = vec!["domain"];
    while order.len() <= ARROWS.len() {
        let next = ARROWS
            .iter()
            .find(|(room, arrows)| !order.contains(room) && arrows.iter().all(|arrow| order.contains(arrow)));
        order.push(next.unwrap_or_else(|| panic!("a circle beyond {order:?}")).0);
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (libraries, room) in LIBRARIES {
            for library in libraries.iter().filter(|_| source.room != room) {
                let is_named =
                    !paths_with(&source.code, library).is_empty() || source.code.contains(&format!("use {library};"));
                let may = LIBRARY_EXCEPTIONS
                    .iter()
                    .any(|(path, allowed, _)| source.path == Path::new(path) && allowed == library);
                if is_named && !may {
                    wrong.push(format!("{}: {library} belongs into {room}", source.path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What others build into their services brings along neither the server nor its database.
#[test]
fn the_middleware_stands_alone() {
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

/// The packages that a package needs where it is used, in alphabetical order.
fn dependencies_of(package: &str) -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(package).join("Cargo.toml")).unwrap();
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

#[test]
fn nothing_is_unwrapped() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in source.code.lines().enumerate() {
            if [".unwrap()", ".expect(", ".unwrap_err()", ".expect_err(", "panic!("]
                .iter()
                .any(|word| line.contains(word))
            {
                wrong.push(format!("{}:{}: {}", source.path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_are_read_as_they_are_written() {
    let code = code_of(
        "use crate::{http, jobs::{self, start}, store::schema as rows};\n// crate::comment\nlet a = \"crate::text\";\n\
         crate::clock::now(); xcrate::no(); crate::store::read::<u8>();\n#[cfg(test)]\nmod tests { crate::in_test(); }",
    );
    let mut paths = paths_with(&code, "crate");
    paths.sort();
    assert_eq!(paths, ["clock::now", "http", "jobs::self", "jobs::start", "store::read", "store::schema"], "{code}");
}
