//! The files of `src/` as syntax, without their tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::report;

/// Programs that the reference shows to readers; they are not part of this one.
const SAMPLES: &str = "src/http/reference/samples/";

/// A file of `src/` without what is compiled for tests only.
pub(crate) struct Source {
    /// Below the top of the repository.
    pub(crate) path: String,
    /// The first folder or file below `src/`, such as `http`.
    pub(crate) layer: String,
    /// The module, such as `["http", "oauth"]`.
    pub(crate) module: Vec<String>,
    pub(crate) tokens: TokenStream,
    pub(crate) syntax: syn::File,
    /// Modules in files of their own.
    modules: Vec<Vec<String>>,
    /// Such modules for tests only.
    test_modules: Vec<Vec<String>>,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let parsed = |tokens: TokenStream| syn::parse2(tokens).unwrap_or_else(|error| panic!("{path}: {error}"));
        let whole = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let tokens = without_tests(whole.clone());
        let syntax: syn::File = parsed(tokens.clone());
        let name = path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = name.split('/').map(str::to_owned).collect();
        let layer = module[0].clone();
        if ["mod", "lib", "main"].contains(&module[module.len() - 1].as_str()) {
            module.pop();
        }
        let modules = declared(&syntax, &module);
        let mut test_modules = declared(&parsed(whole), &module);
        test_modules.retain(|declared| !modules.contains(declared));
        Self { path: path.to_owned(), layer, module, tokens, syntax, modules, test_modules }
    }

    /// Every file of the program, in the order of their paths.
    pub(crate) fn all() -> Vec<Self> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        collect(&top.join("src"), &mut paths);
        paths.sort();
        let mut sources = Vec::new();
        for path in paths {
            let relative = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
            if !relative.ends_with("_tests.rs") && !relative.starts_with(SAMPLES) {
                sources.push(Self::parse(&relative, &fs::read_to_string(&path).unwrap()));
            }
        }
        let for_tests: Vec<Vec<String>> = sources.iter().flat_map(|source| source.test_modules.clone()).collect();
        sources.retain(|source| !for_tests.contains(&source.module));
        assert!(sources.len() > 100, "only {} files found", sources.len());
        sources
    }
}

/// The modules that a file declares in files of their own.
fn declared(syntax: &syn::File, module: &[String]) -> Vec<Vec<String>> {
    let files = syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(item) if item.content.is_none() => Some([module, &[item.ident.to_string()]].concat()),
        _ => None,
    });
    files.collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Leaves out every item that `#[cfg(test)]` is written on, at any depth, with its other attributes.
fn without_tests(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if group.stream().to_string() == "cfg (test)" => {
                kept.pop();
                while matches!(&kept[..], [.., hash, TokenTree::Group(group)]
                    if is(hash, '#') && group.delimiter() == Delimiter::Bracket)
                {
                    kept.truncate(kept.len() - 2);
                }
                tokens.by_ref().find(ends_item);
                if tokens.peek().is_some_and(|token| is(token, ';')) {
                    tokens.next();
                }
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                kept.push(inner.into());
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

/// Whether `token` is the punctuation `c`.
pub(crate) fn is(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

fn ends_item(token: &TokenTree) -> bool {
    is(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

#[test]
fn every_file_is_a_module() {
    let sources = Source::all();
    let declared: Vec<Vec<String>> = sources.iter().flat_map(|source| source.modules.clone()).collect();
    let is_module = |source: &&Source| source.module.is_empty() || declared.contains(&source.module);
    let orphans: Vec<String> =
        sources.iter().filter(|source| !is_module(source)).map(|source| source.path.clone()).collect();
    report("files that no `mod` declares", &orphans);
}

#[test]
fn what_is_for_tests_only_is_left_out() {
    let text = "fn one() {}\n/// Doc.\n#[cfg(test)]\n#[path = \"a.rs\"]\nmod tests;\nimpl A {\n    #[cfg(test)]\n    \
                fn two() {}\n    fn three() {}\n}\n#[cfg(test)]\nuse a::{b, c};\nconst FOUR: u8 = 4;\nmod five;\n";
    let source = Source::parse("src/http/oauth/mod.rs", text);
    assert_eq!((source.layer.as_str(), source.module), ("http", vec!["http".to_owned(), "oauth".to_owned()]));
    assert_eq!(source.syntax.items.len(), 4);
    let declared = |name: &str| [["http", "oauth", name].map(str::to_owned).to_vec()];
    assert_eq!((&source.modules[..], &source.test_modules[..]), (&declared("five")[..], &declared("tests")[..]));
    let text = source.tokens.to_string();
    for (name, is_kept) in [("one", true), ("tests", false), ("two", false), ("three", true), ("FOUR", true)] {
        assert_eq!(text.contains(name), is_kept, "{name} in {text}");
    }
}
