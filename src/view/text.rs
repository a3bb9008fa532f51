//! Domain types that are text in JSON: how they are written, how they are read, and their schemas. Patterns say what
//! parsing accepts, as exactly as regular expressions can.

use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::input::Field;
use crate::domain::audience::Audience;
use crate::domain::credential::CredentialId;
use crate::domain::customer::ExternalId;
use crate::domain::ids::{ApiKeyId, ClientId, CustomerId, EventId, RequestId, SecretId, TokenId, UserId};
use crate::domain::reference::{CustomerReference, UserReference};
use crate::domain::role::RoleName;
use crate::domain::scope::Scope;
use crate::domain::text::{Description, Name};
use crate::domain::time::{Duration, Timestamp};
use crate::domain::user::EmailAddress;

/// Nothing that cannot be seen, and no white space at either end.
pub const NAME: &str = concat!(
    r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]",
    r"([^\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]*",
    r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff])?$"
);
/// The same, or empty.
const DESCRIPTION: &str = concat!(
    r"^([^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]",
    r"([^\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]*",
    r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff])?)?$"
);
/// Something before and after one `@`, without white space and control characters.
const EMAIL: &str = concat!(
    r"^[^@\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+@",
    r"[^@\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$"
);
/// Visible ASCII without quotation mark and backslash (RFC 6749 §3.3).
const TOKEN: &str = r"^[!#-\[\]-~]+$";

/// A string that matches `pattern`.
pub fn string(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// The text of a JSON string.
///
/// # Errors
/// It is none.
pub fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err("must be a string".to_owned()),
    }
}

fn id(prefix: &str) -> ObjectBuilder {
    string(&format!("^{prefix}_[0-9a-f]{{32}}$")).examples([format!("{prefix}_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e")])
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $type:ident = $schema:expr;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.description(Some(super::input::prose(&[$($doc),+]))).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
        }

        impl Field for $type {
            type Value = Self;

            fn schema() -> RefOr<Schema> {
                <Self as PartialSchema>::schema()
            }

            fn read(value: Value) -> Result<Self, String> {
                text(value)?.parse().map_err(str::to_owned)
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(str::to_owned)
            }
        }
    )*};
}

texts! {
    /// What people call it.
    Name = string(NAME).max_length(Some(200)).examples(["billing"]);
    /// What it is for.
    Description = string(DESCRIPTION).max_length(Some(1000)).examples(["Writes the monthly invoices."]);
    /// An e-mail address.
    EmailAddress = string(EMAIL).max_length(Some(254)).examples(["ann@example.com"]);
    /// The name of a role.
    RoleName = string("^[a-z][a-z0-9_-]*$").max_length(Some(60)).examples(["developer"]);
    /// A customer's id on your platform: visible ASCII without a space. It is fixed, and never given again.
    ExternalId = string("^(?!cus_)(?!any$)[!-~]+$").max_length(Some(128)).examples(["acme"]);
    /// A user, by id or e-mail address.
    UserReference = string(EMAIL).pattern(Some(format!("^usr_[0-9a-f]{{32}}$|{EMAIL}"))).max_length(Some(254))
        .examples(["ann@example.com"]);
    /// A customer, by either of its ids.
    CustomerReference = string("^cus_[0-9a-f]{32}$|^(?!cus_)(?!any$)[!-~]+$").max_length(Some(128))
        .examples(["acme"]);
    /// A scope token.
    Scope = string(TOKEN).max_length(Some(128)).examples(["orders:read"]);
    /// The audience of a token, usually the URI of an API.
    Audience = string(TOKEN).max_length(Some(512)).examples(["https://api.example.com"]);
    /// The id of a client or an API key.
    CredentialId = string("^(cli|key)_[0-9a-f]{32}$").examples(["cli_0199c0de7f3a7c2b8d5e4f6a1b2c3d4e"]);
    /// The id of a client.
    ClientId = id("cli");
    /// The id of an API key.
    ApiKeyId = id("key");
    /// The id of a client's secret.
    SecretId = id("sec");
    /// The id of a user.
    UserId = id("usr");
    /// The id of a customer.
    CustomerId = id("cus");
    /// The id of an audit event.
    EventId = id("evt");
    /// The id of a request, as `X-Request-Id` has it.
    RequestId = id("req");
    /// The id of a token, as its claim `jti` has it.
    TokenId = id("tok");
    /// A time, RFC 3339 and UTC.
    Timestamp = ObjectBuilder::new().schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).examples(["2031-01-31T12:00:00.000Z"]);
    /// A length of time: an integer and `s`, `m`, `h` or `d`.
    Duration = string("^[0-9]+[smhd]$").examples(["24h"]);
}
