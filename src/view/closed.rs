//! Closed lists: domain enums that are strings in JSON.

use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::input::{Field, NamedSchema, prose};
use super::text::text;
use crate::domain::audit;
use crate::domain::credential;
use crate::domain::environment;
use crate::domain::key_code;
use crate::domain::permission;
use crate::domain::signing_key;
use crate::domain::token;

/// A schema of a string from a closed list.
pub fn one_of(values: impl IntoIterator<Item = &'static str>, doc: &[&str]) -> RefOr<Schema> {
    let values: Vec<&'static str> = values.into_iter().collect();
    ObjectBuilder::new().schema_type(Type::String).description(Some(prose(doc))).enum_values(Some(values)).into()
}

/// How an enum of the domain is written and described.
macro_rules! written {
    ($($(#[doc = $doc:literal])+ $name:literal: $type:ty = $values:expr;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                one_of($values.into_iter().map(<$type>::as_str), &[$($doc),+])
            }
        }

        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

/// How an enum of the domain is read, too.
macro_rules! read {
    ($($type:ty;)*) => {$(
        impl Field for $type {
            type Value = Self;

            fn schema() -> RefOr<Schema> {
                Ref::from_schema_name(<Self as ToSchema>::name()).into()
            }

            fn schemas(schemas: &mut Vec<NamedSchema>) {
                schemas.push((<Self as ToSchema>::name().into_owned(), <Self as PartialSchema>::schema()));
            }

            fn read(value: Value) -> Result<Self, String> {
                text(value)?.parse().map_err(str::to_owned)
            }
        }
    )*};
}

written! {
    /// Each environment is an issuer of its own, with its own signing keys. Nothing crosses from one to another.
    "Environment": environment::Environment = environment::Environment::ALL;
    /// The JWS name of a signature algorithm. Nimbus, Spring Security, Authlib, HAProxy 2.6 and Apache's `mod_oauth2`
    /// refuse `EdDSA`, or know it only with further packages.
    "SigningAlgorithm": signing_key::Algorithm = signing_key::Algorithm::ALL;
    /// The `typ` in the header of tokens: `at+jwt` (RFC 9068), or `JWT` for verifiers that refuse every other type.
    "TokenTyp": token::TokenTyp = token::TokenTyp::ALL;
    /// A key is published from `pending` to `retired`; it signs while it is `active`.
    "SigningKeyStatus": signing_key::KeyStatus = [
        signing_key::KeyStatus::Pending,
        signing_key::KeyStatus::Active,
        signing_key::KeyStatus::Retired,
        signing_key::KeyStatus::Destroyed,
    ];
    /// Only an `active` credential is accepted. `inactive` can be enabled again; `revoked` is permanent.
    "CredentialStatus": credential::Status = credential::Status::ALL;
    /// Why a credential is inactive: it was disabled itself, its owner is disabled, or all of its customers are
    /// suspended.
    "InactiveReason": credential::Inactivity = credential::Inactivity::all();
    /// Who uses an API key. Only an `internal` one may carry `admin` and most management permissions, and it has no
    /// rate limits unless they are set; a `client` key needs a customer.
    "ApiKeyType": credential::KeyType = credential::KeyType::ALL;
    /// Scopes by one word: `read-only` is `read`, `write` is `read write`, `full` is `read write delete`, and `scoped`
    /// is exactly the scopes that are named.
    "ScopePreset": credential::Preset = credential::Preset::ALL;
    /// The result of verifying a key: the first code that applies.
    "VerificationCode": key_code::KeyCode = key_code::KeyCode::all();
    /// How a request ended. `refused`: the caller is at fault, or may not. `error`: the service failed.
    "AuditOutcome": audit::Outcome = audit::Outcome::all();
    /// What an audit event records, done or refused: an object and a verb.
    "AuditAction": audit::Action = audit::Action::all();
    /// Why a request was granted or refused, in more detail than the error code that its sender sees.
    "AuditReason": audit::Reason = audit::Reason::all();
}

read! {
    environment::Environment;
    signing_key::Algorithm;
    token::TokenTyp;
    signing_key::KeyStatus;
    credential::Status;
    credential::KeyType;
    credential::Preset;
    audit::Outcome;
    audit::Action;
    audit::Reason;
}

/// Whether a user and the user's credentials are accepted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// The user and the user's credentials are accepted.
    Active,
    /// They are refused until the user is enabled again.
    Inactive,
}

/// Whether credentials serve a customer.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerStatus {
    /// Credentials that are tied to the customer serve it.
    Active,
    /// They do not, until it is resumed; those that are tied to no other customer are refused.
    Suspended,
}

/// The closed list of management permissions, which are scopes. A permission is covered by itself, by the
/// `sealwright.…:*` of its resource, and by `sealwright.admin`; never by a business scope.
pub enum Permission {}

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        let doc = [
            "The closed list of management permissions, which are scopes. A permission is covered by itself, by the",
            "`sealwright.…:*` of its resource, and by `sealwright.admin`; never by a business scope.",
        ];
        one_of(permission::ALL.iter().copied(), &doc)
    }
}

impl ToSchema for Permission {}
