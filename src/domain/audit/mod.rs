//! Audit events: the record of every access and change. They never contain a secret, a token or a key.

mod action;
mod disposition;
mod event;
mod lag;
mod reason;
mod recorded;
mod verification;

pub use action::Action;
pub use disposition::Disposition;
pub use event::{AuditEvent, Claimed, Origin, Outcome};
pub use lag::AuditLag;
pub use reason::Reason;
pub use recorded::{EventFilter, RecordedEvent};
pub use verification::{Defect, Finding, Verification};
