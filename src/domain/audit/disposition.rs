//! What becomes of a request, apart from the protocol that carries it.

/// What becomes of a request or a command. The protocol's layer has a status number for each; events store that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Disposition {
    /// It was done, and nobody waits for a response: the service acts by itself.
    Unattended,
    /// It was done or answered.
    Ok,
    /// It created something.
    Created,
    /// It was done, and there is nothing to show.
    NoContent,
    /// It cannot be read.
    Malformed,
    /// Its sender is not known, or not accepted.
    Unauthenticated,
    /// Its sender may not.
    Forbidden,
    /// It names nothing that exists for its sender.
    NotFound,
    /// What it names takes no such method.
    MethodNotAllowed,
    /// Its body did not arrive in time.
    TooSlow,
    /// The state of what it names forbids it.
    Conflict,
    /// What it names existed once.
    Gone,
    /// Its body is too large.
    BodyTooLarge,
    /// Its target is too long.
    TargetTooLong,
    /// Its body is of another media type.
    UnsupportedMediaType,
    /// It can be read, and has fields that are invalid.
    Invalid,
    /// Its sender is over a limit.
    TooMany,
    /// Its head is too large.
    HeadTooLarge,
    /// The service failed.
    Failed,
    /// The service cannot decide, do or record it now.
    Unavailable,
}

impl Disposition {
    /// Whether the service, not the sender, is at fault.
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Failed | Self::Unavailable)
    }
}
