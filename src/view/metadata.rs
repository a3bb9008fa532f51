//! Metadata as it is shown, and as it is changed.

use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::input::Field;
use super::text::{self, NAME, string};
use crate::domain::metadata::{KEY_MAX, Metadata, MetadataChanges, PAIRS_MAX, TOO_MANY, VALUE_MAX};

/// Nothing that cannot be seen.
const VALUE: &str = r"^[^\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$";

/// An object whose values are strings or, `with_null`, null.
fn pairs(with_null: bool) -> ObjectBuilder {
    let mut value = string(VALUE).max_length(Some(VALUE_MAX));
    if with_null {
        value = value.schema_type(SchemaType::Array(vec![Type::String, Type::Null]));
    }
    let key = string(NAME).max_length(Some(KEY_MAX));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(key))
        .additional_properties(Some(value))
        .max_properties(Some(PAIRS_MAX))
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs().map(|(key, value)| (key.as_str(), value.as_str())))
    }
}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let doc = "Pairs of text that you keep with it, for your APIs and yourselves.";
        pairs(false).description(Some(doc)).into()
    }
}

impl ToSchema for Metadata {
    /// Another name than that of an issuer's metadata.
    fn name() -> std::borrow::Cow<'static, str> {
        "ObjectMetadata".into()
    }
}

/// Pairs to set, and by null to remove.
pub enum MetadataPairs {}

impl Field for MetadataPairs {
    type Value = MetadataChanges;

    fn schema() -> RefOr<Schema> {
        pairs(true).examples([serde_json::json!({"plan": "gold"})]).into()
    }

    fn read(value: Value) -> Result<MetadataChanges, String> {
        let Value::Object(members) = value else { return Err("must be an object".to_owned()) };
        if members.len() > PAIRS_MAX {
            return Err(TOO_MANY.to_owned());
        }
        let pair = |(key, value): (String, Value)| {
            let value = match value {
                Value::Null => None,
                value => Some(text::text(value).map_err(|_| "must have values that are strings")?.parse()?),
            };
            Ok((key.parse()?, value))
        };
        members.into_iter().map(pair).collect::<Result<_, &'static str>>().map_err(str::to_owned)
    }
}
