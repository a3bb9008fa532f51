//! One query text serves both databases. Where the code asks which of them it has, it forks; the forks are counted here
//! and in `docs/ARCHITECTURE.md`.

use syn::visit::{self, Visit};

use crate::source::Source;

/// The connection to either database.
const CONNECTION: &str = "AnyConnection";

/// Files with forks, how many, and why.
const FORKS: [(&str, usize, &str); 6] = [
    ("src/store/audit_chain.rs", 1, "SQLite has one writer: there is no list of those that have not committed"),
    ("src/store/audit_log.rs", 1, "events are inserted a row a statement, or many rows a statement"),
    (
        "src/store/backup.rs",
        2,
        "a transaction shows one moment only where asked; serials follow those of a copy by themselves",
    ),
    ("src/store/connection.rs", 1, "PostgreSQL limits the time of statements, which a restore must lift"),
    ("src/store/migrations.rs", 2, "the list of tables has another name; the lock against others that migrate"),
    ("src/store/transaction.rs", 1, "SQLite's lock is taken by looking again and again"),
];

/// Patterns that tell the databases apart: a `match`, an `if let` or a `let … else` counts once.
#[derive(Default)]
struct Forks(usize);

impl Forks {
    fn of(source: &Source) -> usize {
        let mut forks = Self::default();
        forks.visit_file(&source.syntax);
        forks.0
    }

    fn count<'p>(&mut self, patterns: impl IntoIterator<Item = &'p syn::Pat>) {
        let mut finder = Finder(false);
        patterns.into_iter().for_each(|pattern| finder.visit_pat(pattern));
        self.0 += usize::from(finder.0);
    }
}

impl Visit<'_> for Forks {
    fn visit_expr_match(&mut self, expression: &syn::ExprMatch) {
        self.count(expression.arms.iter().map(|arm| &arm.pat));
        visit::visit_expr_match(self, expression);
    }

    fn visit_expr_let(&mut self, expression: &syn::ExprLet) {
        self.count([&*expression.pat]);
        visit::visit_expr_let(self, expression);
    }

    fn visit_local(&mut self, local: &syn::Local) {
        self.count([&local.pat]);
        visit::visit_local(self, local);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.0 += call.tokens.to_string().matches("AnyConnection :: Postgres").count();
    }
}

/// Whether a pattern names one of the two.
struct Finder(bool);

impl Visit<'_> for Finder {
    fn visit_path(&mut self, path: &syn::Path) {
        self.0 |= path.segments.len() > 1 && path.segments.iter().any(|segment| segment.ident == CONNECTION);
    }
}

#[test]
fn queries_are_the_same_on_both_databases_but_for_these() {
    let counts = Source::all().into_iter().map(|source| (Forks::of(&source), source.path));
    let found: Vec<(String, usize)> =
        counts.filter(|(count, _)| *count > 0).map(|(count, path)| (path, count)).collect();
    assert_eq!(found, FORKS.map(|(path, count, _)| (path.to_owned(), count)));
}

#[test]
fn each_place_that_asks_counts_once() {
    let text = "fn a() {\n    match b { AnyConnection::Sqlite(c) => c, AnyConnection::Postgres(c) => c }\n    \
                if let super::AnyConnection::Postgres(c) = b {}\n    \
                let AnyConnection::Sqlite(c) = b else { return };\n    \
                matches!(b, AnyConnection::Postgres(_));\n    Ok(AnyConnection::Postgres(b))\n}\n\
                fn d(connection: &mut AnyConnection) { let e: AnyConnection = f; }\n";
    assert_eq!(Forks::of(&Source::parse("src/store/users.rs", text)), 4);
}
