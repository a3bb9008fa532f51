//! Fields of an input that are invalid.

/// A field of the input and what is wrong with it, as the end of a sentence that begins with the field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// Such as `must not be empty`.
    pub wrong: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self { field: field.into(), wrong: wrong.into() }
    }
}
