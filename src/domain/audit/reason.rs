//! The closed list of reasons in audit events. A test checks that the operators' guide explains each of them.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What is wrong with a text that is none.
type Wrong = &'static str;

fn unknown(_: &str) -> Wrong {
    "must be the code of a reason, such as rate_limited"
}

/// Why a request was granted or refused, in detail for operators. Callers see a coarser error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case", parse_err_ty = Wrong, parse_err_fn = unknown)]
#[allow(missing_docs, reason = "docs/guides/operators.md explains each")]
pub enum Reason {
    Ok,
    Replayed,
    Active,
    RevokeAll,
    DryRun,
    RotationDue,
    // Clients at the OAuth endpoints.
    UnknownClient,
    WrongSecret,
    WrongEnvironment,
    ClientDisabled,
    ClientExpired,
    ClientRevoked,
    OwnerInactive,
    CustomerSuspended,
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
    CostExceedsLimit,
    // Callers of the management API and of gateways.
    NoCredentials,
    TwoCredentials,
    MalformedAuthorization,
    MalformedCredential,
    PermissionDenied,
    ProductionOnly,
    /// Changes overtook each attempt to decide.
    Overtaken,
    /// The caller acts only on its own environment and, if it is tied to customers, on their objects.
    BeyondReach,
    ScopeExceedsCaller,
    // The objects of a request.
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
    Unavailable,
    TemporarilyUnavailable,
    ServerError,
    Internal,
}

impl Reason {
    /// Returns every reason, in the order of the OpenAPI document.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter()
    }

    /// Returns the name in rows, events and responses, such as `wrong_secret`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_guide_explains_every_reason_and_no_other() {
        let guide = include_str!("../../../docs/guides/operators.md");
        let (_, table) = guide.split_once("| reason | meaning |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let explained: Vec<&str> = rows
            .map(|row| {
                let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
                assert!(cells.len() == 2 && cells[1].len() > 10, "no explanation: {row}");
                cells[0].trim_matches('`')
            })
            .collect();
        for reason in Reason::all() {
            let rows = explained.iter().filter(|name| **name == reason.as_str()).count();
            assert_eq!(rows, 1, "docs/guides/operators.md must explain {reason} once");
        }
        for name in explained {
            assert!(name.parse::<Reason>().is_ok(), "docs/guides/operators.md explains {name}, which does not exist");
        }
    }
}
