//! Waiting for what happens elsewhere: in another process, in a loop that runs beside the test.

use std::time::{Duration, Instant};

/// Waits until `holds`, which it asks again and again: nothing tells a test when a process has come so far.
#[track_caller]
pub fn eventually(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    assert!(holds_within(patience, &mut holds), "not within {patience:?}: {what}");
}

/// Whether it comes to hold in time.
pub fn holds_within(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Lets time pass for what goes by no clock of the test's, and says why.
pub fn pause(_because: &str, duration: Duration) {
    std::thread::sleep(duration);
}
