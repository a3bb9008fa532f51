//! Changes to single fields.

/// A change to a field that can be left as it is, cleared, or set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Not mentioned.
    #[default]
    Keep,
    /// Back to the default, or to none (JSON `null`).
    Clear,
    /// Set.
    Set(T),
}

impl<T> Patch<T> {
    /// The field's value after the change, where it was `current` and may be none.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The new value, where `cleared` is the value of a cleared field; `None` if the field is not mentioned.
    pub fn or_cleared(self, cleared: T) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(cleared),
            Self::Set(value) => Some(value),
        }
    }

    /// Whether the field is not mentioned.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}
