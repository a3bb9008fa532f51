//! Words that are not written, and what is written instead.

use crate::Finding;
use crate::blocks::{Block, paragraphs};
use crate::files::{RustFile, TextFile};
use crate::rust::{self, Spoken};

/// Phrases, separated by commas, and what to write instead.
const REFUSED: [(&str, &str); 10] = [
    ("stands,stand,stood,standing", "appears, is, applies; status"),
    ("goes on,go on,going on,went on", "continues"),
    ("for good", "permanently"),
    ("for who,for whoever", "for callers who"),
    ("nobody's business,no one's business", "is not visible to"),
    ("what may be said of", "settings of"),
    ("witness,witnesses,witnessed,witnessing", "recorder, record an event"),
    ("vault,vaults", "sealer"),
    ("mint,mints,minted,minting", "derive, tag, issue"),
    ("trail,trails", "audit context, audit log"),
];

/// Words before `answer` and `answers` that show these to be nouns; as verbs they are allowed.
const SINGULAR: [&str; 11] = ["a", "an", "the", "this", "each", "every", "no", "its", "their", "whose", "one"];
const PLURAL: [&str; 6] = ["the", "these", "its", "their", "whose", "all"];

fn in_block(path: &str, block: &Block) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (phrases, instead) in REFUSED {
        for phrase in phrases.split(',') {
            let lines = block.find(phrase).into_iter();
            findings.extend(lines.map(|line| Finding::new(path, line, format!("\"{phrase}\": write {instead}"))));
        }
    }
    for (articles, noun) in [(&SINGULAR[..], "answer"), (&PLURAL[..], "answers")] {
        for phrase in articles.iter().map(|article| format!("{article} {noun}")) {
            let lines = block.find(&phrase).into_iter();
            findings.extend(lines.map(|line| Finding::new(path, line, format!("\"{phrase}\": write response"))));
        }
    }
    findings
}

/// Findings in a text that is not Rust.
pub(crate) fn in_text(file: &TextFile) -> Vec<Finding> {
    paragraphs(&file.text).iter().flat_map(|block| in_block(&file.path, block)).collect()
}

/// Findings in doc comments and comments, and in what users read of a program's literals.
pub(crate) fn in_rust(file: &RustFile) -> Vec<Finding> {
    let mut blocks = Spoken::of(file).doc_blocks();
    blocks.extend(rust::comments(file));
    let is_read_by_users = file.path.starts_with("src/") || file.path.starts_with("examples/");
    if is_read_by_users || (file.path.starts_with("crates/") && file.path.contains("/src/")) {
        blocks.extend(Spoken::of(&rust::without_tests(file)).prose());
    }
    blocks.iter().flat_map(|block| in_block(&file.path, block)).collect()
}

#[test]
fn refused_words_are_found_where_they_are_text() {
    let file =
        TextFile { path: "a.md".to_owned(), text: "A standalone trail.\nThe\nanswer is `the answer`.".to_owned() };
    let found: Vec<_> = in_text(&file).into_iter().map(|found| (found.line, found.message)).collect();
    assert_eq!(
        found,
        [(1, "\"trail\": write audit context, audit log".to_owned()), (2, "\"the answer\": write response".to_owned())]
    );
    let source = "/// It goes\n/// on.\nfn trail() {\n    // A vault.\n    say(\"one stands\");\n}\n";
    let in_source = |path: &str| in_rust(&RustFile::parse(path, source)).len();
    assert_eq!((in_source("src/a.rs"), in_source("tests/a.rs")), (3, 2));
}
