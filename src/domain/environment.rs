//! The three environments. Each is an issuer with its own signing keys; no credential or token is valid in another.

use std::fmt;
use std::str::FromStr;

/// One of the three issuers of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// The issuer at the public URL itself.
    Production,
    /// The issuer at `{public_url}/staging`.
    Staging,
    /// The issuer at `{public_url}/development`.
    Development,
}

impl Environment {
    /// All of them, production first.
    pub const ALL: [Self; 3] = [Self::Production, Self::Staging, Self::Development];

    /// Returns the name in requests, claims and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    /// Returns the path between the public URL and the paths of the issuer; empty for production.
    pub const fn path_prefix(self) -> &'static str {
        match self {
            Self::Production => "",
            Self::Staging => "/staging",
            Self::Development => "/development",
        }
    }

    /// Returns the position in [`Environment::ALL`], for arrays with one element per environment.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or("must be production, staging or development")
    }
}
