//! The registry of scopes: their meaning, for people. It does not decide which scopes can be granted.

use super::scope::Scope;
use super::text::Description;
use super::time::Timestamp;

/// A registered scope and its meaning.
#[derive(Clone, Debug)]
pub struct ScopeEntry {
    /// The scope token.
    pub name: Scope,
    /// Its meaning, for people.
    pub description: Description,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A scope to register.
#[derive(Clone, Debug)]
pub struct NewScope {
    /// The scope token.
    pub name: Scope,
    /// Its meaning, for people.
    pub description: Description,
}
