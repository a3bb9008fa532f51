//! Extracts the credential of a request: an API key or a bearer token, and exactly one of them.

use crate::domain::audit::Reason;
use crate::domain::credential::RawApiKey;

/// The fields of a request that carry credentials.
#[derive(Clone, Debug, Default)]
pub struct CredentialFields<'r> {
    /// Every `X-API-Key`.
    pub api_key: Vec<&'r [u8]>,
    /// Every `Authorization`.
    pub authorization: Vec<&'r [u8]>,
}

/// The credential of a request.
#[derive(Debug)]
pub enum ExtractedCredential<'r> {
    /// An API key with the right checksum.
    Key(RawApiKey),
    /// What may be a token of ours.
    Token(&'r str),
}

/// Why a request has not exactly one credential that can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotExtracted {
    /// It has none at all.
    Missing,
    /// It has several, or fields that cannot be read.
    Malformed(Reason),
    /// It has one that cannot be a key or token of ours.
    Foreign,
}

/// Extracts the credential (RFC 6750 §2.1; `X-API-Key` beside it). A key is taken as a bearer token, too.
///
/// # Errors
/// There is none, or not exactly one that can be checked.
pub fn extract_credential<'r>(fields: &CredentialFields<'r>) -> Result<ExtractedCredential<'r>, NotExtracted> {
    match (fields.api_key.as_slice(), fields.authorization.as_slice()) {
        ([], []) => Err(NotExtracted::Missing),
        ([key], []) => {
            let text = std::str::from_utf8(key).ok();
            text.and_then(RawApiKey::parse).map(ExtractedCredential::Key).ok_or(NotExtracted::Foreign)
        }
        ([], [field]) => {
            let token = bearer(field).ok_or(NotExtracted::Malformed(Reason::MalformedAuthorization))?;
            // A token of ours has dots, and a key has none.
            match RawApiKey::parse(token) {
                Some(key) => Ok(ExtractedCredential::Key(key)),
                None if token.contains('.') => Ok(ExtractedCredential::Token(token)),
                None => Err(NotExtracted::Foreign),
            }
        }
        _ => Err(NotExtracted::Malformed(Reason::TwoCredentials)),
    }
}

/// RFC 6750 §2.1; the scheme is case-insensitive.
fn bearer(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}
