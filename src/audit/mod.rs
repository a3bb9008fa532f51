//! Audit events: appended durably before what they witness is answered.

mod flood;
mod journal;

pub use flood::FloodGate;
pub use journal::{Journal, NotStored};
