//! What an operation may have to do with others: as far as their order can matter.
#![forbid(unsafe_code)]

use crate::execution::ThreadId;
use crate::point::{Pending, Point};

/// Accesses may overlap where they do not begin at the same address. As far as this many bytes are aligned, they fall
/// on the same object.
const OBJECT: usize = 16;

/// What a step of a thread, its pending operation and all it does to its next point, touches.
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
    pub fn of(thread: ThreadId, pending: &Pending, last: Option<Pending>) -> Self {
        let object = Self::Object { object: pending.object / OBJECT, changes: pending.point.changes() };
        match pending.point {
            Point::Fence | Point::Pause | Point::Yield => Self::Nothing,
            Point::Load | Point::Store | Point::Exchange | Point::CompareExchange | Point::ReadModifyWrite => object,
            Point::Lock | Point::TryLock | Point::Unlock | Point::ConditionNotify => object,
            Point::FutexWait | Point::FutexWake | Point::Once | Point::StaticGuard | Point::ThreadJoin => object,
            // The end of the first thread may be that of the program.
            Point::ThreadEnd if thread != 0 => object,
            Point::ThreadCreate => Self::Threads,
            Point::File => Self::Files,
            Point::Wait => match last {
                // It begins, and has done nothing yet.
                None => Self::Nothing,
                // It tries again what it had to wait for.
                Some(last)
                    if last.object == pending.object
                        && matches!(last.point, Point::Lock | Point::ThreadJoin | Point::FutexWait | Point::Wait) =>
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

    fn reach(point: Point, object: usize) -> Reach {
        Reach::of(1, &Pending { point, object, place: 0 }, None)
    }

    #[test]
    fn operations_touch_each_other_on_the_same_object_unless_both_read() {
        let store = reach(Point::Store, 64);
        assert!(store.touches(&reach(Point::Load, 64)));
        assert!(store.touches(&reach(Point::Load, 72)), "it may overlap");
        assert!(!store.touches(&reach(Point::Load, 80)));
        assert!(!reach(Point::Load, 64).touches(&reach(Point::Load, 64)));
        assert!(!store.touches(&reach(Point::Yield, 0)));
        assert!(store.touches(&reach(Point::Clock, 0)));
        assert!(reach(Point::File, 0).touches(&reach(Point::File, 0)));
        assert!(!reach(Point::File, 0).touches(&store));
    }

    #[test]
    fn a_step_after_a_wait_is_a_new_attempt_at_what_it_waited_for() {
        let wait = Pending { point: Point::Wait, object: 64, place: 0 };
        let after = |point| Reach::of(1, &wait, Some(Pending { point, ..wait }));
        assert_eq!(after(Point::Lock), reach(Point::Lock, 64));
        assert_eq!(after(Point::ConditionWait), Reach::Everything);
        assert_eq!(Reach::of(1, &Pending::NOTHING, None), Reach::Nothing);
    }
}
