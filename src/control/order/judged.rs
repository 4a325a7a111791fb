//! What the race detector is told of the thread that runs, and what calls led there where it is to be told.
//!
//! An execution in which races were found is executed once more for their reports, and is watched then.

use std::ops::{ControlFlow, Range};

use super::{Kept, Paused, Shown, is_on, with_kept};
use crate::control::backtrace;
use crate::control::races::{Access, Detector, Kind, Now, Race, Seen};
use crate::control::sanitizer::{self, Unwatched};

/// Bytes of a variable that one instruction accesses.
const LARGEST_OPERAND: usize = 16;
/// Calls of one stack that are kept.
const MOST_CALLS: usize = 128;
/// Stacks of one execution that are kept.
const MOST_STACKS: usize = 1 << 16;

/// The detector, and the stacks of a watched execution.
pub(super) struct Judged {
    races: Detector,
    /// Addresses to which calls return, the innermost first. The first stack is empty, and stands for all that were not kept.
    stacks: Vec<Vec<usize>>,
    /// The accesses that are watched for, by their number in the execution, each with the number of its stack.
    accesses: Vec<(u32, usize)>,
    is_watched: bool,
    /// By thread, how much more often it said that its accesses count than that they do not; nobody said anything if there is
    /// nothing.
    heeded: Vec<Heed>,
}

/// What the accesses of a thread count: not at all if the number is below zero.
#[derive(Clone, Copy, Default)]
pub(in crate::control) struct Heed {
    pub reads: i32,
    pub writes: i32,
}

/// What is known of a race, for its report.
pub(in crate::control) struct Told {
    pub race: Race,
    /// The calls of the earlier and of the later access.
    pub accesses: [Vec<usize>; 2],
    /// Those by which the block came to be that they are in.
    pub allocation: Vec<usize>,
    /// Those by which the later thread took each lock that it held.
    pub locks: Vec<Vec<usize>>,
    /// By access, who created its thread, and by what calls; nobody the first one.
    pub births: [Option<(usize, Vec<usize>)>; 2],
}

impl Told {
    /// A race of which no more is known than where it is.
    pub fn without_calls(race: Race) -> Self {
        let accesses = [vec![race.earlier.place], vec![race.later.place]];
        Self { race, accesses, allocation: Vec::new(), locks: Vec::new(), births: [None, None] }
    }
}

impl Judged {
    pub fn new() -> Self {
        Self {
            races: Detector::new(),
            stacks: vec![Vec::new()],
            accesses: Vec::new(),
            is_watched: false,
            heeded: Vec::new(),
        }
    }

    /// An execution begins, which is like one before and in which these steps are watched for.
    pub fn begin(&mut self, watched: Vec<u32>) {
        self.stacks.truncate(1);
        self.heeded.clear();
        self.accesses.clear();
        self.accesses.extend(watched.iter().map(|access| (*access, 0)));
        self.is_watched = !watched.is_empty();
        self.races.watch(watched);
        self.races.begin(sanitizer::program());
    }

