//! The processor that one thread at a time may be in.

use std::fmt::{self, Display, Formatter};

use crate::model::execution::ThreadId;
use crate::task_graph::AccessChecks;

/// Who is in a processor. What a thread does inside, entering again included, is its own affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Processor {
    checks: AccessChecks,
    owner: Option<ThreadId>,
    /// How often the owner entered and did not leave.
    depth: u32,
    visitors: Visitors,
}

/// Whom a thread may take for the owner although it has left, as nothing orders that before the thread's own call: under a weak
/// memory model it may read an older store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Visitors {
    /// Nobody: threads see the newest store.
    Unseen,
    Nobody,
    One(ThreadId),
    Several,
}

impl Processor {
    #[must_use]
    pub fn new(checks: AccessChecks) -> Self {
        Self { checks, owner: None, depth: 0, visitors: Visitors::Unseen }
    }

    /// The same in an execution under a weak memory model.
    #[must_use]
    pub fn under_weak_memory(self) -> Self {
        Self { visitors: Visitors::Nobody, ..self }
    }

    /// Whether the thread may have been refused.
    #[must_use]
    pub fn may_refuse(&self, thread: ThreadId) -> bool {
        let is_other = |owner: ThreadId| owner != thread;
        let was_left = match self.visitors {
            Visitors::Unseen | Visitors::Nobody => false,
            Visitors::One(visitor) => is_other(visitor),
            Visitors::Several => true,
        };
        // A thread that is inside knows it.
        let is_inside = self.owner == Some(thread);
        self.checks == AccessChecks::On && !is_inside && (was_left || self.owner.is_some_and(is_other))
    }

    /// Gives 1, or 0 if another thread is inside. An unchecked processor refuses nobody; that nobody enters
    /// it then is what the task graph sees to.
    pub fn enter(&mut self, thread: ThreadId) -> Option<i64> {
        if self.owner.is_some_and(|owner| owner != thread) {
            return (self.checks == AccessChecks::On).then_some(0);
        }
        self.owner = Some(thread);
        self.depth += 1;
        self.visitors = match self.visitors {
            Visitors::Nobody => Visitors::One(thread),
            Visitors::One(visitor) if visitor != thread => Visitors::Several,
            visitors => visitors,
        };
        Some(1)
    }

    /// Only the owner can leave, and only its outermost exit lets others in.
    pub fn leave(&mut self, thread: ThreadId) -> Option<i64> {
        if self.owner != Some(thread) {
            return None;
        }
        self.depth -= 1;
        if self.depth == 0 {
            self.owner = None;
        }
        Some(0)
    }
}

impl Display for Processor {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.owner {
            Some(thread) => write!(formatter, "a processor ({}) that thread {thread} is in", self.checks),
            None => write!(formatter, "a processor ({}) that nobody is in", self.checks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_exit_lets_another_thread_in() {
        let mut processor = Processor::new(AccessChecks::On);
        assert_eq!((processor.enter(1), processor.enter(1), processor.enter(2)), (Some(1), Some(1), Some(0)));
        assert_eq!((processor.leave(2), processor.leave(1), processor.enter(2)), (None, Some(0), Some(0)));
        assert_eq!((processor.leave(1), processor.enter(2)), (Some(0), Some(1)));
    }

    #[test]
    fn under_weak_memory_a_thread_may_be_refused_for_one_that_has_left() {
        let mut processor = Processor::new(AccessChecks::On).under_weak_memory();
        assert!(!processor.may_refuse(1), "nobody was ever inside");
        processor.enter(1);
        processor.leave(1);
        assert!(processor.may_refuse(2) && !processor.may_refuse(1), "a thread sees its own stores");
        processor.enter(2);
        assert!(processor.may_refuse(1) && !processor.may_refuse(2), "it is inside");
        processor.leave(2);
        assert!(processor.may_refuse(1) && processor.may_refuse(2));
        let mut strong = Processor::new(AccessChecks::On);
        strong.enter(1);
        assert!(strong.may_refuse(2));
        strong.leave(1);
        assert!(!strong.may_refuse(2));
    }

    #[test]
    fn an_unchecked_processor_refuses_nobody() {
        let mut processor = Processor::new(AccessChecks::Off);
        processor.enter(1);
        assert_eq!(processor.enter(2), None);
        processor.leave(1);
        assert_eq!(processor.enter(2), Some(1));
    }
}
