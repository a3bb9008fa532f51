//! What Rust sources say: doc comments, comments, literals and identifiers, each with its line.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};

use crate::blocks::Block;
use crate::files::RustFile;

/// A line, and the characters before a place in it.
type LineColumn = (usize, usize);

/// The texts and names of a Rust file.
#[derive(Default)]
pub(crate) struct Spoken {
    /// Doc comments, as `(line, text)`; consecutive lines are one.
    docs: Vec<(usize, String)>,
    literals: Vec<(usize, String)>,
    pub(crate) identifiers: Vec<(usize, String)>,
}

impl Spoken {
    pub(crate) fn of(file: &RustFile) -> Self {
        let mut spoken = Self::default();
        spoken.walk(file.tokens.clone());
        spoken
    }

    fn walk(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => match (at.checked_sub(1), doc_text(group)) {
                    (Some(before), Some(text)) if is_attribute(&tokens, before) => self.docs.push(text),
                    _ => self.walk(group.stream()),
                },
                TokenTree::Ident(name) => self.identifiers.push(named(name)),
                TokenTree::Literal(literal) => self.literals.extend(string_of(literal)),
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    /// Doc comments as blocks, a block for each run of lines.
    pub(crate) fn doc_blocks(&self) -> Vec<Block> {
        let mut runs: Vec<(usize, Vec<&str>)> = Vec::new();
        for (line, text) in &self.docs {
            match runs.last_mut() {
                Some((first, lines)) if *first + lines.len() == *line => lines.extend(text.lines()),
                _ => runs.push((*line, text.lines().collect())),
            }
        }
        runs.into_iter().map(|(line, lines)| Block::read(line, lines)).collect()
    }

    /// Literals that are prose: those with a blank in them.
    pub(crate) fn prose(&self) -> impl Iterator<Item = Block> {
        let prose = self.literals.iter().filter(|(_, text)| text.trim().contains(' '));
        prose.map(|(line, text)| Block::read(*line, text.replace("\\n", ". ").lines()))
    }
}

fn is_attribute(tokens: &[TokenTree], at: usize) -> bool {
    let is = |at: usize, c: char| matches!(&tokens[at], TokenTree::Punct(punct) if punct.as_char() == c);
    is(at, '#') || (at > 0 && is(at, '!') && is(at - 1, '#'))
}

/// The line and the text of `[doc = "…"]`, which is what a doc comment is to the compiler.
fn doc_text(group: &Group) -> Option<(usize, String)> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    match (group.delimiter(), tokens.as_slice()) {
        (Delimiter::Bracket, [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(literal)])
            if name == "doc" =>
        {
            string_of(literal).map(|(_, text)| (group.span_open().start().line, text))
        }
        _ => None,
    }
}

fn named(name: &Ident) -> (usize, String) {
    (name.span().start().line, name.to_string())
}

/// The line and the text of a string literal, escapes and all.
fn string_of(literal: &Literal) -> Option<(usize, String)> {
    let text = literal.to_string();
    let inner = text.trim_start_matches(['r', 'b', 'c']).trim_matches('#');
    let inner = inner.strip_prefix('"')?.strip_suffix('"')?;
    Some((literal.span().start().line, inner.to_owned()))
}

/// Comments that are not doc comments: runs of lines with `//` outside of literals.
pub(crate) fn comments(file: &RustFile) -> Vec<Block> {
    let mut literals = Vec::new();
    collect_literals(file.tokens.clone(), &mut literals);
    let mut runs: Vec<(usize, Vec<&str>)> = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let Some(at) = comment_in(line) else { continue };
        let place = (number, line[..at].chars().count());
        if literals.iter().any(|(start, end)| *start <= place && place < *end) {
            continue;
        }
        let comment = &line[at + 2..];
        match runs.last_mut() {
            Some((first, lines)) if *first + lines.len() == number => lines.push(comment),
            _ => runs.push((number, vec![comment])),
        }
    }
    runs.into_iter().map(|(line, lines)| Block::read(line, lines)).collect()
}

/// Where `//` begins a line or follows code; doc comments are left out.
fn comment_in(line: &str) -> Option<usize> {
    let at = if line.trim_start().starts_with("//") { line.find("//")? } else { line.rfind(" // ")? + 1 };
    (!line[at + 2..].starts_with(['/', '!'])).then_some(at)
}

/// Literals as the lines and columns of their start and end.
fn collect_literals(tokens: TokenStream, literals: &mut Vec<(LineColumn, LineColumn)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_literals(group.stream(), literals),
            TokenTree::Literal(literal) => {
                let (start, end) = (literal.span().start(), literal.span().end());
                literals.push(((start.line, start.column), (end.line, end.column)));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The tokens of a file without its modules of tests.
pub(crate) fn without_tests(file: &RustFile) -> RustFile {
    let tokens: Vec<TokenTree> = file.tokens.clone().into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_cfg = matches!(token, TokenTree::Group(group) if group.stream().to_string() == "cfg (test)");
        at += 1;
        if is_cfg {
            while tokens.get(at).is_some_and(|token| !ends_item(token)) {
                at += 1;
            }
            at += 1;
        } else {
            kept.push(token.clone());
        }
    }
    RustFile { path: file.path.clone(), text: String::new(), tokens: kept.into_iter().collect() }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

#[test]
fn texts_and_names_are_told_apart() {
    let source = "//! Top.\n/// Two\n/// lines.\n#[arg(help = \"a help\")]\nfn name(a: u8) { // why so\n    \
                  say(\"http://x // y\");\n    say(\"a\n    // b\");\n}\n\
                  #[cfg(test)]\nmod tests { fn other() { \"in a test\"; } }\n";
    let file = RustFile::parse("a.rs", source);
    let spoken = Spoken::of(&without_tests(&file));
    let docs: Vec<_> = spoken.doc_blocks().iter().map(|block| (block.words[0].line, block.words.len())).collect();
    assert_eq!(docs, [(1, 2 + 2 + 1)], "the lines follow each other, so they are one block");
    assert_eq!(spoken.prose().count(), 3);
    let names: Vec<_> = spoken.identifiers.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["arg", "help", "fn", "name", "a", "u8", "say", "say"]);
    let comments = comments(&file);
    assert_eq!(comments.len(), 1);
    assert_eq!(comments[0].find("why so"), [5]);
}
