//! How long files and functions may be.

use syn::visit::{self, Visit};

use crate::Finding;
use crate::files::{Repository, RustFile};

const FILE: usize = 300;
const FUNCTION: usize = 50;

/// Longer files, each with a reason. An entry that is no longer needed fails.
const LONG_FILES: [(&str, &str); 0] = [];

/// Longer functions, as the file and the name, each with a reason. An entry that is no longer needed fails.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];

/// A function with its lines, from `fn` to the closing brace; attributes and doc comments are not counted.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn of(file: &RustFile) -> Vec<Function> {
        let mut functions = Self::default();
        functions.visit_file(&file.syntax());
        functions.0
    }

    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (signature.fn_token.span.start().line, body.brace_token.span.close().end().line);
        self.0.push(Function { name: signature.ident.to_string(), line: first, lines: last - first + 1 });
    }
}

impl Visit<'_> for Functions {
    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Files and functions beyond their budgets, and exceptions that nothing needs.
pub(crate) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut files, mut functions) = (LONG_FILES.to_vec(), LONG_FUNCTIONS.to_vec());
    for file in repository.rust_files() {
        let lines = file.text.lines().count();
        if lines > FILE && !take(&mut files, |(path, _)| *path == file.path) {
            let message = format!("{lines} lines: split the file by concern; at most {FILE}");
            findings.push(Finding::new(&file.path, 1, message));
        }
        for Function { name, line, lines } in Functions::of(&file) {
            let is_listed = |(path, function, _): &(&str, &str, &str)| *path == file.path && *function == name;
            if lines > FUNCTION && !take(&mut functions, is_listed) {
                let message = format!("`{name}` has {lines} lines: give its steps names; at most {FUNCTION}");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    let unneeded =
        files.iter().map(|(path, _)| (path, "")).chain(functions.iter().map(|(path, name, _)| (path, *name)));
    findings.extend(
        unneeded.map(|(path, name)| Finding::new(path, 1, format!("the exception for {name} is no longer needed"))),
    );
    findings
}

/// Takes the first fitting exception out of those that are left.
fn take<T>(exceptions: &mut Vec<T>, fits: impl Fn(&T) -> bool) -> bool {
    exceptions.iter().position(fits).map(|at| exceptions.remove(at)).is_some()
}

#[test]
fn functions_are_counted_without_their_docs_and_attributes() {
    let source = "/// Doc.\n#[inline]\npub fn one(\n    a: u8,\n) -> u8 {\n    a\n}\nimpl A {\n    fn two() {}\n}\n\
                  trait B {\n    fn three();\n    fn four() {\n        fn five() {}\n    }\n}\n";
    let found: Vec<_> =
        Functions::of(&RustFile::parse("a.rs", source)).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    let expected = [("one", 3, 5), ("two", 9, 1), ("four", 13, 3), ("five", 14, 1)];
    assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
    let mut exceptions = vec![1, 2];
    assert!(take(&mut exceptions, |one| *one == 2) && !take(&mut exceptions, |one| *one == 2));
}
