//! The scope registry.

use serde::Serialize;
use utoipa::ToSchema;

use super::input::{Optional, Patched, Required, input};
use crate::domain::scope::Scope;
use crate::domain::scope_entry::{NewScope, ScopeEntry};
use crate::domain::text::Description;
use crate::domain::time::Timestamp;

/// What a scope means.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredScope)]
pub struct ScopeView {
    /// The scope token.
    name: Scope,
    /// What it means.
    description: Description,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&ScopeEntry> for ScopeView {
    fn from(entry: &ScopeEntry) -> Self {
        Self {
            name: entry.name.clone(),
            description: entry.description.clone(),
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        }
    }
}

input! {
    /// A scope to register.
    pub struct ScopeCreate {
        /// The scope token: visible ASCII without quotation mark and backslash.
        name: Required<Scope>,
        /// What it means.
        description: Optional<Description>,
    }

    /// The registered meaning of a scope to change. A setting that is absent stays as it is.
    pub struct ScopeUpdate {
        /// What it means. Null removes it.
        description: Patched<Description>,
    }
}

impl From<ScopeCreate> for NewScope {
    fn from(input: ScopeCreate) -> Self {
        Self { name: input.name, description: input.description.unwrap_or_default() }
    }
}
