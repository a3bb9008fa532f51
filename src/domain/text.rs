//! Text from outside: bounded names and descriptions, and text that is safe to record.

use std::borrow::Cow;

use super::credential::RawApiKey;

/// Longest name, in characters.
pub const NAME_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 1000;

/// Defines a type for text that is checked when it is parsed, so that no later code needs to check it again. None
/// contains a secret.
///
/// The error of parsing is the message of the check: the end of a sentence that begins with the field's name.
macro_rules! checked_text {
    ($($(#[$doc:meta])* $name:ident by $check:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Returns the checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::domain::text::refuse_secrets(text)?;
                $check(text).map(|text| Self(text.into()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&*self.0, f)
            }
        }
    )*};
}
pub(crate) use checked_text;

checked_text! {
    /// A name that people read: 1 to 200 characters, no control characters, no white space at either end.
    Name by name;
    /// A description for people: up to 1000 characters, no control characters, no white space at either end.
    Description by description;
}

impl Default for Description {
    fn default() -> Self {
        Self("".into())
    }
}

fn name(text: &str) -> Result<&str, &'static str> {
    if text.is_empty() {
        return Err("must not be empty");
    }
    bounded(text, NAME_MAX, "must have at most 200 characters")
}

fn description(text: &str) -> Result<&str, &'static str> {
    bounded(text, DESCRIPTION_MAX, "must have at most 1000 characters")
}

fn bounded<'t>(text: &'t str, max: usize, too_long: &'static str) -> Result<&'t str, &'static str> {
    if text.chars().count() > max {
        return Err(too_long);
    }
    if !is_visible(text) {
        return Err("must not contain control characters");
    }
    if text.trim() != text {
        return Err("must not begin or end with white space");
    }
    Ok(text)
}

/// Returns `true` if `text` has no control characters, and none that are invisible.
pub fn is_visible(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// Returns `true` for a character that is invisible but changes how others look: directions of writing, zero-width
/// spaces, line separators. The joiners that some scripts and emoji need are allowed.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The prefix of client secrets, and how many characters of base 62 follow it.
const CLIENT_SECRET: (&str, usize) = ("sws_", 43);
/// How tokens begin: `{"` in base64url.
const TOKEN: &str = "eyJ";
/// The prefixes of client secrets and tokens.
const SECRETS: [&str; 2] = [CLIENT_SECRET.0, TOKEN];
/// The tags before the random characters of API keys, whatever their brand, and how many of those follow at least.
const KEYS: ([&str; 3], usize) = (["_live_", "_stg_", "_dev_"], 32);

/// Each prefix and each tag has one of these characters.
const IN_EVERY_PREFIX: [u8; 2] = *b"_J";

/// Characters after a tag in an API key, and most characters before it.
const KEY: (usize, usize) = (38, 16);
/// Text that is shorter contains no secret.
const SHORTEST_SECRET: usize = 44;

/// Refuses text that contains what has the form of one of Sealwright's own secrets: a client's secret, an API key of
/// any brand with its checksum, a signed token. Whoever puts one into a name or a description does so by mistake, and
/// it would be stored and shown in clear.
///
/// # Errors
/// There is one, as the end of a sentence that begins with the field's name.
pub fn refuse_secrets(text: &str) -> Result<(), &'static str> {
    if text.len() < SHORTEST_SECRET || !(has_client_secret(text) || has_api_key(text) || has_token(text)) {
        return Ok(());
    }
    Err("must not contain a secret, an API key or a token")
}

fn has_client_secret(text: &str) -> bool {
    let (prefix, length) = CLIENT_SECRET;
    text.match_indices(prefix).any(|(at, _)| {
        let random = text.as_bytes()[at + prefix.len()..].iter().take_while(|byte| byte.is_ascii_alphanumeric());
        random.count() >= length
    })
}

fn has_api_key(text: &str) -> bool {
    let (after, longest_brand) = KEY;
    let has_tag = |tag: &str| {
        text.match_indices(tag).any(|(at, _)| {
            let brand = text.as_bytes()[at.saturating_sub(longest_brand)..at].iter().rev();
            let brand = brand.take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9')).count();
            // A brand begins with a letter, and may have any characters before it.
            let start = text[at - brand..at].find(|c: char| c.is_ascii_lowercase()).map(|letter| at - brand + letter);
            let key = start.and_then(|start| text.get(start..at + tag.len() + after));
            key.is_some_and(|key| RawApiKey::parse(key).is_some())
        })
    };
    KEYS.0.into_iter().any(has_tag)
}

/// A token has three parts in base64url: a header and claims, which are objects, and a signature.
fn has_token(text: &str) -> bool {
    let part = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_".contains(b)).count();
    text.match_indices(TOKEN).any(|(at, _)| {
        let header = &text[at..];
        let claims = header[part(header)..].strip_prefix('.').filter(|claims| claims.starts_with(TOKEN));
        let signature = claims.and_then(|claims| claims[part(claims)..].strip_prefix('.'));
        signature.is_some_and(|signature| part(signature) >= 16)
    })
}

