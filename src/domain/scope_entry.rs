//! The registry of scopes: what they mean, for people. It describes, and gates nothing.

use super::scope::Scope;
use super::text::Description;
use super::time::Timestamp;

/// A scope and what it means.
#[derive(Clone, Debug)]
pub struct ScopeEntry {
    /// The scope token.
    pub name: Scope,
    /// What it means.
    pub description: Description,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A scope to enter.
#[derive(Clone, Debug)]
pub struct NewScope {
    /// The scope token.
    pub name: Scope,
    /// What it means.
    pub description: Description,
}
