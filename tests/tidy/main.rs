//! What a program can hold of `docs/STYLE.md`: words, lengths of lines, sizes of files and functions, doc comments that
//! say something, and a repository that speaks of the product alone. It reads files, and nothing else of the machine.

#![allow(clippy::unwrap_used, clippy::panic)]

mod blocks;
mod budgets;
mod docs;
mod files;
mod lines;
mod names;
mod product;
mod rust;
mod words;

use files::{Repository, RustFile};

/// What is wrong at a line, and what to write instead.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

/// Fails with every finding in the order of files and lines.
fn report(rule: &str, mut findings: Vec<Finding>) {
    findings.sort();
    findings.dedup();
    let lines: Vec<String> =
        findings.iter().map(|found| format!("{}:{}: {}", found.path, found.line, found.message)).collect();
    assert!(lines.is_empty(), "\n{}\n{rule}: {} findings (docs/STYLE.md)", lines.join("\n"), lines.len());
}

fn each_rust_file(look: impl Fn(&RustFile) -> Vec<Finding>) -> Vec<Finding> {
    Repository::read().rust_files().iter().flat_map(look).collect()
}

#[test]
fn texts_use_the_words_of_the_field() {
    let repository = Repository::read();
    let mut findings: Vec<Finding> = repository.texts().flat_map(words::in_text).collect();
    findings.extend(repository.rust_files().iter().flat_map(words::in_rust));
    report("refused words", findings);
}

#[test]
fn identifiers_use_the_new_names() {
    report("refused names", each_rust_file(names::refused));
}

#[test]
fn lines_have_at_most_120_characters() {
    report("long lines", Repository::read().all().flat_map(lines::too_long).collect());
}

#[test]
fn files_and_functions_are_within_their_budgets() {
    report("budgets", budgets::check(&Repository::read()));
}

#[test]
fn doc_comments_say_something() {
    report("empty doc comments", docs::check(&Repository::read()));
}

#[test]
fn the_repository_speaks_of_the_product_alone() {
    report("not of the product", Repository::read().all().flat_map(product::foreign).collect());
}
