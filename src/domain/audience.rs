//! Audiences: the resource servers that a token is for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::text::refuse_secrets;

/// Longest audience.
const AUDIENCE_MAX: usize = 512;
/// Most audiences of one client or of one request.
pub const AUDIENCES_MAX: usize = 50;
/// Most characters of all audiences of one client, which its tokens may carry together.
pub const AUDIENCES_TEXT_MAX: usize = 1536;

/// One value of a token's `aud`: visible ASCII without `"` and `\`, usually the URI of a resource server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Audience(Arc<str>);

impl Audience {
    /// Returns the audience as it appears in `aud`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the value of a `resource` parameter: an absolute URI without a fragment (RFC 8707 §2).
    ///
    /// # Errors
    /// What is wrong with the value, as the end of a sentence.
    pub fn from_resource(text: &str) -> Result<Self, &'static str> {
        let uri = url::Url::parse(text).map_err(|_| "must be an absolute URI")?;
        if uri.fragment().is_some() {
            return Err("must have no fragment");
        }
        text.parse()
    }
}

impl FromStr for Audience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        refuse_secrets(text)?;
        if text.is_empty() || text.len() > AUDIENCE_MAX {
            return Err("must have 1 to 512 characters");
        }
        if !text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err("must be visible ASCII without quotation mark, backslash or space");
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The audiences of an environment for clients that name none of their own.
#[derive(Clone, Debug)]
pub struct EnvironmentAudiences {
    /// The audience of a client that has none.
    pub default: Audience,
    /// The management API; added for a client with management permissions.
    pub management: Audience,
}
