//! The scope registry.

use serde::Serialize;
use utoipa::ToSchema;

use super::input::{Optional, Patched, Required, input};
use crate::domain::scope::Scope;
use crate::domain::text::Description;
use crate::domain::time::Timestamp;

/// What a scope means.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
pub struct ScopeView {
    /// The scope token.
    pub name: Scope,
    /// What it means.
    pub description: Description,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
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
