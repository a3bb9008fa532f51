//! Members of inputs that are not simply a text: numbers, lists, and values with bounds of their own.

use std::net::IpAddr;

use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::input::Field;
use super::text::{string, text};
use crate::domain::audience::{AUDIENCES_MAX, AUDIENCES_TEXT_MAX, Audience};
use crate::domain::credential::{CUSTOMERS_MAX, GRACE_MAX, LIFETIME_MAX, LIFETIME_MIN};
use crate::domain::network::Networks;
use crate::domain::rate::LIMIT_MAX;
use crate::domain::reference::CustomerReference;
use crate::domain::scope::{SCOPES_MAX, Scope, Scopes};
use crate::domain::secret_text::SecretText;
use crate::domain::text::recordable;
use crate::domain::time::Duration;
use crate::domain::user;

/// Longest part of an invalid entry that an error repeats, in bytes.
const SHOWN_MAX: usize = 60;

/// A list whose entries have the schema `items`.
fn list(items: RefOr<Schema>, min: usize, max: usize) -> RefOr<Schema> {
    let array = ArrayBuilder::new().items(items).max_items(Some(max));
    if min > 0 { array.min_items(Some(min)).into() } else { array.into() }
}

/// The strings of a JSON array.
fn strings(value: Value) -> Result<Vec<String>, String> {
    serde_json::from_value(value).map_err(|_| "must be a list of strings".to_owned())
}

/// Parses every entry; an error names the entry, without what may be a secret in it.
fn parsed<T: std::str::FromStr<Err = &'static str>>(list: &[String]) -> Result<Vec<T>, String> {
    let parse = |entry: &String| entry.parse().map_err(|what| format!("{what}: {}", recordable(entry, SHOWN_MAX)));
    list.iter().map(parse).collect()
}

fn integer_schema(min: i64, max: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(min))
        .maximum(Some(max))
}

fn integer(value: &Value, min: i64, max: i64) -> Result<i64, String> {
    // A number such as 5.0 is an integer in JSON Schema, too.
    let whole = value.as_i64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).and_then(exact));
    let number = whole.ok_or_else(|| "must be an integer".to_owned())?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(format!("must be {min} to {max}")) }
}

/// A whole number as such; none where it is too large for its neighbours to be told apart.
fn exact(number: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    (number.abs() < LARGEST).then_some(number as i64)
}

