//! Extracts the credential of a request: exactly one API key or bearer token.

use crate::domain::audit::Reason;
use crate::domain::credential::RawApiKey;

/// The fields of a request that carry credentials.
#[derive(Clone, Debug, Default)]
pub struct CredentialFields<'r> {
    /// Every `X-API-Key` field.
    pub api_key: Vec<&'r [u8]>,
    /// Every `Authorization` field.
    pub authorization: Vec<&'r [u8]>,
}

/// The credential of a request.
#[derive(Debug)]
pub enum ExtractedCredential<'r> {
    /// An API key with the right checksum.
    Key(RawApiKey),
    /// A text that may be a token of Sealwright's.
    Token(&'r str),
}

/// Why no credential could be extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotExtracted {
    /// The request has none.
    Missing,
    /// The request has several, or fields that cannot be read.
    Malformed(Reason),
    /// The request has one that cannot be a key or token of Sealwright's.
    Foreign,
}

/// Extracts the credential (RFC 6750 §2.1, or `X-API-Key`). A key is accepted as a bearer token, too.
///
/// # Errors
/// The request has no credential, or not exactly one that can be checked.
pub fn extract_credential<'r>(fields: &CredentialFields<'r>) -> Result<ExtractedCredential<'r>, NotExtracted> {
    match (fields.api_key.as_slice(), fields.authorization.as_slice()) {
        ([], []) => Err(NotExtracted::Missing),
        ([key], []) => {
            let text = std::str::from_utf8(key).ok();
            text.and_then(RawApiKey::parse).map(ExtractedCredential::Key).ok_or(NotExtracted::Foreign)
        }
        ([], [field]) => {
            let token = bearer(field).ok_or(NotExtracted::Malformed(Reason::MalformedAuthorization))?;
            // A token of Sealwright's contains dots, and a key contains none.
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
