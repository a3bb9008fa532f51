//! Secrets as callers send them: passwords, and values of API keys.

use zeroize::Zeroizing;

/// A secret that a caller sent. Blank in `Debug`, zeroed on drop.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Returns the secret, only to check or to hash it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the secret for code that also zeroes it.
    pub fn into_inner(self) -> Zeroizing<String> {
        self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText")
    }
}
