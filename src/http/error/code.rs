//! The closed list of problem codes, and the status that goes with each.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::service::error::Conflict;

/// Which problem it is; stable, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ProblemCode {
    /// There is neither a bearer token nor an API key.
    NoCredentials,
    /// There are several credentials, or the `Authorization` field is malformed.
    MalformedCredentials,
    /// The token or key is not in force, or not for this API.
    InvalidToken,
    /// The caller lacks the permission that the operation needs.
    PermissionDenied,
    /// What all environments share is managed with credentials of production.
    ProductionOnly,
    /// The caller acts only on its own environment and, if it is tied to customers, on their objects.
    BeyondReach,
    /// The scopes go beyond what the caller may give.
    ScopeExceedsCaller,
    /// A gateway's request: the credential may not be used for this address, customer or audience.
    Forbidden,
    /// A gateway's request: the credential lacks a scope.
    InsufficientScope,
    /// Plain HTTP is not served to this caller.
    TlsRequired,
    /// Nothing has this id, as far as the caller sees.
    NotFound,
    /// The object of a repeated request has been deleted since.
    Gone,
    /// The path has no such method.
    MethodNotAllowed,
    /// Some fields or parameters are invalid; `errors` names them.
    InvalidInput,
    /// The body is not a JSON object, or a member is repeated.
    MalformedJson,
    /// The body could not be read.
    BodyUnreadable,
    /// The body is too large.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The request target is too long.
    UriTooLong,
    /// The request head is too large.
    HeadTooLarge,
    /// The credential is revoked and cannot be changed.
    Revoked,
    /// Another user has the e-mail address.
    EmailTaken,
    /// Another customer has the external id, or had it.
    ExternalIdTaken,
    /// Credentials are tied to the customer.
    CustomerInUse,
    /// The role is built in: it cannot be deleted, and `owner` cannot be updated.
    BuiltInRole,
    /// There is a role of this name.
    RoleExists,
    /// Users have the role.
    RoleInUse,
    /// The registry has the scope.
    ScopeExists,
    /// A successor of the signing key is pending.
    RotationPending,
    /// The signing key is destroyed.
    Destroyed,
    /// A request with this `Idempotency-Key` is being processed.
    IdempotencyKeyInUse,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused,
    /// The caller is over its rate limit.
    RateLimited,
    /// There were too many failed authentications.
    TooManyFailures,
    /// The service failed.
    Internal,
    /// The service cannot decide, do or record this now.
    Unavailable,
}

impl ProblemCode {
    /// The code of a conflict, which has the name of its reason.
    pub const fn of(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Revoked(_) => Self::Revoked,
            Conflict::EmailTaken => Self::EmailTaken,
            Conflict::ExternalIdTaken => Self::ExternalIdTaken,
            Conflict::CustomerInUse => Self::CustomerInUse,
            Conflict::BuiltInRole => Self::BuiltInRole,
            Conflict::RoleExists => Self::RoleExists,
            Conflict::RoleInUse => Self::RoleInUse,
            Conflict::ScopeExists => Self::ScopeExists,
            Conflict::RotationPending => Self::RotationPending,
            Conflict::Destroyed => Self::Destroyed,
            Conflict::IdempotencyKeyInUse => Self::IdempotencyKeyInUse,
        }
    }

    /// The code in responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedCredentials | Self::MalformedJson | Self::BodyUnreadable => 400,
            Self::NoCredentials | Self::InvalidToken => 401,
            Self::PermissionDenied
            | Self::ProductionOnly
            | Self::BeyondReach
            | Self::ScopeExceedsCaller
            | Self::Forbidden
            | Self::InsufficientScope
            | Self::TlsRequired => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BodyTooSlow => 408,
            Self::Revoked
            | Self::EmailTaken
            | Self::ExternalIdTaken
            | Self::CustomerInUse
            | Self::BuiltInRole
            | Self::RoleExists
            | Self::RoleInUse
            | Self::ScopeExists
            | Self::RotationPending
            | Self::Destroyed
            | Self::IdempotencyKeyInUse => 409,
            Self::Gone => 410,
            Self::BodyTooLarge => 413,
            Self::UriTooLong => 414,
            Self::UnsupportedMediaType => 415,
            Self::InvalidInput | Self::IdempotencyKeyReused => 422,
            Self::RateLimited | Self::TooManyFailures => 429,
            Self::HeadTooLarge => 431,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        let codes: Vec<&'static str> = Self::iter().map(Self::as_str).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Which problem it is; stable, for programs."))
            .enum_values(Some(codes))
            .into()
    }
}

impl ToSchema for ProblemCode {
    fn name() -> Cow<'static, str> {
        "ProblemCode".into()
    }
}
