//! Why a management verb did not do what it was asked: the inside words. `http` and `cli` say them outside.

use crate::store::StoreError;

/// A field of the input and what is wrong with it, as the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// Such as `must not be empty`.
    pub wrong: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self { field: field.into(), wrong: wrong.into() }
    }
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Nothing has this id, as far as the caller sees.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The request cannot be read as far as its fields.
    #[error("{message}")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// Stable.
        code: &'static str,
        /// For people.
        message: &'static str,
    },
    /// The input cannot be used.
    #[error("{}", .0.iter().map(|field| format!("{} {}", field.field, field.wrong)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The caller lacks the permission.
    #[error("this needs the permission {0}")]
    Forbidden(&'static str),
    /// Only production credentials manage what all environments share.
    #[error("this can only be managed with credentials of production")]
    ProductionOnly,
    /// The caller would give what it does not hold.
    #[error("the credential's scopes go beyond what the caller may give")]
    ScopeExceedsCaller,
    /// What is there forbids it; the code is stable.
    #[error("{message}")]
    Conflict {
        /// Stable.
        code: &'static str,
        /// For people.
        message: &'static str,
    },
    /// The same `Idempotency-Key` came with another request.
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    /// Too much is going on, or the database or audit log cannot be reached.
    #[error("the service cannot do this now: {0}")]
    Unavailable(String),
    /// A fault on our side.
    #[error("the service failed: {0}")]
    Internal(String),
}

impl ServiceError {
    /// One invalid field.
    pub fn invalid(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, wrong)])
    }

    /// The stable code, in answers and audit events.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid_input",
            Self::Forbidden(_) => "permission_denied",
            Self::ProductionOnly => "production_only",
            Self::ScopeExceedsCaller => "scope_exceeds_caller",
            Self::Conflict { code, .. } | Self::Unreadable { code, .. } => code,
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The HTTP status that the code goes with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unreadable { status, .. } => *status,
            Self::NotFound(_) => 404,
            Self::Invalid(_) | Self::IdempotencyKeyReused => 422,
            Self::Forbidden(_) | Self::ProductionOnly | Self::ScopeExceedsCaller => 403,
            Self::Conflict { .. } => 409,
            Self::Unavailable(_) => 503,
            Self::Internal(_) => 500,
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } => Self::Internal(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<crate::crypto::CryptoError> for ServiceError {
    fn from(error: crate::crypto::CryptoError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<crate::crypto::password::PasswordError> for ServiceError {
    fn from(error: crate::crypto::password::PasswordError) -> Self {
        match error {
            crate::crypto::password::PasswordError::Busy => Self::Unavailable(error.to_string()),
            crate::crypto::password::PasswordError::Failed => Self::Internal(error.to_string()),
        }
    }
}
