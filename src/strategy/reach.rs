//! What an operation may have to do with others: as far as their order can matter.

use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};

/// Accesses may overlap where they do not begin at the same address. As far as this many bytes are aligned, they fall
/// on the same object.
const OBJECT: usize = 16;

/// What a step of a thread, its pending operation and all it does to its next scheduling point, touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing that another thread could tell.
    Nothing,
    Object {
        object: usize,
        changes: bool,
    },
    /// The numbers of new threads.
    Threads,
    /// Any file.
    Files,
    Everything,
}

impl Reach {
    /// What `thread` touches with this, after its operation `last`.
    #[must_use]
    pub fn of(thread: ThreadId, pending: &Op, last: Option<Op>) -> Self {
        let object = Self::Object { object: pending.object / OBJECT, changes: pending.kind.changes() };
        match pending.kind {
            OpKind::Fence | OpKind::Pause | OpKind::Yield => Self::Nothing,
            OpKind::Load | OpKind::Store | OpKind::Exchange | OpKind::CompareExchange | OpKind::ReadModifyWrite => {
                object
            }
            OpKind::Lock | OpKind::TryLock | OpKind::Unlock | OpKind::ConditionNotify => object,
            OpKind::FutexWait | OpKind::FutexWake | OpKind::Once | OpKind::StaticGuard | OpKind::ThreadJoin => object,
            // The end of the first thread may be that of the program.
            OpKind::ThreadEnd if thread != 0 => object,
            OpKind::ThreadCreate => Self::Threads,
            OpKind::File => Self::Files,
            OpKind::Wait => match last {
                // It begins, and has done nothing yet.
                None => Self::Nothing,
                // It tries again what it had to wait for.
                Some(last)
                    if last.object == pending.object
                        && matches!(
                            last.kind,
                            OpKind::Lock | OpKind::ThreadJoin | OpKind::FutexWait | OpKind::Wait
                        ) =>
                {
                    object
                }
                Some(_) => Self::Everything,
            },
            // A wait for a condition gives up a mutex too, the time depends on every point, and of anything else too
            // little is known.
            _ => Self::Everything,
        }
    }

    /// Whether the order of two steps may matter.
    #[must_use]
    pub fn touches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => false,
            (Self::Everything, _) | (_, Self::Everything) => true,
            (Self::Object { object, changes }, Self::Object { object: other, changes: also }) => {
                object == other && (*changes || *also)
            }
            (one, another) => one == another,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(kind: OpKind, object: usize) -> Reach {
        Reach::of(1, &Op { kind, object, place: 0 }, None)
    }

    #[test]
    fn operations_touch_each_other_on_the_same_object_unless_both_read() {
        let store = reach(OpKind::Store, 64);
        assert!(store.touches(&reach(OpKind::Load, 64)));
        assert!(store.touches(&reach(OpKind::Load, 72)), "it may overlap");
        assert!(!store.touches(&reach(OpKind::Load, 80)));
        assert!(!reach(OpKind::Load, 64).touches(&reach(OpKind::Load, 64)));
        assert!(!store.touches(&reach(OpKind::Yield, 0)));
        assert!(store.touches(&reach(OpKind::Clock, 0)));
        assert!(reach(OpKind::File, 0).touches(&reach(OpKind::File, 0)));
        assert!(!reach(OpKind::File, 0).touches(&store));
    }

    #[test]
    fn a_step_after_a_wait_is_a_new_attempt_at_what_it_waited_for() {
        let wait = Op { kind: OpKind::Wait, object: 64, place: 0 };
        let after = |kind| Reach::of(1, &wait, Some(Op { kind, ..wait }));
        assert_eq!(after(OpKind::Lock), reach(OpKind::Lock, 64));
        assert_eq!(after(OpKind::ConditionWait), Reach::Everything);
        assert_eq!(Reach::of(1, &Op::NOTHING, None), Reach::Nothing);
    }
}
