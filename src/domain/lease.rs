//! The lease of a background loop, as its holder knows it.

use std::sync::Arc;

/// A lease that this process held when it last looked. Another process may have taken it over since: every write of the
/// loop checks the fence in its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The name of the loop.
    pub name: Arc<str>,
    /// The fencing number. Each new holder has a higher one.
    pub fence: i64,
}
