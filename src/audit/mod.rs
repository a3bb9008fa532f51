//! The audit log: events are stored durably before the response is sent. After that, the sequencer gives them their
//! positions, the sealer chains them, and a thread writes them as lines of JSON.

mod flood;
mod journal;
mod json_line;
mod json_lines;
mod line_file;
mod pace;
pub mod seal;
mod sequencer;
mod summary;

pub use flood::FloodGate;
pub use journal::{Journal, NotStored};
pub use json_lines::JsonLines;
use pace::Pace;
pub use sequencer::Sequencer;
