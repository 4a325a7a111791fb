//! The `threadbare` program; everything is in the library, from `threadbare::cli` on.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use threadbare::allocator::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

fn main() -> ExitCode {
    threadbare::cli::main()
}
