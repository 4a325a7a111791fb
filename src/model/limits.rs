//! What an execution and an input may take at most.

/// Virtual threads of one execution.
pub const MAX_VIRTUAL_THREADS: usize = 1024;
/// Scheduling points of one execution; no step budget is larger.
pub const MAX_POINTS: u64 = 1 << 22;
/// Bytes of an input.
pub const MAX_INPUT_BYTES: usize = 1 << 20;
