//! What the fuzz targets that execute C++ under control are to cargo-fuzz: each becomes the executable that does it.
//!
//! cargo-fuzz instruments all Rust that it builds, for coverage and for a sanitizer. The controller must not be: it runs
//! on its own stacks, orders threads by means that no sanitizer knows, and is called at every scheduling point, where
//! counting its edges costs more than the point. So build.rs builds these targets apart (fuzz/controlled/), with
//! instrumented C++ and plain Rust.
#![forbid(unsafe_code)]

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Goes on as the controlled target of that name, with the same arguments and environment.
///
/// # Panics
/// It is not where it was built.
pub fn become_controlled(name: &str) {
    let target = Path::new(env!("THREADBARE_CONTROLLED_TARGETS")).join(name);
    let mut arguments = env::args_os();
    let mut command = Command::new(&target);
    // libFuzzer starts itself again by this name.
    command.arg0(arguments.next().unwrap_or_else(|| name.into())).args(arguments);
    let error = command.exec();
    panic!("{}: {error}; build it again with `cargo +nightly fuzz build {name}`", target.display());
}