/// Integers with bounds.
macro_rules! integers {
    ($($(#[$doc:meta])+ $name:ident -> $value:ty = $min:expr, $max:expr, $schema:expr, $made:expr;)*) => {$(
        $(#[$doc])+
        pub enum $name {}

        impl Field for $name {
            type Value = $value;

            fn schema() -> RefOr<Schema> {
                let schema: fn(ObjectBuilder) -> ObjectBuilder = $schema;
                schema(integer_schema($min, $max)).into()
            }

            fn read(value: Value) -> Result<$value, String> {
                let made: fn(i64) -> $value = $made;
                integer(&value, $min, $max).map(made)
            }

            fn parse(text: &str) -> Result<$value, String> {
                Self::read(text.parse::<i64>().map_err(|_| "must be an integer".to_owned())?.into())
            }
        }
    )*};
}

integers! {
    /// A rate limit.
    RateLimit -> u32 = 1, i64::from(LIMIT_MAX), |schema| schema, |limit| u32::try_from(limit).unwrap_or(LIMIT_MAX);
    /// How many seconds a client's tokens live.
    TokenLifetime -> Duration = LIFETIME_MIN, LIFETIME_MAX, |schema| schema, Duration::seconds;
    /// How many requests one use of a key counts as.
    Cost -> u32 = 1, COST_MAX, |schema| schema.default(Some(1.into())), |cost| u32::try_from(cost).unwrap_or(1);
    /// How many entries a page of a list has.
    PageLimit -> i64 = 1, PAGE_LIMIT_MAX, |schema| schema.default(Some(PAGE_LIMIT.into())), |limit| limit;
}

/// Largest cost of one use of a key.
const COST_MAX: i64 = 1_000;
/// Most entries of a page.
const PAGE_LIMIT_MAX: i64 = 1_000;
/// Entries of a page for a request that does not say.
pub const PAGE_LIMIT: i64 = 50;

/// True or false.
pub enum Flag {}

impl Field for Flag {
    type Value = bool;

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }

    fn read(value: Value) -> Result<bool, String> {
        value.as_bool().ok_or_else(|| "must be true or false".to_owned())
    }

    fn parse(text: &str) -> Result<bool, String> {
        text.parse().map_err(|_| "must be true or false".to_owned())
    }
}

fn scopes(value: Value) -> Result<Scopes, String> {
    let list = strings(value)?;
    if list.len() > SCOPES_MAX {
        return Err(format!("must have at most {SCOPES_MAX} scopes"));
    }
    Scopes::new(parsed::<Scope>(&list)?).map_err(str::to_owned)
}

fn scope_list(min: usize) -> RefOr<Schema> {
    list(<Scope as PartialSchema>::schema(), min, SCOPES_MAX)
}

/// Scopes that are granted: at least one.
pub enum GrantedScopes {}

impl Field for GrantedScopes {
    type Value = Scopes;

    fn schema() -> RefOr<Schema> {
        scope_list(1)
    }

    fn read(value: Value) -> Result<Scopes, String> {
        let scopes = scopes(value)?;
        if scopes.is_empty() { Err("must name at least one scope".to_owned()) } else { Ok(scopes) }
    }
}

/// Scopes, or none.
pub enum AnyScopes {}

impl Field for AnyScopes {
    type Value = Scopes;

    fn schema() -> RefOr<Schema> {
        scope_list(0)
    }

    fn read(value: Value) -> Result<Scopes, String> {
        scopes(value)
    }
}

/// Scopes in one string, separated by spaces (RFC 6749 §3.3).
pub enum SpacedScopes {}

impl Field for SpacedScopes {
    type Value = Scopes;

    fn schema() -> RefOr<Schema> {
        string(r"^[!#-\[\]-~]{1,128}( [!#-\[\]-~]{1,128})*$").examples(["orders:read"]).into()
    }

    fn read(value: Value) -> Result<Scopes, String> {
        text(value)?.parse().map_err(str::to_owned)
    }
}

/// Audiences of a client, each once.
pub enum Audiences {}

impl Field for Audiences {
    type Value = Vec<Audience>;

    fn schema() -> RefOr<Schema> {
        list(<Audience as PartialSchema>::schema(), 0, AUDIENCES_MAX)
    }

    fn read(value: Value) -> Result<Vec<Audience>, String> {
        let list = strings(value)?;
        if list.len() > AUDIENCES_MAX {
            return Err(format!("must have at most {AUDIENCES_MAX} entries"));
        }
        let mut audiences: Vec<Audience> = Vec::with_capacity(list.len());
        for audience in parsed(&list)? {
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        if audiences.iter().map(|audience| audience.as_str().len()).sum::<usize>() > AUDIENCES_TEXT_MAX {
            return Err(format!("must have at most {AUDIENCES_TEXT_MAX} characters in all"));
        }
        Ok(audiences)
    }
}

/// An allowlist.
pub enum AllowedNetworks {}

impl Field for AllowedNetworks {
    type Value = Networks;

    fn schema() -> RefOr<Schema> {
        let entry = string(r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$").examples(["203.0.113.7"]);
        list(entry.into(), 0, 100)
    }

    fn read(value: Value) -> Result<Networks, String> {
        Networks::parse(strings(value)?.iter().map(String::as_str)).map_err(str::to_owned)
    }
}

/// The customers that a credential is tied to.
pub enum Customers {}

impl Field for Customers {
    type Value = Vec<CustomerReference>;

    fn schema() -> RefOr<Schema> {
        list(<CustomerReference as PartialSchema>::schema(), 0, CUSTOMERS_MAX)
    }

    fn read(value: Value) -> Result<Vec<CustomerReference>, String> {
        let list = strings(value)?;
        if list.len() > CUSTOMERS_MAX {
            return Err(format!("must have at most {CUSTOMERS_MAX} entries"));
        }
        parsed(&list)
    }
}

/// How long an old secret remains valid beside its successor.
pub enum Grace {}

impl Field for Grace {
    type Value = Duration;

    fn schema() -> RefOr<Schema> {
        up_to_30_days().default(Some("0s".into())).into()
    }

    fn read(value: Value) -> Result<Duration, String> {
        read_up_to_30_days(value)
    }
}

/// How long a signing key is published before it signs.
pub enum Lead {}

impl Field for Lead {
    type Value = Duration;

    fn schema() -> RefOr<Schema> {
        up_to_30_days().into()
    }

    fn read(value: Value) -> Result<Duration, String> {
        read_up_to_30_days(value)
    }
}

/// At most 30 days in seconds, minutes, hours or days.
const UP_TO_30_DAYS: &str = concat!(
    "^0*(([0-9]{1,6}|1[0-9]{6}|2[0-4][0-9]{5}|25[0-8][0-9]{4}|259[01][0-9]{3}|2592000)s",
    "|([0-9]{1,4}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)m",
    "|([0-9]{1,2}|[1-6][0-9]{2}|7[01][0-9]|720)h",
    "|([0-9]|[12][0-9]|30)d)$"
);

fn up_to_30_days() -> ObjectBuilder {
    string(UP_TO_30_DAYS).examples(["24h"])
}

fn read_up_to_30_days(value: Value) -> Result<Duration, String> {
    let duration: Duration = text(value)?.parse().map_err(str::to_owned)?;
    if duration <= GRACE_MAX { Ok(duration) } else { Err("must be at most 30d".to_owned()) }
}

/// A user's new password.
pub enum NewPassword {}

impl Field for NewPassword {
    type Value = SecretText;

    fn schema() -> RefOr<Schema> {
        password().min_length(Some(8)).max_length(Some(1024)).into()
    }

    fn read(value: Value) -> Result<SecretText, String> {
        let password = SecretText::from(text(value)?);
        user::password(password.expose()).map_err(str::to_owned)?;
        Ok(password)
    }
}

/// What is presented as a secret, whatever it is.
pub enum Presented {}

impl Field for Presented {
    type Value = SecretText;

    fn schema() -> RefOr<Schema> {
        password().into()
    }

    fn read(value: Value) -> Result<SecretText, String> {
        text(value).map(SecretText::from)
    }
}

fn password() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
}

/// An IP address.
pub enum Address {}

impl Field for Address {
    type Value = IpAddr;

    fn schema() -> RefOr<Schema> {
        string("^[0-9A-Fa-f:.]+$").examples(["203.0.113.7"]).into()
    }

    fn read(value: Value) -> Result<IpAddr, String> {
        let address: IpAddr = text(value)?.parse().map_err(|_| "must be an IP address".to_owned())?;
        Ok(address.to_canonical())
    }
}

/// The id of a signing key: the RFC 7638 thumbprint of its public half.
pub enum KeyThumbprint {}

impl Field for KeyThumbprint {
    type Value = String;

    fn schema() -> RefOr<Schema> {
        string("^[A-Za-z0-9_-]{43}$").examples(["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"]).into()
    }

    fn read(value: Value) -> Result<String, String> {
        let text = text(value)?;
        let is_thumbprint = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if is_thumbprint { Ok(text) } else { Err("must be the id of a signing key".to_owned()) }
    }
}

/// One word of visible ASCII, such as an id or the name of an action.
pub enum Word {}

impl Field for Word {
    type Value = String;

    fn schema() -> RefOr<Schema> {
        string("^[!-~]+$").max_length(Some(128)).into()
    }

    fn read(value: Value) -> Result<String, String> {
        let text = text(value)?;
        let is_word = !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic());
        if is_word { Ok(text) } else { Err("must be 1 to 128 visible ASCII characters".to_owned()) }
    }
}

/// Text without control characters.
pub enum Line {}

impl Field for Line {
    type Value = String;

    fn schema() -> RefOr<Schema> {
        string(r"^[^\u0000-\u001f\u007f-\u009f]+$").into()
    }

    fn read(value: Value) -> Result<String, String> {
        let text = text(value)?;
        if text.is_empty() {
            return Err("must not be empty".to_owned());
        }
        if text.chars().any(char::is_control) {
            Err("must not contain control characters".to_owned())
        } else {
            Ok(text)
        }
    }
}

/// Any text, which is cut where it is recorded.
pub enum Remark {}

impl Field for Remark {
    type Value = String;

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }

    fn read(value: Value) -> Result<String, String> {
        text(value)
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
