//! Nothing in `src/` panics on purpose: nothing remote may stop a connection.

use proc_macro2::{TokenStream, TokenTree};

use crate::report;
use crate::source::{Source, is};

const METHODS: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];
const MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];

/// The lines and names of calls that panic.
fn calls(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => calls(group.stream(), found),
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let is_method = METHODS.contains(&name.as_str())
                    && at.checked_sub(1).is_some_and(|before| is(&tokens[before], '.'))
                    && matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
                let is_macro = MACROS.contains(&name.as_str()) && tokens.get(at + 1).is_some_and(|next| is(next, '!'));
                if is_method || is_macro {
                    found.push((ident.span().start().line, name));
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[test]
fn nothing_is_unwrapped() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        let mut found = Vec::new();
        calls(source.tokens, &mut found);
        wrong.extend(found.into_iter().map(|(line, name)| format!("{}:{line}: {name}", source.path)));
    }
    report("calls that panic", &wrong);
}

#[test]
fn calls_that_panic_are_found_at_any_depth() {
    let text = r#"fn a() {
        log::info!("{}", b.unwrap());
        unwrap(); c.unwrap_or(1); ".unwrap()";
        std::panic!();
    }
    #[cfg(test)]
    mod tests { fn d() { e.unwrap(); } }"#;
    let mut found = Vec::new();
    calls(Source::parse("src/app.rs", text).tokens, &mut found);
    assert_eq!(found, [(2, "unwrap".to_owned()), (4, "panic".to_owned())]);
}
