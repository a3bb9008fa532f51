//! Why a request ended as it did: the closed list of reasons in audit events. The operators' guide explains each; a test
//! compares the two.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// Why a request was granted or refused, as an operator may know it. What its sender may know is said elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "docs/guides/operators.md explains each")]
pub enum Reason {
    Ok,
    Replayed,
    Active,
    RevokeAll,
    RotationDue,
    // Whoever asks: clients at the protocol's endpoints.
    UnknownClient,
    WrongSecret,
    WrongEnvironment,
    ClientDisabled,
    ClientExpired,
    ClientRevoked,
    OwnerInactive,
    AddressNotAllowed,
    DamagedSecret,
    InvalidRequest,
    InvalidClient,
    InvalidScope,
    InvalidTarget,
    UnsupportedGrantType,
    // Tokens.
    MalformedToken,
    UnknownKey,
    BadSignature,
    WrongIssuer,
    WrongAudience,
    TokenExpired,
    TokenRevoked,
    ClientNotActive,
    CustomersChanged,
    NotForThisCaller,
    AnotherClientsToken,
    UnknownToken,
    // API keys.
    MalformedKey,
    KeyReplaced,
    KeyRevoked,
    KeyExpired,
    KeyDisabled,
    NotOfCallersCustomers,
    WrongCustomer,
    InsufficientScope,
    RateLimited,
    // Callers of the management API and of gateways.
    NoCredentials,
    TwoCredentials,
    MalformedAuthorization,
    MalformedCredential,
    PermissionDenied,
    ProductionOnly,
    ScopeExceedsCaller,
    // What is asked for.
    InvalidInput,
    NotFound,
    Gone,
    Revoked,
    EmailTaken,
    ExternalIdTaken,
    CustomerInUse,
    BuiltInRole,
    RoleExists,
    RoleInUse,
    ScopeExists,
    RotationPending,
    Destroyed,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    // The request itself.
    BodyTooLarge,
    BodyTooSlow,
    BodyUnreadable,
    UnsupportedMediaType,
    MalformedJson,
    UriTooLong,
    HeadTooLarge,
    TlsRequired,
    MethodNotAllowed,
    // The service.
    NoSigningKey,
    Overloaded,
    StoreUnavailable,
    AuditUnavailable,
    Unavailable,
    TemporarilyUnavailable,
    ServerError,
    Internal,
}

impl Reason {
    /// The name in rows, events and responses, such as `wrong_secret`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
