//! The `threadbare` program built with sanitizer `address`; the campaigns run it as their worker.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    threadbare::cli::main()
}
