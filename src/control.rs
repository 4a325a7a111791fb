//! Control over a target: virtual threads, emulated primitives, time, hooks and engines.
//!
//! `controller` decides who runs; an engine (`fibers`, `os_threads`) carries it out; `hooks` are the
//! functions by which the target's atomics, locks, threads and clocks reach them. A [`Session`] ties
//! them to a target.

mod active;
mod alone;
mod backtrace;
mod controller;
pub mod debugger;
mod directory;
mod engine;
mod fairness;
mod fibers;
mod files;
mod hooks;
mod image;
#[cfg(feature = "libfuzzer")]
pub mod libfuzzer;
mod log;
mod memory;
mod novelty;
mod order;
mod os_threads;
mod patience;
mod race_report;
mod races;
mod real;
mod record;
mod sanitizer;
mod session;
#[cfg(test)]
pub mod simulator;
mod stack;
mod state;
mod virtual_thread;

pub use controller::Budget;
pub use sanitizer::loaded as loaded_sanitizer;
pub use session::{Loading, Mode, Session};

/// Looks for memory that nothing points to any more; whether there is any. Its report goes to standard
/// error. `false` also in builds whose sanitizer does not look for leaks.
#[must_use]
pub fn leaks() -> bool {
    sanitizer::leaks()
}
