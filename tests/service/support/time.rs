//! Instants as milliseconds since the epoch, and as texts.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch by the system's clock, which processes go by.
pub fn system_now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// An RFC 3339 time in UTC.
pub fn rfc3339(millis: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis).unwrap();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Milliseconds since the epoch of an RFC 3339 time, which must be in UTC.
#[track_caller]
pub fn from_rfc3339(text: &str) -> i64 {
    assert!(text.ends_with('Z'), "not in UTC: {text}");
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}
