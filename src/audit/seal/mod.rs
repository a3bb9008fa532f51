//! The seals of the audit log: a chain of digests over all events in the order of their positions. Whoever changes,
//! removes, inserts or reorders an event that is sealed breaks the chain.

mod digest;
mod sealer;
mod verifier;

pub use sealer::Sealer;
pub use verifier::verify;
