//! threadbare is a controlled concurrency tester for C and C++20.
//!
//! Data flows one way:
//! `task graph -> control(target, strategy) -> execution -> oracle(reference) -> finding -> report`.

pub mod campaign;
pub mod case;
pub mod check;
pub mod cli;
pub mod control;
pub mod digest;
pub mod execution;
pub mod feedback;
pub mod finding;
pub mod fuzzing;
pub mod input;
mod number;
pub mod op;
pub mod oracle;
pub mod project;
pub mod reference;
pub mod report;
pub mod runtime;
pub mod schedule;
mod scratch;
pub mod settings;
pub mod strategy;
pub mod target;
pub mod task_graph;
