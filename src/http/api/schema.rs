//! Pieces of views and of their schemas.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::api_key::{KeyType as DomainKeyType, Preset as DomainPreset};
use crate::domain::audit::Outcome as DomainOutcome;
use crate::domain::credential::Status as DomainStatus;
use crate::domain::environment::Environment as DomainEnvironment;
use crate::domain::permission;
use crate::domain::signing_key::{Algorithm as DomainAlgorithm, KeyStatus as DomainKeyStatus};
use crate::domain::time::Timestamp;
use crate::service::use_key::KeyCode as DomainKeyCode;

/// An instant, in RFC 3339 and UTC.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-01-31T12:00:00.000Z"))]
pub struct Time(String);

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time.to_string())
    }
}

/// Schemas of strings from a closed list.
macro_rules! closed_lists {
    ($($(#[doc = $doc:literal])* $name:ident = $values:expr;)*) => {$(
        $(#[doc = $doc])*
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let values: Vec<&'static str> = $values.into_iter().collect();
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),*).trim()))
                    .enum_values(Some(values))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

closed_lists! {
    /// An issuer of its own, with its own signing keys. Nothing crosses from one to another.
    Environment = DomainEnvironment::ALL.map(DomainEnvironment::as_str);
    /// The JWS name of a signature algorithm.
    Algorithm = DomainAlgorithm::ALL.map(DomainAlgorithm::as_str);
    /// Only an `active` credential is accepted. `inactive` can be enabled again; `revoked` is for good.
    Status = DomainStatus::ALL.map(DomainStatus::as_str);
    /// Whom an API key is for. Only an `internal` one may carry `admin` and most management permissions, and it has no limits
    /// unless they are named; a `client` key needs a customer.
    KeyType = DomainKeyType::ALL.map(DomainKeyType::as_str);
    /// Scopes by one word: `read-only` is `read`, `write` is `read write`, `full` is `read write delete`, and `scoped` is
    /// exactly the scopes that are named.
    Preset = DomainPreset::ALL.map(DomainPreset::as_str);
    /// What comes of verifying a key: the first of these that applies.
    KeyCode = DomainKeyCode::ALL.map(DomainKeyCode::as_str);
    /// Whether a user and the user's credentials are accepted.
    UserStatus = ["active", "inactive"];
    /// A key is published from `pending` to `retired`; it signs while it is `active`.
    KeyStatus = [
        DomainKeyStatus::Pending,
        DomainKeyStatus::Active,
        DomainKeyStatus::Retired,
        DomainKeyStatus::Destroyed,
    ].map(DomainKeyStatus::as_str);
    /// `refused`: the caller is at fault, or may not. `error`: the service failed.
    Outcome = [DomainOutcome::Success, DomainOutcome::Refused, DomainOutcome::Error].map(DomainOutcome::as_str);
    /// The closed list of management permissions, which are scopes. A permission is covered by itself, by the
    /// `sealwright.…:*` of its resource, and by `sealwright.admin`; never by a business scope.
    Permission = permission::ALL;
}
