//! Campaigns: worker processes and their supervision, what they are to execute, and what is kept of it.
//!
//! The supervisor never executes a target. A worker gets one job, leaves its outcome in a file and the
//! choices of the running execution in a trace, so that whatever kills it becomes a finding with its case.

pub mod account;
pub mod bench;
pub mod bugs;
pub mod catalogue;
pub mod ci;
pub mod conformance;
pub mod corpus;
pub mod debug;
pub mod decisive;
pub mod doctor;
pub mod explorer;
pub mod findings;
pub mod fingerprint;
pub mod gathered;
pub mod interrupt;
pub mod job;
pub mod known;
pub mod laboratory;
pub mod measure;
pub mod minimise;
pub mod plan;
pub mod prebuilt;
mod printed;
pub mod quota;
pub mod replay;
pub mod search;
pub mod seed;
pub mod strategies;
pub mod supervisor;
mod suspects;
mod targets;
pub mod task_graphs;
pub mod transfer;
pub mod trials;
pub mod verify;
pub mod worker;

mod audit;
mod case_name;
pub mod each_test;
#[cfg(feature = "libfuzzer")]
mod evolve_worker;
pub mod explain;
pub(crate) mod loaded;
mod paths;
mod symbols;
mod tally;
mod unseen;

#[cfg(test)]
pub(crate) mod sample;
