//! The audit log: events are stored durably before the response is sent.

mod flood;
mod journal;
mod json_lines;

pub use flood::FloodGate;
pub use journal::{Journal, NotStored};
