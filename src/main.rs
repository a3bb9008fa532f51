//! Starts the command line.

use std::process::ExitCode;

/// An event is created by one thread and freed by another, the writer of events. In the allocator of glibc requests
/// spent about a tenth of their time (decision 23).
#[cfg(target_arch = "x86_64")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    sealwright::cli::run()
}
