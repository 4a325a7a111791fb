//! Operations at scheduling points, which are the places where the controller may switch.

use serde::{Deserialize, Serialize};

/// What a thread does when it goes on, its pending operation: its kind, the address of what it is on, 0 for nothing,
/// and where in the code it stands, 0 if that is not known.
///
/// Addresses are only ever compared with each other: which they are differs from one process to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    pub kind: OpKind,
    /// The thread will not go on before the lock that this takes is free, or the thread that it joins has ended.
    pub waits: bool,
    /// Bytes that are accessed, of memory; 0 if that is not known.
    pub size: u32,
    pub object: usize,
    pub place: usize,
}

impl Op {
    /// What a thread does that has not begun.
    pub const NOTHING: Self = Self::new(OpKind::Wait, 0);

    /// One of which no more is known.
    #[must_use]
    #[inline]
    pub const fn new(kind: OpKind, object: usize) -> Self {
        Self { kind, waits: false, size: 0, object, place: 0 }
    }

    /// Whether the order of these two matters: they are on the same object, and one of them changes it.
    #[must_use]
    #[inline]
    pub fn races_with(&self, other: &Self) -> bool {
        self.object == other.object && self.object != 0 && (self.kind.changes() || other.kind.changes())
    }
}

/// A kind of operation. The numbers of the first seven are those of cpp/harness/points.h.
///
/// They enter the digests of schedules, so a number keeps its meaning from one version of the case
/// format to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum OpKind {
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
    /// A call on a descriptor of what is emulated: a pipe, a socket, an event and the like.
    Descriptor = 29,
    /// A signal is sent.
    Signal = 32,
    /// A look at which signals are pending.
    SignalLook = 33,
    /// What happens at signals changes: a mask, an action.
    SignalChange = 34,
    SignalWait = 35,
    /// A signal reaches the thread that it is for.
    SignalArrival = 36,
    /// A read of memory that is not atomic.
    PlainLoad = 40,
    /// A write of memory that is not atomic.
    PlainStore = 41,
    /// The program ends itself.
    Exit = 42,
}

impl OpKind {
    const ALL: [Self; 38] = [
        Self::Load,
        Self::Store,
        Self::Exchange,
        Self::CompareExchange,
        Self::ReadModifyWrite,
        Self::Fence,
        Self::Pause,
        Self::Lock,
        Self::TryLock,
        Self::Unlock,
        Self::ConditionWait,
        Self::ConditionNotify,
        Self::FutexWait,
        Self::FutexWake,
        Self::ThreadCreate,
        Self::ThreadEnd,
        Self::ThreadJoin,
        Self::Once,
        Self::StaticGuard,
        Self::Yield,
        Self::Sleep,
        Self::Clock,
        Self::Wait,
        Self::File,
        Self::SharedLock,
        Self::BarrierWait,
        Self::SemaphoreWait,
        Self::SemaphorePost,
        Self::SemaphoreLook,
        Self::Descriptor,
        Self::Signal,
        Self::SignalLook,
        Self::SignalChange,
        Self::SignalWait,
        Self::SignalArrival,
        Self::PlainLoad,
        Self::PlainStore,
        Self::Exit,
    ];

    /// The kind of that number, if there is one.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Whether the thread itself says that others should run.
    #[must_use]
    #[inline]
    pub fn yields(self) -> bool {
        matches!(self, Self::Pause | Self::Yield)
    }

    /// Whether it may change what it is on. A wait counts: what it goes on with is the attempt that failed before.
    #[must_use]
    #[inline]
    pub fn changes(self) -> bool {
        !matches!(
            self,
            Self::Load
                | Self::PlainLoad
                | Self::Fence
                | Self::Pause
                | Self::Yield
                | Self::Sleep
                | Self::Clock
                | Self::SignalLook
        )
    }

    /// Whether what it does depends on what it is on.
    #[must_use]
    #[inline]
    pub fn reads(self) -> bool {
        !matches!(
            self,
            Self::Store
                | Self::PlainStore
                | Self::Fence
                | Self::Pause
                | Self::Yield
                | Self::Sleep
                | Self::Clock
                | Self::Unlock
                | Self::ConditionNotify
                | Self::FutexWake
        )
    }

    /// Whether it is on memory of the program's own, atomic or not, and not by a call on an object.
    #[must_use]
    pub fn accesses(self) -> bool {
        matches!(
            self,
            Self::Load
                | Self::Store
                | Self::Exchange
                | Self::CompareExchange
                | Self::ReadModifyWrite
                | Self::PlainLoad
                | Self::PlainStore
        )
    }

    /// Whether it is about the life of a thread, or the end of a wait: its order with others is hardly a choice.
    #[must_use]
    #[inline]
    pub fn is_of_threads(self) -> bool {
        matches!(self, Self::ThreadCreate | Self::ThreadEnd | Self::ThreadJoin | Self::Wait)
    }

    /// Whether a loop that waits for others may consist of it: it can leave everything as it was. Those that may also
    /// take or change something, in a call of a system function, say so afterwards (`Controller::progress`).
    #[must_use]
    #[inline]
    pub fn may_spin(self) -> bool {
        matches!(
            self,
            Self::Load
                | Self::PlainLoad
                | Self::Exchange
                | Self::CompareExchange
                | Self::Fence
                | Self::Pause
                | Self::TryLock
                | Self::Yield
                | Self::Clock
                | Self::ThreadJoin
                | Self::SemaphoreWait
                | Self::SemaphoreLook
                | Self::SignalLook
                | Self::File
                | Self::Descriptor
        )
    }

    /// The kind that has this number in cpp/harness/points.h; unknown ones count as loads.
    #[must_use]
    #[inline]
    pub fn of_atomic(operation: u32) -> Self {
        // A table, so this takes no branches, which would be mispredicted at every other point.
        const KINDS: [OpKind; 8] = [
            OpKind::Load,
            OpKind::Store,
            OpKind::Exchange,
            OpKind::CompareExchange,
            OpKind::ReadModifyWrite,
            OpKind::Fence,
            OpKind::Pause,
            OpKind::Load,
        ];
        KINDS[operation.min(7) as usize]
    }
}
