//! What a source names: imports and paths, written out in full.

use std::collections::BTreeMap;
use std::fmt;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::source::{Source, is};

/// A path of two parts or more, or an import. What belongs to this package begins with `crate`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

impl Name {
    /// The layer and what is named in it, if it belongs to this package.
    pub(crate) fn in_layer(&self) -> Option<(&str, &[String])> {
        match &self.path[..] {
            [first, layer, rest @ ..] if first == "crate" => Some((layer, rest)),
            _ => None,
        }
    }

    /// The first part, which is a library unless it is a name of the file's own.
    pub(crate) fn root(&self) -> &str {
        &self.path[0]
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("::"))
    }
}

/// Every name in `source`; names that begin with an import are written out.
pub(crate) fn of(source: &Source) -> Vec<Name> {
    let mut reader = Reader { module: source.module.clone(), ..Reader::default() };
    reader.visit_file(&source.syntax);
    let Reader { imports, imported, paths, .. } = reader;
    let written_out = paths.into_iter().map(|name| match imports.get(name.root()) {
        Some(import) => Name { line: name.line, path: [&import[..], &name.path[1..]].concat() },
        None => name,
    });
    imported.into_iter().chain(written_out).collect()
}

#[derive(Default)]
struct Reader {
    module: Vec<String>,
    /// The paths that imported names are short for.
    imports: BTreeMap<String, Vec<String>>,
    imported: Vec<Name>,
    paths: Vec<Name>,
}

impl Reader {
    /// The path from the top of the package, or from a library.
    fn absolute(&self, path: &[String]) -> Vec<String> {
        let mut module = self.module.clone();
        let mut rest = path;
        match path[0].as_str() {
            // The binary names the package.
            "crate" | "sealwright" => module.clear(),
            "self" => {}
            "super" => {
                while rest.get(1).is_some_and(|next| next == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
                module.pop();
            }
            _ => return path.to_vec(),
        }
        [&["crate".to_owned()], &module[..], &rest[1..]].concat()
    }

    fn import(&mut self, tree: &syn::UseTree, prefix: &[String]) {
        let with = |ident: &syn::Ident| [prefix, &[ident.to_string()]].concat();
        let (ident, alias, path) = match tree {
            syn::UseTree::Path(tree) => return self.import(&tree.tree, &with(&tree.ident)),
            syn::UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(tree, prefix)),
            syn::UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                let path = self.absolute(&[prefix, &["*".to_owned()]].concat());
                return self.imported.push(Name { line, path });
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                (&name.ident, prefix.last().cloned().unwrap_or_default(), prefix.to_vec())
            }
            syn::UseTree::Name(name) => (&name.ident, name.ident.to_string(), with(&name.ident)),
            syn::UseTree::Rename(tree) if tree.ident == "self" => {
                (&tree.ident, tree.rename.to_string(), prefix.to_vec())
            }
            syn::UseTree::Rename(tree) => (&tree.ident, tree.rename.to_string(), with(&tree.ident)),
        };
        let path = self.absolute(&path);
        self.imports.insert(alias, path.clone());
        self.imported.push(Name { line: ident.span().start().line, path });
    }

    fn add(&mut self, line: usize, path: &[String]) {
        if path.len() > 1 {
            let path = self.absolute(path);
            self.paths.push(Name { line, path });
        }
    }

    /// Paths in what a macro gets, where nothing tells types from values; groups of `use` get their `prefix`.
    fn scan(&mut self, tokens: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.scan(group.stream(), &[]),
                TokenTree::Ident(ident) => {
                    let mut path = [prefix, &[ident.to_string()]].concat();
                    while let [colon, second, next, ..] = &tokens[at + 1..]
                        && is(colon, ':')
                        && is(second, ':')
                    {
                        match next {
                            TokenTree::Ident(ident) => path.push(ident.to_string()),
                            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                                self.scan(group.stream(), &path);
                            }
                            _ => break,
                        }
                        at += 3;
                    }
                    self.add(ident.span().start().line, &path);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }
}

impl Visit<'_> for Reader {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.import(&item.tree, &[]);
    }

    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(path.segments[0].ident.span().start().line, &parts);
        visit::visit_path(self, path);
    }

    fn visit_token_stream(&mut self, tokens: &TokenStream) {
        self.scan(tokens.clone(), &[]);
    }
}

#[test]
fn names_are_written_out() {
    let source = Source::parse(
        "src/http/api/users.rs",
        "use crate::{jobs::{self, start}, store::schema as rows, view::*};\nuse super::{Page, super::call};\n\
         use serde_json::json;\n// crate::comment\nmod inner { use super::super::roles; }\n\
         fn a() -> crate::domain::ids::UserId { crate::clock::now::<crate::app::A>(); call::read(); rows::users }\n\
         const TEXT: &str = \"crate::text\";\n#[derive(strum::EnumIter)]\nenum B {}\n\
         macro_rules! m { () => { use $crate::config::{self, Config}; log::info!(\"{}\", jobs::start()) } }\n\
         #[cfg(test)]\nmod tests { use crate::in_test; }",
    );
    let mut names: Vec<String> = of(&source).iter().map(Name::to_string).collect();
    names.sort();
    let expected = [
        "crate::app::A",
        "crate::clock::now",
        "crate::config",
        "crate::config::Config",
        "crate::config::self",
        "crate::domain::ids::UserId",
        "crate::http::api::Page",
        "crate::http::api::roles",
        "crate::http::call",
        "crate::http::call::read",
        "crate::jobs",
        "crate::jobs::start",
        "crate::jobs::start",
        "crate::store::schema",
        "crate::store::schema::users",
        "crate::view::*",
        "log::info",
        "serde_json::json",
        "strum::EnumIter",
    ];
    assert_eq!(names, expected);
}
