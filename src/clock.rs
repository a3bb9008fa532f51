//! The one place that asks the system clock; everywhere else time is an argument.

use crate::domain::time::Timestamp;

/// This instant. A clock set before 1970 or beyond the year 292 million counts as the nearest end.
pub fn now() -> Timestamp {
    let millis = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(_) => 0,
    };
    Timestamp::from_millis(millis)
}
