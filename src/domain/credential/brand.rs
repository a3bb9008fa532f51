//! The brand of an installation's API keys.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest brand.
const BRAND_MAX: usize = 16;

/// The brand that the keys of an installation begin with: 1 to 16 of `a–z 0–9`, the first a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand(Arc<str>);

impl Brand {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Brand {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_brand(text) {
            Ok(Self(text.into()))
        } else {
            Err("must be 1 to 16 of a-z and 0-9, and begin with a letter")
        }
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns `true` if `text` is a brand.
pub(super) fn is_brand(text: &str) -> bool {
    text.len() <= BRAND_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_are_short_and_plain() {
        for brand in ["sw", "acme", "a", "x2"] {
            assert!(brand.parse::<Brand>().is_ok(), "{brand}");
        }
        for brand in ["", "2x", "a_b", "Acme", "ä", "abcdefghijklmnopq"] {
            assert!(brand.parse::<Brand>().is_err(), "{brand}");
        }
    }
}
