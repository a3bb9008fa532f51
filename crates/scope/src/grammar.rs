//! The form of a scope token.

use std::error::Error;
use std::fmt;

/// The length of the longest scope token, in characters.
///
/// ```
/// use sealwright_scope::{MAX_LENGTH, is_scope};
///
/// assert!(is_scope(&"a".repeat(MAX_LENGTH)));
/// assert!(!is_scope(&"a".repeat(MAX_LENGTH + 1)));
/// ```
pub const MAX_LENGTH: usize = 128;

/// The reason why a text is not a scope token.
///
/// ```
/// use sealwright_scope::{InvalidScope, check};
///
/// assert_eq!(check(""), Err(InvalidScope::Length));
/// assert_eq!(check("orders read"), Err(InvalidScope::Character));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidScope {
    /// The text is empty or longer than [`MAX_LENGTH`].
    Length,
    /// The text has a character that RFC 6749 section 3.3 does not allow.
    Character,
}

impl InvalidScope {
    /// Returns the requirement that the text does not meet.
    ///
    /// ```
    /// use sealwright_scope::InvalidScope;
    ///
    /// assert_eq!(InvalidScope::Length.as_str(), "must have 1 to 128 characters");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "must have 1 to 128 characters",
            Self::Character => "must be visible ASCII without quotation mark, backslash or space",
        }
    }
}

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error for InvalidScope {}

/// Checks that a text is a scope token (RFC 6749 section 3.3) of at most [`MAX_LENGTH`] characters.
///
/// ```
/// use sealwright_scope::check;
///
/// assert!(check("orders:read").is_ok());
/// assert_eq!(check("").unwrap_err().to_string(), "must have 1 to 128 characters");
/// ```
///
/// # Errors
/// The text has a wrong length or a character that is not allowed.
pub const fn check(text: &str) -> Result<(), InvalidScope> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_LENGTH {
        return Err(InvalidScope::Length);
    }
    // A constant function has no iterators.
    let mut index = 0;
    while index < bytes.len() {
        if !matches!(bytes[index], 0x21 | 0x23..=0x5b | 0x5d..=0x7e) {
            return Err(InvalidScope::Character);
        }
        index += 1;
    }
    Ok(())
}

/// Returns whether a text is a scope token, also in constants.
///
/// ```
/// use sealwright_scope::is_scope;
///
/// const REQUIRED: &str = "orders:read";
/// const _: () = assert!(is_scope(REQUIRED));
/// ```
pub const fn is_scope(text: &str) -> bool {
    check(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_that_of_rfc_6749() {
        for byte in 0..=0x7f_u8 {
            let text = format!("a{}", char::from(byte));
            let is_allowed = byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
            assert_eq!(is_scope(&text), is_allowed, "{text:?}");
        }
        for text in ["ä", "a\u{a0}", "\u{202e}read", "orders：read"] {
            assert_eq!(check(text), Err(InvalidScope::Character), "{text:?}");
        }
    }

    #[test]
    fn a_scope_has_1_to_128_characters() {
        for (length, expected) in [
            (0, Err(InvalidScope::Length)),
            (1, Ok(())),
            (128, Ok(())),
            (129, Err(InvalidScope::Length)),
            (100_000, Err(InvalidScope::Length)),
        ] {
            assert_eq!(check(&"a".repeat(length)), expected, "{length}");
        }
    }
}
