//! How far a search of all executions has come.

use serde::{Deserialize, Serialize};

/// Of a search that leaves out executions that differ from others only in the order of operations that commute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    pub executions: u64,
    /// Those among them that were like an earlier one, as turned out on the way; all others differ.
    pub repeated: u64,
    /// How many differ in reads-from and modification order. There were so many that more could not be told apart, or not.
    #[serde(default)]
    pub distinct: u64,
    #[serde(default)]
    pub may_be_more: bool,
    /// Times that one did not go the way it was sent.
    pub strayed: u64,
    /// Races of a thread's accesses to its own stack, which are no scheduling points.
    pub raced_unseen: u64,
    /// Executions of the whole search, as far as can be judged.
    pub estimate: u64,
}
