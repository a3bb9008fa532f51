//! What a check of the audit log against its seals finds.

/// What was done to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Defect {
    /// It is not as it was sealed.
    Changed,
    /// It was sealed, and is not there.
    Removed,
    /// It was not there when its place was sealed.
    Inserted,
    /// It was sealed in another place.
    Reordered,
    /// The seal itself was changed, or is missing.
    SealBroken,
}

impl Defect {
    /// Returns the name in the command's output.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The first defect that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was done.
    pub defect: Defect,
    /// The position concerned; of a broken seal, that of its first event.
    pub position: i64,
    /// The event's id, where the event is there.
    pub event: Option<String>,
}

/// What a check of the log has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Events that are as they were sealed.
    pub verified: i64,
    /// Of these, the events whose address and user agent were erased.
    pub erased: i64,
    /// The position of the last event that is sealed.
    pub until: i64,
    /// Events that have a position, and no seal yet.
    pub unsealed: i64,
    /// The first defect; nothing behind it was checked.
    pub finding: Option<Finding>,
}
