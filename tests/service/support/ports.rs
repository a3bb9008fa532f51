//! Ports for processes, which bind them by themselves.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// A free port of the loopback interface. The system hands none of these out by itself, so that no other test gets it
/// before the process that it is for.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 80 * 100).unwrap();
    loop {
        let port = 10_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
