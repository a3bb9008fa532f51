//! What requests and commands say: one declaration gives an input's type, its JSON schema and its reader.
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
//! The struct has a parsed value for each member. [`Input::read`] takes a JSON object, [`Input::read_query`] a query string,
//! and both report everything that is wrong at once. Commands build the same JSON object from their options.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{OneOfBuilder, RefOr};

use crate::domain::field_error::FieldError;
use crate::domain::patch::Patch;
use crate::domain::text::clipped;

/// Longest part of an unknown member's name that an error repeats, in bytes.
const UNKNOWN_NAME_MAX: usize = 60;

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

/// A member as it was sent.
#[derive(Debug)]
pub enum Given {
    /// A member of a JSON object.
    Json(Value),
    /// A parameter of a query string.
    Text(String),
}

impl Given {
    fn is_null(&self) -> bool {
        matches!(self, Self::Json(Value::Null))
    }

    fn read<F: Field>(self) -> Result<F::Value, String> {
        match self {
            Self::Json(value) => F::read(value),
            Self::Text(text) => F::parse(&text),
        }
    }
}

/// What may be done with a member: whether it may be absent, or null.
pub trait Member {
    /// What the input's struct has for it.
    type Value;
    /// What its value may be.
    type Field: Field;
    /// Whether it must be there.
    const IS_REQUIRED: bool = false;
    /// Whether it may be null.
    const IS_NULLABLE: bool = false;

    /// Reads what was sent.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the member's name.
    fn read(given: Option<Given>) -> Result<Self::Value, String>;
}

/// Must be there.
pub struct Required<F>(PhantomData<F>);

impl<F: Field> Member for Required<F> {
    type Value = F::Value;
    type Field = F;
    const IS_REQUIRED: bool = true;

    fn read(given: Option<Given>) -> Result<F::Value, String> {
        not_null(given)?.ok_or_else(|| "is required".to_owned())?.read::<F>()
    }
}

/// May be absent or null, which is the same.
pub struct Optional<F>(PhantomData<F>);

impl<F: Field> Member for Optional<F> {
    type Value = Option<F::Value>;
    type Field = F;
    const IS_NULLABLE: bool = true;

    fn read(given: Option<Given>) -> Result<Self::Value, String> {
        given.filter(|given| !given.is_null()).map(Given::read::<F>).transpose()
    }
}

/// Must be there, and may be null.
pub struct Nullable<F>(PhantomData<F>);

impl<F: Field> Member for Nullable<F> {
    type Value = Option<F::Value>;
    type Field = F;
    const IS_REQUIRED: bool = true;
    const IS_NULLABLE: bool = true;

    fn read(given: Option<Given>) -> Result<Self::Value, String> {
        Optional::<F>::read(Some(given.ok_or_else(|| "is required".to_owned())?))
    }
}

/// A setting of an object that stays where the member is absent. It cannot be null.
pub struct Changed<F>(PhantomData<F>);

impl<F: Field> Member for Changed<F> {
    type Value = Option<F::Value>;
    type Field = F;

    fn read(given: Option<Given>) -> Result<Self::Value, String> {
        not_null(given)?.map(Given::read::<F>).transpose()
    }
}

/// A setting of an object that stays where the member is absent, and is cleared by null.
pub struct Patched<F>(PhantomData<F>);

impl<F: Field> Member for Patched<F> {
    type Value = Patch<F::Value>;
    type Field = F;
    const IS_NULLABLE: bool = true;

    fn read(given: Option<Given>) -> Result<Self::Value, String> {
        match given {
            None => Ok(Patch::Keep),
            Some(given) if given.is_null() => Ok(Patch::Clear),
            Some(given) => given.read::<F>().map(Patch::Set),
        }
    }
}

fn not_null(given: Option<Given>) -> Result<Option<Given>, String> {
    if given.as_ref().is_some_and(Given::is_null) { Err("must not be null".to_owned()) } else { Ok(given) }
}

/// What the document says of a member.
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
    fn in_object(self) -> RefOr<Schema> {
        let schema = if self.is_nullable { nullable(self.schema) } else { self.schema };
        described(schema, self.description)
    }
}

/// The members of an object or a query string that have not been read yet, and what was wrong so far.
pub struct Reader {
    members: BTreeMap<String, Given>,
    errors: Vec<FieldError>,
    unknown: &'static str,
}

impl Reader {
    fn of_object(members: Map<String, Value>) -> Self {
        let members = members.into_iter().map(|(name, value)| (name, Given::Json(value))).collect();
        Self { members, errors: vec![], unknown: "is not a field of this object" }
    }

    fn of_query(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut reader =
            Self { members: BTreeMap::new(), errors: vec![], unknown: "is not a parameter of this operation" };
        let mut seen = std::collections::BTreeSet::new();
        for (name, text) in pairs {
            if !seen.insert(name.clone()) {
                reader.members.remove(&name);
                reader.fail(&name, "is repeated");
            } else if text.is_empty() {
                // A variable that was not set, perhaps: then more is asked for than is meant.
                reader.fail(&name, "must not be empty");
            } else {
                reader.members.insert(name, Given::Text(text));
            }
        }
        reader
    }

    /// Whether the member `name` was sent, and is not null.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|given| !given.is_null())
    }

    /// Whether the member `name` is this text.
    pub fn is(&self, name: &str, text: &str) -> bool {
        matches!(self.members.get(name), Some(Given::Json(Value::String(given)) | Given::Text(given)) if given == text)
    }

    /// Notes that the member `field` is invalid. Of several errors of one member the first counts.
    pub fn fail(&mut self, field: &str, detail: &str) {
        let field = clipped(field, UNKNOWN_NAME_MAX);
        if !self.errors.iter().any(|error| error.field == field) {
            self.errors.push(FieldError::new(field, detail));
        }
    }

    /// Reads the member `name`; `None` if it is invalid.
    pub fn take<M: Member>(&mut self, name: &'static str) -> Option<M::Value> {
        let name = plain(name);
        M::read(self.members.remove(name)).map_err(|detail| self.fail(name, &detail)).ok()
    }

    /// Done: what has not been read is unknown.
    fn finish<T>(mut self, input: Option<T>) -> Result<T, Vec<FieldError>> {
        for name in std::mem::take(&mut self.members).into_keys() {
            self.fail(&name, self.unknown);
        }
        match input {
            Some(input) if self.errors.is_empty() => Ok(input),
            _ => Err(self.errors),
        }
    }
}

/// A type that `input!` declares.
pub trait Input: Sized {
    /// The name of its schema.
    const NAME: &'static str;
    /// What it is, a line at a time.
    const DOC: &'static [&'static str];

    /// Adds what the document says of each member.
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
        object.additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false))).into()
    }
}

/// Declares inputs. `..settings: Settings` adds the members of another one to the same object; `check function` says what
/// members need of one another.
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

/// The name of a member whose identifier in Rust may be a raw one.
fn plain(identifier: &'static str) -> &'static str {
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

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
