//! The kinds of point: places where the controller may switch.
#![forbid(unsafe_code)]

/// What a thread does when it goes on: the operation of its point, and the address of what that is on, 0 for nothing.
///
/// Addresses are only ever compared with each other: which they are differs from one process to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    pub point: Point,
    pub object: usize,
}

impl Pending {
    /// What a thread does that has not begun.
    pub const NOTHING: Self = Self { point: Point::Wait, object: 0 };
}

/// A kind of operation. The numbers of the first seven are those of cpp/harness/points.h.
///
/// They enter the digests of schedules, so a number keeps its meaning from one version of the case
/// format to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Point {
    Load = 0,
    Store = 1,
    Exchange = 2,
    CompareExchange = 3,
    ReadModifyWrite = 4,
    Fence = 5,
    /// A pause instruction: the thread says that it waits for another one.
    Pause = 6,
    Lock = 7,
    TryLock = 8,
    Unlock = 9,
    ConditionWait = 10,
    ConditionNotify = 11,
    FutexWait = 12,
    FutexWake = 13,
    ThreadCreate = 14,
    ThreadEnd = 15,
    ThreadJoin = 16,
    Once = 17,
    StaticGuard = 18,
    /// `sched_yield`.
    Yield = 19,
    Sleep = 20,
    Clock = 21,
    /// The thread begins to wait, or is no more: it cannot go on by itself.
    Wait = 22,
    /// A call on a file or directory.
    File = 23,
    /// Taking a lock that others may hold at the same time.
    SharedLock = 24,
    BarrierWait = 25,
    SemaphoreWait = 26,
    SemaphorePost = 27,
    /// A look at what a semaphore holds.
    SemaphoreLook = 28,
}

impl Point {
    /// Whether the thread itself says that others should run.
    #[must_use]
    pub fn yields(self) -> bool {
        matches!(self, Self::Pause | Self::Yield)
    }

    /// The point of an operation number of cpp/harness/points.h; unknown ones count as loads.
    #[must_use]
    #[inline]
    pub fn of_atomic(operation: u32) -> Self {
        // A table, since the branches of a match would be mispredicted at every other point.
        const ATOMIC: [Point; 7] = [
            Point::Load,
            Point::Store,
            Point::Exchange,
            Point::CompareExchange,
            Point::ReadModifyWrite,
            Point::Fence,
            Point::Pause,
        ];
        ATOMIC.get(operation as usize).copied().unwrap_or(Self::Load)
    }
}
