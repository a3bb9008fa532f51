//! Errors of the use cases. `http` and `cli` convert them to responses and messages.

use super::authority::Unauthorized;
use crate::domain::audit::{Disposition, Reason};
use crate::domain::credential::CredentialKind;
pub use crate::domain::field_error::FieldError;
use crate::store::StoreError;

/// Why a use case failed or was refused.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No object with this id is visible to the caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The object that the first of several equal requests created has been deleted.
    #[error("the {0} that the first request created has been deleted")]
    Gone(&'static str),
    /// Some fields are invalid.
    #[error("{}", .0.iter().map(|field| format!("{} {}", field.field, field.wrong)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// Only credentials of production may manage what all environments share.
    #[error("this can only be managed with credentials of production")]
    ProductionOnly,
    /// The caller would act outside its own environment, or on what all customers share though it is tied to some.
    #[error("the caller acts only on its own environment and, if it is tied to customers, on their objects")]
    BeyondReach,
    /// The caller would grant scopes that it does not hold.
    #[error("the credential's scopes exceed what the caller may give")]
    ScopeExceedsCaller,
    /// The current state does not allow the change.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The caller is no caller any more, or has lost the permission, since its call was authorised.
    #[error("the caller may not do this any more")]
    CallerRefused {
        /// The error for the caller.
        unauthorized: Unauthorized,
        /// The reason for the audit event.
        reason: Reason,
    },
    /// Changes to the caller overtook the call.
    #[error("changes overtook the call")]
    Overtaken,
    /// The `Idempotency-Key` was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    /// The service is overloaded, or cannot reach the database or write the audit log.
    #[error("the service cannot do this now: {0}")]
    Unavailable(String),
    /// A file that an operator names cannot be read or written.
    #[error("{0}")]
    File(String),
    /// A fault of the service itself.
    #[error("the service failed: {0}")]
    Internal(String),
}

/// Why the current state does not allow a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The credential is revoked, which is final.
    #[error("the {} is revoked and cannot be changed", .0.noun())]
    Revoked(CredentialKind),
    /// Another user has the e-mail address.
    #[error("another user has this address")]
    EmailTaken,
    /// Another customer has or had the external id.
    #[error("another customer has this external id, or had it: it is not given again")]
    ExternalIdTaken,
    /// Credentials are tied to the customer.
    #[error("credentials are tied to this customer")]
    CustomerInUse,
    /// The role is built in.
    #[error("this role is built in: it cannot be deleted, and the role owner cannot be updated")]
    BuiltInRole,
    /// Another role has the name.
    #[error("there is a role of this name already")]
    RoleExists,
    /// Users have the role.
    #[error("users have this role")]
    RoleInUse,
    /// The registry has the scope.
    #[error("the registry has this scope already")]
    ScopeExists,
    /// A successor of the signing key is pending.
    #[error("a pending key of this environment and algorithm exists already")]
    RotationPending,
    /// The signing key is destroyed.
    #[error("the key is destroyed already")]
    Destroyed,
    /// The first request with the `Idempotency-Key` is still in progress.
    #[error("a request with this Idempotency-Key is in progress")]
    IdempotencyKeyInUse,
}

impl Conflict {
    /// Returns the reason, which is also the stable error code in responses.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Revoked(_) => Reason::Revoked,
            Self::EmailTaken => Reason::EmailTaken,
            Self::ExternalIdTaken => Reason::ExternalIdTaken,
            Self::CustomerInUse => Reason::CustomerInUse,
            Self::BuiltInRole => Reason::BuiltInRole,
            Self::RoleExists => Reason::RoleExists,
            Self::RoleInUse => Reason::RoleInUse,
            Self::ScopeExists => Reason::ScopeExists,
            Self::RotationPending => Reason::RotationPending,
            Self::Destroyed => Reason::Destroyed,
            Self::IdempotencyKeyInUse => Reason::IdempotencyKeyInUse,
        }
    }
}

impl ServiceError {
    /// Creates the error for a single invalid field.
    pub fn invalid(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, wrong)])
    }

    /// The error of a repeated request, where the object of the first one cannot be found any more.
    pub fn or_gone(self) -> Self {
        match self {
            Self::NotFound(what) => Self::Gone(what),
            other => other,
        }
    }

    /// Returns the reason for the audit event.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NotFound(_) => Reason::NotFound,
            Self::Gone(_) => Reason::Gone,
            Self::Invalid(_) => Reason::InvalidInput,
            Self::ProductionOnly => Reason::ProductionOnly,
            Self::BeyondReach => Reason::BeyondReach,
            Self::ScopeExceedsCaller => Reason::ScopeExceedsCaller,
            Self::Conflict(conflict) => conflict.reason(),
            Self::IdempotencyKeyReused => Reason::IdempotencyKeyReused,
            Self::CallerRefused { reason, .. } => *reason,
            Self::Overtaken => Reason::Overtaken,
            Self::Unavailable(_) | Self::File(_) => Reason::Unavailable,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// Returns the disposition of the request.
    pub const fn disposition(&self) -> Disposition {
        match self {
            Self::NotFound(_) => Disposition::NotFound,
            Self::Gone(_) => Disposition::Gone,
            Self::Invalid(_) | Self::IdempotencyKeyReused => Disposition::Invalid,
            Self::ProductionOnly | Self::BeyondReach | Self::ScopeExceedsCaller => Disposition::Forbidden,
            Self::Conflict(_) => Disposition::Conflict,
            Self::CallerRefused { unauthorized, .. } => unauthorized.disposition(),
            Self::Unavailable(_) | Self::File(_) | Self::Overtaken => Disposition::Unavailable,
            Self::Internal(_) => Disposition::Failed,
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } => Self::Internal(error.to_string()),
            StoreError::File(wrong) => Self::File(wrong),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<crate::audit::NotStored> for ServiceError {
    fn from(error: crate::audit::NotStored) -> Self {
        Self::Unavailable(error.to_string())
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
