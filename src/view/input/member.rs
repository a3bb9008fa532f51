//! What may be done with a member: whether it may be absent, or null.

use std::marker::PhantomData;

use serde_json::Value;

use super::Field;
use crate::domain::patch::Patch;

/// A member as it was sent.
#[derive(Debug)]
pub enum Given {
    /// A member of a JSON object.
    Json(Value),
    /// A parameter of a query string.
    Text(String),
}

impl Given {
    pub fn is_null(&self) -> bool {
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

/// A member that must be there, and is not null.
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
