//! The record of the running execution, in a file that outlives the process.
//!
//! Whatever kills a worker, its supervisor can still read which execution it was and the choices made up
//! to then. The worker writes through a shared mapping, so recording a choice is a store to memory.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use memmap2::MmapRaw;

use super::mapped;
use crate::model::execution::ThreadId;
use crate::model::limits::MAX_POINTS;
use crate::model::op::OpKind;
use crate::model::schedule::{Choice, Injection, Schedule};

/// Choices that fit. Those that pass no scheduling point are rare, so this is more than any execution makes.
const CAPACITY: usize = 2 * MAX_POINTS as usize;
/// Stand for the number of points where a choice is `Choice::Wake`, `Choice::Inject` or `Choice::Older`.
const WAKE: u32 = u32::MAX;
const INJECT: u32 = u32::MAX - 1;
const OLDER: u32 = u32::MAX - 2;
/// Marks the run of a thread that could have gone on; more than any number of points.
const PREEMPTED: u32 = 1 << 31;
const MAGIC: u64 = u64::from_le_bytes(*b"tb-trac1");

#[repr(C)]
struct Header {
    magic: u64,
    /// The number of the execution under way, and how many were completed.
    execution: u64,
    finished: u64,
    /// Points passed in this execution, and in earlier ones.
    points: u64,
    earlier_points: u64,
    /// The run under way: who, since which point, the digest so far.
    thread: u64,
    start: u64,
    digest: u64,
    /// Completed choices.
    choices: u64,
    /// Whether the current execution has ended.
    ended: u64,
    /// Whether the worker got as far as loading its target.
    ready: u64,
    /// Signs of life that are no points.
    beats: u64,
}

/// A mapped trace file.
pub struct Trace {
    // Invariant: maps at least `size()` bytes, page-aligned, whose first word is MAGIC.
    map: MmapRaw,
}

impl Trace {
    /// Where in the file stands whether the worker is ready.
    #[cfg(test)]
    pub(crate) const READY_AT: usize = std::mem::offset_of!(Header, ready);

    /// Creates the file, with no execution in it.
    ///
    /// # Errors
    /// The file cannot be created, sized or mapped.
    pub fn create(path: &Path) -> Result<Self> {
        let map = mapped::create(path, size())?;
        let trace = Self { map };
        trace.header_mut().magic = MAGIC;
        Ok(trace)
    }

