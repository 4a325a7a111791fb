//! How far a search of all executions follows loops that wait for others: few rounds at first, and more for as long as that
//! costs little.

/// Rounds after which the others must go on first: at the beginning, and at most.
pub(super) const PATIENCE: u32 = 4;
const MOST_PATIENCE: u32 = 256;
/// A search that took more executions is not begun anew with more patience.
const SHORT: u64 = 5_000;

/// The patience with which a search begins anew that took so many executions with this one, if it does.
pub(super) fn deeper(patience: u32, executions: u64) -> Option<u32> {
    let deeper = patience * 4;
    (executions <= SHORT && deeper <= MOST_PATIENCE).then_some(deeper)
}