/// Returns where the readable prefix of the first secret ends.
fn first_secret(text: &str) -> Option<usize> {
    let plain = SECRETS.iter().filter_map(|start| Some(text.find(start)? + start.len()));
    let (tags, random) = KEYS;
    let keys = tags.iter().filter_map(|tag| {
        let mut starts = text.match_indices(tag).map(|(at, _)| at + tag.len());
        starts.find(|at| text[*at..].bytes().take_while(u8::is_ascii_alphanumeric).count() >= random)
    });
    plain.chain(keys).min()
}

/// Replaces what looks like a secret, a key or a token by its prefix and `…`, for text that callers may put one into by
/// mistake, such as a path.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    // Few paths and user agents have one of these, and each prefix has.
    let may_have = text.bytes().any(|byte| IN_EVERY_PREFIX.contains(&byte));
    if !may_have || first_secret(text).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(end) = first_secret(rest) {
        let (before, secret) = rest.split_at(end);
        shown.push_str(before);
        shown.push('…');
        rest = secret.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-.".contains(c));
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Returns a path or another text from the wire for the record: unchanged or, if it contains a secret, however often
/// percent-encoded, decoded and without it.
pub fn wire_text(text: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(text);
    for _ in 0..4 {
        // Almost no path and user agent has one: nothing is copied.
        if !plain.contains('%') {
            break;
        }
        plain = Cow::Owned(percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned());
    }
    match without_secrets(&plain) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(shown) => Cow::Owned(shown.chars().map(|c| if c.is_control() { '?' } else { c }).collect()),
    }
}

/// Prepares `text` for rows, responses and terminals: without secrets, at most `max` bytes, control characters replaced
/// (PostgreSQL stores no NUL in a text).
pub fn recordable(text: &str, max: usize) -> String {
    clipped(&without_secrets(text), max).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Cuts `text` to at most `max` bytes at a character boundary, for values from outside that are only shown, such as a
/// user agent.
pub fn clipped(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_has_a_character_that_is_looked_for_first() {
        for prefix in SECRETS.iter().chain(&KEYS.0) {
            assert!(prefix.bytes().any(|byte| IN_EVERY_PREFIX.contains(&byte)), "{prefix}");
        }
    }

    #[test]
    fn secrets_and_tokens_are_not_recorded() {
        for (text, shown) in [
            ("/api/v1/clients", "/api/v1/clients"),
            ("/api/v1/clients/sws_abc_DEF0/disable", "/api/v1/clients/sws_…/disable"),
            ("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln-_", "eyJ…"),
            ("a=sws_1&b=eyJ2", "a=sws_…&b=eyJ…"),
            ("sws_", "sws_…"),
            ("/x/sw_live_0123456789ABCDEFGHIJKLMNOPQRSTUV1ggZdL/y", "/x/sw_live_…/y"),
            ("/tables/orders_dev_2026", "/tables/orders_dev_2026"),
            ("k=acme_stg_0123456789ABCDEFGHIJKLMNOPQRSTUV1ggZdL", "k=acme_stg_…"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        for (text, shown) in [
            ("/api/v1/clients/a%2fb", "/api/v1/clients/a%2fb"),
            ("/api/v1/nothing/sws%5FABC/x", "/api/v1/nothing/sws_…/x"),
            ("/api/v1/nothing/sws_ABC%38rest", "/api/v1/nothing/sws_…"),
            ("/x/%2573ws%255Fabc%0a", "/x/sws_…?"),
        ] {
            assert_eq!(wire_text(text), shown);
        }
    }
    #[test]
    fn text_with_a_secret_is_refused_wherever_it_is_in_it() {
        let key = "sw_live_0123456789ABCDEFGHIJKLMNOPQRSTUV1ggZdL";
        let secret = format!("sws_{}", "aB3".repeat(15));
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJlLXg_";
        for own in [key, &key.replace("sw_live", "a_dev"), &key.replace("sw_", "acme2_"), &secret, token] {
            for text in [own.to_owned(), format!("é{own}"), format!("key: {own}, of acme"), format!("99{own}é")] {
                assert!(refuse_secrets(&text).is_err(), "{text}");
                assert!(text.parse::<Name>().is_err() && text.parse::<Description>().is_err(), "{text}");
            }
        }
        for text in [
            "The keys of orders_live_2026 begin with sw_live_, secrets with sws_, and tokens with eyJ.",
            &key.replace("V1", "W1"),
            &format!("_live_{}", &key[8..]),
            &format!("é_live_{}", &key[8..]),
            &format!("sws_{}", "x".repeat(42)),
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.short and some more text",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert_eq!(refuse_secrets(text), Ok(()), "{text}");
        }
    }
}
