//! A change to a single field.

/// A change to a field that can be left as it is, cleared, or set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Keep the value: the input does not name the field.
    #[default]
    Keep,
    /// Reset to the default, or to none (JSON `null`).
    Clear,
    /// Replace the value.
    Set(T),
}

impl<T> Patch<T> {
    /// Applies the change to the value `current` of an optional field.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Returns the new value, with `cleared` for a cleared field; `None` if the field keeps its value.
    pub fn or_cleared(self, cleared: T) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(cleared),
            Self::Set(value) => Some(value),
        }
    }

    /// Converts the value of a field that is set.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)),
        }
    }

    /// Returns `true` if the field keeps its value.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}
