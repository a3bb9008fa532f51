//! The schema of an input, put together from those of its members.

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{OneOfBuilder, RefOr};

use super::Field;
use super::member::Member;

/// A member as the document describes it.
pub struct MemberSchema {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub is_required: bool,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// What it means.
    pub description: String,
    /// What it may be, apart from null.
    pub schema: RefOr<Schema>,
}

impl MemberSchema {
    /// Describes the member `name` of kind `M`.
    pub fn of<M: Member>(name: &'static str, doc: &[&str]) -> Self {
        Self {
            name: plain(name),
            is_required: M::IS_REQUIRED,
            is_nullable: M::IS_NULLABLE,
            description: prose(doc),
            schema: M::Field::schema(),
        }
    }

    /// The schema of the member in an object.
    pub fn in_object(self) -> RefOr<Schema> {
        let schema = if self.is_nullable { nullable(self.schema) } else { self.schema };
        described(schema, self.description)
    }
}

/// The name of a member whose identifier in Rust may be a raw one.
pub fn plain(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// The lines of a doc comment as paragraphs.
pub fn prose(doc: &[&str]) -> String {
    let mut text = String::new();
    for line in doc.iter().map(|line| line.trim()) {
        match (line.is_empty(), text.is_empty() || text.ends_with('\n')) {
            (true, false) => text.push_str("\n\n"),
            (false, false) => {
                text.push(' ');
                text.push_str(line);
            }
            (_, true) => text.push_str(line),
        }
    }
    text.trim_end().to_owned()
}

/// The same schema with null.
fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    let with_null = |schema_type: SchemaType| match schema_type {
        SchemaType::Type(one) => SchemaType::Array(vec![one, Type::Null]),
        other => other,
    };
    match schema {
        RefOr::T(Schema::Object(mut object)) if object.enum_values.is_none() => {
            object.schema_type = with_null(object.schema_type);
            Schema::Object(object).into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = with_null(array.schema_type);
            Schema::Array(array).into()
        }
        other => OneOfBuilder::new().item(other).item(ObjectBuilder::new().schema_type(Type::Null)).into(),
    }
}

/// The same schema with a description of its own.
fn described(schema: RefOr<Schema>, description: String) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            object.description = Some(description);
            Schema::Object(object).into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.description = Some(description);
            Schema::Array(array).into()
        }
        RefOr::T(Schema::OneOf(mut one_of)) => {
            one_of.description = Some(description);
            Schema::OneOf(one_of).into()
        }
        RefOr::Ref(mut reference) => {
            reference.description = description;
            RefOr::Ref(reference)
        }
        other @ RefOr::T(_) => other,
    }
}
