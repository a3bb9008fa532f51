//! Members of inputs that are not simply a text: numbers, lists, and values with bounds of their own.

mod address;
mod duration;
mod key_value;
mod list;
mod number;

pub use address::Address;
pub use duration::{Grace, Lead};
pub use key_value::{KeyPrefix, LastFour};
pub use list::{AllowedNetworks, AnyScopes, Audiences, Customers, GrantedScopes};
pub use number::{Cost, PAGE_LIMIT, PageLimit, RateLimit, TokenLifetime};

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::input::Field;
use super::text::{string, text};
use crate::domain::scope::Scopes;
use crate::domain::secret_text::SecretText;
use crate::domain::text::refuse_secrets;
use crate::domain::user;

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

/// What a request sends as a secret, whatever it is.
pub enum SentSecret {}

impl Field for SentSecret {
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
        refuse_secrets(&text)?;
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
            return Err("must not contain control characters".to_owned());
        }
        refuse_secrets(&text)?;
        Ok(text)
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
mod tests;