    /// Opens the file of another process, to read or to go on writing.
    ///
    /// # Errors
    /// The file cannot be opened or mapped, or is not a trace.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> Result<MmapRaw> {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            ensure!(file.metadata()?.len() == size() as u64, "it is not a trace of this version");
            Ok(MmapRaw::map_raw(&file)?)
        };
        let map = open().with_context(|| format!("cannot open the trace {}", path.display()))?;
        let trace = Self { map };
        ensure!(trace.header().magic == MAGIC, "{} is not a trace of this version", path.display());
        Ok(trace)
    }

    /// Says which execution comes next, and forgets the choices of the last one.
    pub fn begin(&mut self, execution: u64) {
        let header = self.header_mut();
        header.execution = execution;
        header.earlier_points += header.points;
        header.points = 0;
        header.choices = 0;
        header.ended = 0;
        header.thread = 0;
        header.start = 0;
        header.digest = 0;
    }

    /// Says that the worker itself is there; what happens from now on is the target's.
    pub fn ready(&mut self) {
        self.header_mut().ready = 1;
    }

    /// Whether the worker got so far.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.header().ready != 0
    }

    /// Marks the current execution as completed.
    pub fn finish(&mut self) {
        let header = self.header_mut();
        header.finished += 1;
        header.ended = 1;
    }

    /// The number that `begin` last said.
    #[must_use]
    pub fn execution(&self) -> u64 {
        self.header().execution
    }

    /// Executions completed.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.header().finished
    }

    /// Points passed in the current execution.
    #[must_use]
    #[inline]
    pub fn points(&self) -> u64 {
        self.header().points
    }

    /// A number that grows with every point and execution; if it stands still, nothing moves.
    #[must_use]
    pub fn heartbeat(&self) -> u64 {
        // SAFETY: in bounds and aligned (see `map`); volatile because another process writes it.
        unsafe {
            let header = self.map.as_ptr().cast::<Header>();
            let read = |field: *const u64| field.read_volatile();
            read(&raw const (*header).points)
                .wrapping_add(read(&raw const (*header).earlier_points))
                .wrapping_add(read(&raw const (*header).finished))
                .wrapping_add(read(&raw const (*header).beats))
        }
    }

    /// Shows that something moves, without a point.
    pub fn beat(&mut self) {
        self.header_mut().beats += 1;
    }

    /// Counts a point of the running thread; how many there are now.
    #[inline(always)]
    pub fn count(&mut self, kind: OpKind) -> u64 {
        let header = self.header_mut();
        header.digest = (header.digest ^ (kind as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        header.points += 1;
        header.points
    }

    /// Ends the run under way, of a thread that could go on if it is `preempted`, and begins one of `thread`.
    pub fn switch(&mut self, thread: ThreadId, preempted: bool) {
        self.end_run(preempted);
        self.header_mut().thread = thread.into();
    }

    /// Records that `waiter` was woken among the waiters of an object.
    pub fn wake(&mut self, waiter: ThreadId) {
        self.end_run(false);
        self.push_choice(Choice::Wake { thread: waiter });
    }

    /// Records that the running thread's file call goes wrong.
    pub fn inject(&mut self, injection: Injection) {
        self.end_run(false);
        self.push_choice(Choice::Inject { injection });
    }

    /// Records that the running thread's operation is on an older store.
    pub fn older(&mut self, by: u16) {
        self.end_run(false);
        self.push_choice(Choice::Older { by });
    }

    /// The folded digest of the run under way.
    #[must_use]
    pub fn digest(&self) -> u16 {
        fold(self.header().digest)
    }

    /// The choices of the current or last execution; `cut` unless it was finished.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        let header = self.header();
        let mut choices: Vec<Choice> = (0..header.choices as usize).map(|index| unpack(self.slot(index))).collect();
        choices.push(self.run_under_way());
        Schedule { choices, cut: header.ended == 0 }
    }

    fn run_under_way(&self) -> Choice {
        let header = self.header();
        let points = (header.points - header.start) as u32;
        Choice::Run { thread: header.thread as ThreadId, points, digest: fold(header.digest) }
    }

    /// Tells of each choice whether it ended the run of a thread that could have gone on.
    #[must_use]
    pub fn preempts(&self) -> Vec<bool> {
        let of = |index| {
            let points = self.slot(index) as u32;
            !matches!(points, WAKE | INJECT | OLDER) && points & PREEMPTED != 0
        };
        (0..self.header().choices as usize).map(of).collect()
    }

    fn end_run(&mut self, preempted: bool) {
        let mark = if preempted { u64::from(PREEMPTED) } else { 0 };
        self.push(pack(self.run_under_way()) | mark);
        let header = self.header_mut();
        header.start = header.points;
        header.digest = 0;
    }

    fn push_choice(&mut self, choice: Choice) {
        self.push(pack(choice));
    }

    fn push(&mut self, packed: u64) {
        let index = self.header().choices as usize;
        assert!(index < CAPACITY, "an execution makes more choices than fit its trace");
        // SAFETY: `index` is in bounds of the slots behind the header; the map is writable and ours.
        unsafe { self.slots().add(index).write(packed) };
        self.header_mut().choices = index as u64 + 1;
    }

    fn slot(&self, index: usize) -> u64 {
        assert!(index < CAPACITY, "the trace is damaged: {index} choices");
        // SAFETY: just checked to be in bounds.
        unsafe { self.slots().add(index).read() }
    }

    fn slots(&self) -> *mut u64 {
        // SAFETY: the header is at the start of the map, which is larger.
        unsafe { self.map.as_mut_ptr().add(size_of::<Header>()).cast() }
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: in bounds, aligned and initialised (a new file is all zeros, which is a Header).
        unsafe { &*self.map.as_ptr().cast() }
    }

    #[inline]
    #[expect(clippy::mut_from_ref, reason = "private; no caller holds two of these at once")]
    fn header_mut(&self) -> &mut Header {
        // SAFETY: as `header`; the map is writable, and the supervisor writes only before the worker starts.
        unsafe { &mut *self.map.as_mut_ptr().cast() }
    }
}

fn size() -> usize {
    size_of::<Header>() + CAPACITY * size_of::<u64>()
}

fn fold(digest: u64) -> u16 {
    (digest ^ (digest >> 16) ^ (digest >> 32) ^ (digest >> 48)) as u16
}

fn pack(choice: Choice) -> u64 {
    let (thread, digest, points) = match choice {
        Choice::Run { thread, points, digest } => (thread, digest, points),
        Choice::Wake { thread } => (thread, 0, WAKE),
        Choice::Inject { injection } => (injection as u16, 0, INJECT),
        Choice::Older { by } => (by, 0, OLDER),
    };
    u64::from(thread) << 48 | u64::from(digest) << 32 | u64::from(points)
}

fn unpack(word: u64) -> Choice {
    let (thread, digest, points) = ((word >> 48) as u16, (word >> 32) as u16, word as u32);
    match points {
        WAKE => Choice::Wake { thread },
        INJECT => Choice::Inject { injection: Injection::ALL[usize::from(thread)] },
        OLDER => Choice::Older { by: thread },
        points => Choice::Run { thread, points: points & !PREEMPTED, digest },
    }
}
