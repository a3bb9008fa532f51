//! Doc comments that repeat a name, and sections of errors that say what is true everywhere.
//!
//! Functions and types are looked at. Fields and variants are not: where a type is well named,
//! three words for each of its fields are often all there is to say, and the compiler asks for them.

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta};

use crate::Finding;
use crate::files::{Repository, RustFile};

/// The least that a doc comment says.
const FEWEST_WORDS: usize = 4;

/// Sections that say what is true of every function that reaches the database. It is said once, at the error's type.
const SAID_ELSEWHERE: [&str; 2] = ["The database fails.", "The database fails, or the schema does."];

/// Short doc comments that say it all: the file, the name of the item, and the reason.
const SHORT: [(&str, &str, &str); 0] = [];

struct Documented {
    name: String,
    line: usize,
    summary: String,
    errors: Option<String>,
}

#[derive(Default)]
struct Docs(Vec<Documented>);

impl Docs {
    fn of(file: &RustFile) -> Vec<Documented> {
        let mut docs = Self::default();
        docs.visit_file(&file.syntax());
        docs.0
    }

    fn add(&mut self, name: &str, attributes: &[Attribute]) {
        let lines: Vec<(usize, String)> = attributes.iter().filter_map(doc_line).collect();
        let Some((line, _)) = lines.first() else { return };
        let text: Vec<&str> = lines.iter().map(|(_, text)| text.trim()).collect();
        let text = text.join("\n");
        let mut sections = text.split("\n# ");
        let summary = sections.next().unwrap_or_default();
        let errors = sections.find_map(|section| section.strip_prefix("Errors\n"));
        self.0.push(Documented {
            name: name.to_owned(),
            line: *line,
            summary: summary.trim_start_matches("# ").to_owned(),
            errors: errors.map(|errors| errors.split_whitespace().collect::<Vec<_>>().join(" ")),
        });
    }
}

fn doc_line(attribute: &Attribute) -> Option<(usize, String)> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    match &meta.value {
        Expr::Lit(value) if meta.path.is_ident("doc") => match &value.lit {
            Lit::Str(text) => Some((attribute.pound_token.span.start().line, text.value())),
            _ => None,
        },
        _ => None,
    }
}

/// Visits items that have a name and attributes.
macro_rules! visit_named {
    ($($visit:ident, $item:ty, $($name:ident).+;)*) => {
        impl Visit<'_> for Docs {
            $(fn $visit(&mut self, item: &$item) {
                self.add(&item.$($name).+.to_string(), &item.attrs);
                visit::$visit(self, item);
            })*
        }
    };
}

visit_named! {
    visit_item_fn, syn::ItemFn, sig.ident;
    visit_impl_item_fn, syn::ImplItemFn, sig.ident;
    visit_trait_item_fn, syn::TraitItemFn, sig.ident;
    visit_item_struct, syn::ItemStruct, ident;
    visit_item_enum, syn::ItemEnum, ident;
    visit_item_trait, syn::ItemTrait, ident;
    visit_item_type, syn::ItemType, ident;
}

/// Doc comments that say too little, and exceptions that nothing needs.
pub(crate) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut left = SHORT.to_vec();
    for file in repository.rust_files() {
        for item in Docs::of(&file) {
            if let Some(message) = complaint(&item) {
                let is_listed = |(path, name, _): &(&str, &str, &str)| *path == file.path && *name == item.name;
                match left.iter().position(is_listed) {
                    Some(at) => drop(left.remove(at)),
                    None => findings.push(Finding::new(&file.path, item.line, message)),
                }
            }
        }
    }
    findings.extend(left.iter().map(|(path, name, _)| {
        Finding::new(path, 1, format!("the exception for the doc comment of `{name}` is no longer needed"))
    }));
    findings
}

fn complaint(item: &Documented) -> Option<String> {
    let words = item.summary.split_whitespace().count();
    if words < FEWEST_WORDS {
        let said = &item.summary;
        return Some(format!("`{}`: \"{said}\": say a promise, a unit, a limit or a reason, or nothing", item.name));
    }
    let errors = item.errors.as_deref().filter(|errors| SAID_ELSEWHERE.contains(errors))?;
    Some(format!("`{}`: \"# Errors: {errors}\" is said once at the error's type: leave the section out", item.name))
}

#[test]
fn short_docs_and_empty_sections_are_found() {
    let source = "//! A module.\n\n/// The name.\npub struct A {\n    /// A field.\n    a: u8,\n}\n\
                  impl A {\n    /// Reads it from the database.\n    ///\n    /// # Errors\n    /// The database\n\
                      /// fails.\n    fn read() {}\n    fn undocumented() {}\n}\n\
                  /// Says just enough, then.\nstruct B;\n";
    let docs = Docs::of(&RustFile::parse("a.rs", source));
    let found: Vec<_> = docs.iter().filter(|item| complaint(item).is_some()).map(|item| item.line).collect();
    assert_eq!(found, [3, 9]);
}
