//! What a search did not try because the controller intervened.

use serde::{Deserialize, Serialize};

/// How often somebody other than the strategy decided who runs, or the execution did not run to its end, and what the strategy
/// is never asked about. Where a search that has come to its end has none of it, every schedule was tried.
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
    /// Races that were met of a thread's accesses to its own stack with those of others: the former are no scheduling points,
    /// so not every order was tried.
    pub raced_unseen: u64,
    /// Times that a thread had to read the newest store, since it had read older ones of the object often enough.
    pub newest: u64,
    /// Accesses and races that were not judged, for want of room.
    #[serde(default)]
    pub unjudged: u64,
    pub unseen: Unseen,
}

/// What threads may do to memory without a scheduling point, whatever the strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// Plain accesses, since it was asked for points at synchronisation alone.
    pub plain: bool,
    /// What AddressSanitizer does not check, of a compiler that has points only where it does.
    pub unchecked: bool,
    /// What code does that was compiled by others, with threads or atomic operations of its own.
    pub prebuilt: bool,
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
        self.raced_unseen += other.raced_unseen;
        self.newest += other.newest;
        self.unjudged += other.unjudged;
        let Unseen { plain, unchecked, prebuilt } = other.unseen;
        self.unseen.plain |= plain;
        self.unseen.unchecked |= unchecked;
        self.unseen.prebuilt |= prebuilt;
    }
}
