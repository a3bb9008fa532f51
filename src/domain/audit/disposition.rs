//! The result of a request, independent of the protocol that carries it.

/// The result of a request or a command. The protocol's layer maps each to a status number; events store that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Disposition {
    /// It was done, and no caller waits for a response: the service acts by itself.
    Unattended,
    /// It succeeded.
    Ok,
    /// It created something.
    Created,
    /// It succeeded, and the response is empty.
    NoContent,
    /// It cannot be parsed.
    Malformed,
    /// Its sender is unknown, or its credentials are refused.
    Unauthenticated,
    /// Its sender lacks the permission.
    Forbidden,
    /// It names nothing that exists for its sender.
    NotFound,
    /// Its target does not support the method.
    MethodNotAllowed,
    /// Its body did not arrive in time.
    TooSlow,
    /// The state of its target forbids it.
    Conflict,
    /// Its target existed and is gone.
    Gone,
    /// Its body is too large.
    BodyTooLarge,
    /// Its target is too long.
    TargetTooLong,
    /// Its body is of another media type.
    UnsupportedMediaType,
    /// It can be parsed, but has invalid fields.
    Invalid,
    /// Its sender exceeds a limit.
    TooMany,
    /// Its head is too large.
    HeadTooLarge,
    /// The service failed.
    Failed,
    /// The service cannot decide, do or record it now.
    Unavailable,
}

impl Disposition {
    /// Returns `true` if the service is at fault, not the sender.
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Failed | Self::Unavailable)
    }
}
