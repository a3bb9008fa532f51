//! Measures the hot paths under load, against bare handlers and against themselves: `benches/README.md` explains what
//! and why.
//!
//! Usage: `cargo run --release --example load -- COMMAND… [OPTION…]`; `--help` lists them. Everything runs on loopback
//! and in a folder below the target folder, which is removed at the end. Not a part of the product.

#![allow(clippy::print_stdout)] // the figures

mod run;

use std::process::ExitCode;

use clap::Parser as _;
use run::{Bench, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    match Bench::prepare(options).and_then(|bench| bench.run()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(bad) => fail(&format!("{bad} requests did not get the expected response")),
        Err(error) => fail(&error.to_string()),
    }
}

#[allow(clippy::print_stderr)]
fn fail(message: &str) -> ExitCode {
    eprintln!("load: {message}");
    ExitCode::FAILURE
}
