//! Inputs of requests and commands: one declaration gives an input's type, its JSON schema and its reader.
//!
//! ```ignore
//! input! {
//!     /// A customer to create.
//!     pub struct CustomerCreate {
//!         /// Its id on your platform.
//!         external_id: Required<ExternalId>,
//!         /// What people call it.
//!         name: Required<Name>,
//!     }
//! }
//! ```
//!
//! The struct has a parsed value for each member. [`Input::read`] takes a JSON object, [`Input::read_query`] a query
//! string, and both report everything that is wrong at once. Commands build the same JSON object from their options.

mod member;
mod reader;
mod schema;

pub use member::{Changed, Member, Nullable, Optional, Patched, Required};
pub use reader::Reader;
pub use schema::{MemberSchema, prose};

use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};

use crate::domain::field_error::FieldError;

/// A schema and its name in the document.
pub type NamedSchema = (String, RefOr<Schema>);

/// What a member's value may be: a JSON schema, and the reader that goes with it.
pub trait Field {
    /// The parsed value.
    type Value;

    /// The schema, or a reference to it.
    fn schema() -> RefOr<Schema>;

    /// The schemas that [`Field::schema`] refers to.
    fn schemas(_schemas: &mut Vec<NamedSchema>) {}

    /// Reads a JSON value, which is not null.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the member's name.
    fn read(value: Value) -> Result<Self::Value, String>;

    /// Reads a parameter of a query string or a path.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the parameter's name.
    fn parse(text: &str) -> Result<Self::Value, String> {
        Self::read(Value::String(text.to_owned()))
    }
}

/// A type that `input!` declares.
pub trait Input: Sized {
    /// The name of its schema.
    const NAME: &'static str;
    /// What it is, a line at a time.
    const DOC: &'static [&'static str];

    /// Adds the schema of each member.
    fn members(members: &mut Vec<MemberSchema>);

    /// Adds the schemas that those of the members refer to.
    fn schemas(schemas: &mut Vec<NamedSchema>);

    /// Reads its members; `None` if one is invalid.
    fn take(reader: &mut Reader) -> Option<Self>;

    /// Reads a JSON object.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn read(members: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader::of_object(members);
        let input = Self::take(&mut reader);
        reader.finish(input)
    }

    /// Reads the pairs of a query string. None may be empty or repeated.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn read_query(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader::of_query(pairs);
        let input = Self::take(&mut reader);
        reader.finish(input)
    }

    /// Whether an object must have members.
    fn is_required() -> bool {
        let mut members = vec![];
        Self::members(&mut members);
        members.iter().any(|member| member.is_required)
    }

    /// The schema of the whole object.
    fn schema() -> Schema {
        let mut members = vec![];
        Self::members(&mut members);
        let mut object = ObjectBuilder::new().schema_type(Type::Object).description(Some(prose(Self::DOC)));
        for member in members {
            let name = member.name;
            if member.is_required {
                object = object.required(name);
            }
            object = object.property(name, member.in_object());
        }
        object.additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
    }
}

/// Declares inputs. `..settings: Settings` adds the members of another one to the same object; `check function` says
/// what members need of one another.
macro_rules! input {
    ($(
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $($(#[doc = $about:literal])+ $member:ident: $kind:ty,)*
            $(..$group:ident: $group_type:ty,)*
            $(check $check:path,)?
        }
    )*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $about])+ pub $member: <$kind as $crate::view::input::Member>::Value,)*
            $(#[doc = "Members that other inputs have, too."] pub $group: $group_type,)*
        }

        impl $crate::view::input::Input for $name {
            const NAME: &'static str = stringify!($name);
            const DOC: &'static [&'static str] = &[$($doc),+];

            fn members(members: &mut Vec<$crate::view::input::MemberSchema>) {
                $(members.push($crate::view::input::MemberSchema::of::<$kind>(stringify!($member), &[$($about),+]));)*
                $(<$group_type as $crate::view::input::Input>::members(members);)*
            }

            fn schemas(schemas: &mut Vec<$crate::view::input::NamedSchema>) {
                $(<<$kind as $crate::view::input::Member>::Field as $crate::view::input::Field>::schemas(schemas);)*
                $(<$group_type as $crate::view::input::Input>::schemas(schemas);)*
            }

            fn take(reader: &mut $crate::view::input::Reader) -> Option<Self> {
                $($check(reader);)?
                $(let $member = reader.take::<$kind>(stringify!($member));)*
                $(let $group = <$group_type as $crate::view::input::Input>::take(reader);)*
                Some(Self { $($member: $member?,)* $($group: $group?,)* })
            }
        }
    )*};
}
pub(crate) use input;

#[cfg(test)]
mod tests;
