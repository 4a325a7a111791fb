//! What a search did not try because the controller intervened.

use serde::{Deserialize, Serialize};

/// How often somebody other than the strategy decided who runs, or the execution did not run to its end. Where a search that
/// has come to its end has none of it, every schedule was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Times that a thread was set aside: that it goes on in its loop was not tried there.
    pub set_aside: u64,
    /// Executions in which threads took turns from some point on, since they were long.
    pub fair: u64,
    /// Executions that were cut where their scheduling points were used up.
    pub cut: u64,
    /// Times that an execution did not go the way it was sent: the program depends on more than choices.
    pub strayed: u64,
}

impl LeftOut {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, other: &Self) {
        self.set_aside += other.set_aside;
        self.fair += other.fair;
        self.cut += other.cut;
        self.strayed += other.strayed;
    }
}
