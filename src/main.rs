//! Starts the command line.

use std::process::ExitCode;

/// Half of the memory that requests take is freed by another thread than the one that took it. That costs the
/// allocator of glibc much of their time.
#[cfg(target_arch = "x86_64")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    sealwright::cli::run()
}
