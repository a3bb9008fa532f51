//! Health and readiness.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether the process responds.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
}

/// Whether tokens can be issued.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// `ok`, or `unavailable`.
    pub status: &'static str,
    /// The database can be reached.
    pub database: bool,
    /// Audit events can be stored, without which nothing is granted.
    pub audit: bool,
    /// Every environment has a signing key of every algorithm.
    pub signing_keys: bool,
}
