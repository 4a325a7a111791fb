//! threadbare is a controlled concurrency tester for C and C++20.
//!
//! Data flows one way:
//! `task graph -> control(target, strategy) -> execution -> oracle(reference) -> finding -> report`.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "an allocator")]
pub mod allocator;
pub mod campaign;
pub mod case;
pub mod check;
pub mod cli;
#[allow(unsafe_code, reason = "takes the place of functions of C, and loads what is explored")]
pub mod control;
pub mod digest;
pub mod evidence;
#[allow(unsafe_code, reason = "libFuzzer's counters, and memory that is shared with the supervisor")]
pub mod feedback;
pub mod fuzzing;
pub mod input;
pub mod model;
mod number;
pub mod oracle;
#[allow(unsafe_code, reason = "asks the system for what Rust has no functions for")]
pub mod process;
pub mod project;
#[allow(unsafe_code, reason = "memory that is shared with the supervisor")]
pub mod protocol;
pub mod reference;
pub mod regular;
pub mod report;
#[allow(unsafe_code, reason = "loads runtimes, and is the bridge to them")]
pub mod runtime;
mod scratch;
pub mod strategy;
pub mod target;
pub mod task_graph;
pub mod terminal;
mod whole_file;
pub mod wrapper;
