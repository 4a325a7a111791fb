//! What is kept of an execution that failed: its events and the steps of its threads.

pub mod interleaving;
pub mod timeline;
