//! Errors of single input fields.

/// An invalid field of the input, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// The end of a sentence that begins with the field's name, such as `must not be empty`.
    pub wrong: String,
}

impl FieldError {
    /// Creates the error of `field`; `wrong` ends a sentence that begins with its name.
    pub fn new(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self { field: field.into(), wrong: wrong.into() }
    }
}

/// Adds `more` to `errors`. Of several errors of one field the first counts.
pub fn merge(errors: &mut Vec<FieldError>, more: impl IntoIterator<Item = FieldError>) {
    for error in more {
        if !errors.iter().any(|known| known.field == error.field) {
            errors.push(error);
        }
    }
}
