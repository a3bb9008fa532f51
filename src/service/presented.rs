//! Which credential a request presents: an API key or a bearer token, and exactly one of them.

use crate::domain::api_key::KeyText;

/// The fields of a request that carry credentials.
#[derive(Clone, Debug, Default)]
pub struct CredentialFields<'r> {
    /// Every `X-API-Key`.
    pub api_key: Vec<&'r [u8]>,
    /// Every `Authorization`.
    pub authorization: Vec<&'r [u8]>,
}

/// What a request presents.
#[derive(Debug)]
pub enum Presented<'r> {
    /// An API key with the right checksum.
    Key(KeyText),
    /// What may be a token of ours.
    Token(&'r str),
}

/// Why a request presents no one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOne {
    /// It has none at all.
    Missing,
    /// It has several, or fields that cannot be read.
    Malformed(&'static str),
    /// It has a key, but none that could be one of ours.
    NoKey,
}

/// Finds the credential (RFC 6750 §2.1; `X-API-Key` beside it). A key is taken as a bearer token, too.
///
/// # Errors
/// Why there is none, or not one.
pub fn presented<'r>(fields: &CredentialFields<'r>) -> Result<Presented<'r>, NotOne> {
    match (fields.api_key.as_slice(), fields.authorization.as_slice()) {
        ([], []) => Err(NotOne::Missing),
        ([key], []) => {
            let text = std::str::from_utf8(key).ok();
            text.and_then(KeyText::parse).map(Presented::Key).ok_or(NotOne::NoKey)
        }
        ([], [field]) => {
            let token = bearer(field).ok_or(NotOne::Malformed("malformed_authorization"))?;
            // A token of ours has dots, and a key has none.
            match KeyText::parse(token) {
                Some(key) => Ok(Presented::Key(key)),
                None if token.contains('.') => Ok(Presented::Token(token)),
                None => Err(NotOne::NoKey),
            }
        }
        _ => Err(NotOne::Malformed("two_credentials")),
    }
}

/// RFC 6750 §2.1; the scheme is case-insensitive.
fn bearer(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}
