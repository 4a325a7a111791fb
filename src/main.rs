//! The `threadbare` program; everything is in the library, from `threadbare::cli` on.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    threadbare::cli::main()
}