    /// The number of the stack of the calling thread; 0 in an execution that is not watched.
    fn stack(&mut self) -> usize {
        if !self.is_watched || self.stacks.len() == MOST_STACKS {
            return 0;
        }
        let _unwatched = Unwatched::begin();
        let _paused = Paused::begin(); // The unwinder takes locks.
        let mut calls = Vec::new();
        backtrace::walk(|frame| {
            calls.push(frame.returns_to);
            if calls.len() < MOST_CALLS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.stacks.push(calls);
        self.stacks.len() - 1
    }

    /// Whether such an access of the thread counts.
    #[inline]
    fn heeds(&self, thread: usize, kind: Kind) -> bool {
        self.heeded.get(thread).is_none_or(|heed| (if kind.writes() { heed.writes } else { heed.reads }) >= 0)
    }

    fn look(&mut self, seen: Seen) {
        if let Seen::Watched(index) = seen {
            self.accesses[index].1 = self.stack();
        }
    }

    /// Of a race of an execution that was watched for its accesses.
    fn told(&self, race: &Race) -> Told {
        let stack = |number: usize| self.stacks[number].clone();
        // What led to a place is what called from there, and not the hook.
        let calls = |access: &Access| {
            let watched = self.accesses.iter().find(|(number, _)| *number == access.step);
            let calls = watched.map_or_else(Vec::new, |(_, number)| stack(*number));
            let start = calls.iter().position(|call| *call == access.place);
            start.map_or_else(|| vec![access.place], |start| calls[start..].to_vec())
        };
        let birth = |thread| self.races.birth(thread).map(|birth| (birth.parent, stack(birth.stack)));
        Told {
            accesses: [calls(&race.earlier), calls(&race.later)],
            allocation: race.block.map_or_else(Vec::new, |block| stack(block.stack)),
            locks: race.held.iter().map(|held| stack(held.stack)).collect(),
            births: [birth(race.earlier.thread), birth(race.later.thread)],
            race: race.clone(),
        }
    }
}

/// Does something with the detector, in the name of the thread that runs, if there is one.
#[inline(always)]
fn with_judged(act: impl FnOnce(&mut Judged, Now<'_>)) {
    with_kept(|Kept { memory, judged, .. }, thread| {
        if let Some(judged) = judged {
            act(judged, Now { thread, epoch: memory.releases(thread), clock: memory.clock(thread) });
        }
    });
}

/// The running thread makes a plain access there. Only where clocks are kept.
#[inline]
pub(in crate::control) fn access(place: usize, address: usize, size: usize, kind: Kind) {
    with_judged(|judged, now| {
        if !judged.heeds(now.thread, kind) {
            return;
        }
        let seen = if size <= LARGEST_OPERAND {
            judged.races.access(now, place, address, size as u32, kind)
        } else {
            judged.races.range(now, place, address, size, kind)
        };
        judged.look(seen);
    });
}

/// As `access`, of what the controller does in the name of the program, whether or not clocks are kept.
#[inline]
pub(super) fn access_if_on(place: usize, address: usize, size: usize, kind: Kind) {
    if is_on() {
        access(place, address, size, kind);
    }
}

impl Kept {
    /// The running thread has made its last step there.
    #[inline]
    pub(super) fn judge_atomic(&mut self, thread: usize, access: &Shown) {
        let Self { memory, judged: Some(judged), .. } = self else { return };
        // What the step itself has released comes after it.
        let epoch = memory.released().map_or_else(|| memory.releases(thread), |(_, number)| number - 1);
        let now = Now { thread, epoch, clock: memory.clock(thread) };
        let kind = if access.writes { Kind::ATOMIC_WRITE } else { Kind::ATOMIC_READ };
        let seen = judged.races.access(now, access.caller, access.address, access.size as u32, kind);
        judged.look(seen);
    }

    pub(super) fn judge_birth(&mut self, parent: usize, child: usize) {
        let Some(judged) = &mut self.judged else { return };
        let stack = judged.stack();
        judged.races.add_thread(parent, child, stack);
    }

    #[inline]
    pub(super) fn judge_begin(&mut self, memory: Range<usize>) {
        if let Some(judged) = &mut self.judged {
            judged.races.begins(memory);
        }
    }

    pub(super) fn judge_given_back(&mut self, address: usize, bytes: usize) {
        if let Some(judged) = &mut self.judged {
            judged.races.given_back(address, bytes);
        }
    }

    /// All that was done happens before all that is still to come.
    pub(super) fn judge_settled(&mut self) {
        if let Some(judged) = &mut self.judged {
            judged.races.settled();
        }
    }
}

/// The running thread was given a block, which nobody has used before. Only where clocks are kept.
pub(super) fn allocated(address: usize, size: usize) {
    with_judged(|judged, now| {
        let stack = judged.stack();
        judged.races.allocated(now.thread, stack, address, size);
    });
}

/// The running thread frees a block.
pub(in crate::control) fn freed(place: usize, address: usize, size: usize) {
    if is_on() {
        with_judged(|judged, now| {
            let seen = judged.races.freed(now, place, address, size);
            judged.look(seen);
        });
    }
}

/// The running thread has taken a lock.
#[inline]
pub(in crate::control) fn locked(lock: usize, is_shared: bool) {
    if is_on() {
        with_judged(|judged, now| {
            let stack = judged.stack();
            judged.races.locked(now.thread, stack, lock, is_shared);
        });
    }
}

/// The running thread gives up a lock.
#[inline]
pub(in crate::control) fn unlocked(lock: usize) {
    if is_on() {
        with_judged(|judged, now| judged.races.unlocked(now.thread, lock));
    }
}

/// The accesses of the running thread count by so much more, or less.
pub(in crate::control) fn heed(by: Heed) {
    with_judged(|judged, Now { thread, .. }| {
        let _unwatched = Unwatched::begin();
        if judged.heeded.len() <= thread {
            judged.heeded.resize(thread + 1, Heed::default());
        }
        let heed = &mut judged.heeded[thread];
        (heed.reads, heed.writes) = (heed.reads + by.reads, heed.writes + by.writes);
    });
}

/// Races there are none, by the program's own word.
pub(in crate::control) fn races_are_meant(memory: Range<usize>) {
    with_judged(|judged, _| judged.races.are_meant(memory));
}

/// The races of the last execution.
pub(in crate::control) fn races() -> Vec<Race> {
    with_kept(|kept, _| kept.judged.as_ref().map_or_else(Vec::new, |judged| judged.races.races().to_vec()))
}

/// What was missed in the last execution for want of room.
pub(in crate::control) fn missed() -> u64 {
    with_kept(|kept, _| {
        kept.judged.as_ref().map_or(0, |judged| judged.races.missed().accesses + judged.races.missed().races)
    })
}

/// What is known of the last execution's races, which was one that was watched for their accesses.
pub(in crate::control) fn told(races: &[Race]) -> Vec<Told> {
    with_kept(|kept, _| {
        let Some(judged) = &kept.judged else { return Vec::new() };
        let is = |one: &Race, other: &Race| (one.earlier, one.later) == (other.earlier, other.later);
        let found = |race| judged.races.races().iter().find(|found| is(found, race));
        races.iter().filter_map(|race| Some(judged.told(found(race)?))).collect()
    })
}
