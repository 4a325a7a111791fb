//! The `threadbare` program as its users see it: each test runs it in a directory of its own.

mod check;
mod ci;
mod command;
mod completeness;
mod corpus;
mod crashes;
mod descriptors;
mod each_test;
mod explain;
mod freed;
mod fuzz;
mod fuzz_findings;
mod hostile;
mod inputs;
mod interruptions;
mod minimise;
mod prebuilt;
mod project;
mod refusals;
mod regressions;
mod runtimes;
mod sanitizers;
mod shown;
mod transcripts;
mod waiting;
mod wrappers;
