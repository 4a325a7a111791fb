//! Phases of a program in which there is but one thread: plain accesses are no scheduling points then.
//!
//! A phase lasts from the beginning to the creation of the second thread, and from the join that leaves no other thread
//! to the next creation. All that others did is ordered before such a phase, by the joins, and all that they will do is
//! ordered after it, by the creation: no order of its accesses and theirs is possible but the one that there is. So
//! there is no choice to make, and a strategy has nothing to learn. Threads that were detached, and signals on their way,
//! are never joined: after them there is no such phase.
//!
//! The accesses are counted down in cpp/control/memory.c, so that each costs but a few instructions.

use std::ffi::c_long;
use std::sync::atomic::{AtomicI64, Ordering};

/// Accesses after which the supervisor is shown that something moves.
const BLOCK: i64 = 1 << 20;
/// Blocks that one execution may take: what goes on without a scheduling point after so much is taken to be endless.
const BLOCKS: u32 = 256;
/// Accesses of one execution that are logged: enough to see what a small program does before its threads, and not all that
/// a test framework does.
const LOGGED: i64 = 20_000;

const _: () = assert!(size_of::<c_long>() == size_of::<i64>());

/// 0 while an access is a scheduling point. Above 1: how many accesses, less one, are none and need not be told. Otherwise
/// [`Alone::look`] is to be asked. One thread of a process touches it at a time; that of the target.
#[unsafe(no_mangle)]
static threadbare_alone: AtomicI64 = AtomicI64::new(0);
/// More accesses are to be asked about than this many.
const ASK: i64 = 1;

/// What is to be done about a plain access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is a scheduling point.
    Point,
    /// It is none, but is logged.
    Log,
    /// It is none; the supervisor is to see that something moves.
    Beat,
    /// There were too many.
    Endless,
}

/// Where an execution is in such phases.
#[derive(Debug, Default)]
pub struct Alone {
    /// What is there is a program, whose plain accesses are seen.
    of_program: bool,
    /// Threads other than the first that were not joined.
    others: u32,
    /// Accesses that are still logged, if any are.
    logged: i64,
    /// Blocks that are used up, and what is left of the one that is not.
    blocks: u32,
    left: i64,
}

impl Alone {
    /// An execution begins, with one thread.
    pub fn begin(&mut self, of_program: bool, logging: bool) {
        *self = Self { of_program, logged: if logging { LOGGED } else { 0 }, left: BLOCK, ..Self::default() };
        self.enter();
    }

    /// The execution is over.
    pub fn end(&mut self) {
        self.leave();
        *self = Self::default();
    }

    /// Whether there is but one thread.
    #[inline]
    pub fn is_phase(&self) -> bool {
        self.of_program && self.others == 0
    }

    /// There is another thread.
    pub fn add_thread(&mut self) {
        self.leave();
        self.others += 1;
    }

    /// A thread that is not the first was joined. Whether there is but one now.
    pub fn joined(&mut self) -> bool {
        self.others -= 1;
        self.enter();
        self.is_phase()
    }

    fn enter(&mut self) {
        if self.is_phase() {
            let quick = if self.logged > 0 { ASK } else { self.left };
            threadbare_alone.store(quick, Ordering::Relaxed);
        }
    }

    fn leave(&mut self) {
        // Nobody else writes it, so it needs no exchange, which would lock the bus several times an execution.
        let left = threadbare_alone.load(Ordering::Relaxed);
        threadbare_alone.store(0, Ordering::Relaxed);
        if left > ASK {
            self.left = left;
        }
    }

    /// What is to be done about an access that could not be passed quickly.
    pub fn look(&mut self) -> Look {
        if !self.is_phase() {
            return Look::Point;
        }
        if self.logged > 0 {
            self.logged -= 1;
            self.enter();
            return Look::Log;
        }
        self.blocks += 1;
        self.left = BLOCK;
        self.enter();
        if self.blocks < BLOCKS { Look::Beat } else { Look::Endless }
    }

    /// Accesses that are too many.
    pub const MOST: u64 = BLOCK as u64 * BLOCKS as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes accesses as cpp/control/memory.c does; how many were asked about.
    fn access(alone: &mut Alone, count: i64) -> Vec<Look> {
        let mut asked = Vec::new();
        for _ in 0..count {
            let left = threadbare_alone.load(Ordering::Relaxed);
            if left > ASK {
                threadbare_alone.store(left - 1, Ordering::Relaxed);
            } else {
                asked.push(alone.look());
            }
        }
        asked
    }

    // One test, since the counter is the process's.
    #[test]
    fn accesses_are_points_only_while_there_are_other_threads_that_were_not_joined() {
        let mut alone = Alone::default();
        alone.begin(false, false);
        assert_eq!(access(&mut alone, 2), [Look::Point; 2], "what is no program has no such phases");

        alone.begin(true, false);
        assert_eq!(access(&mut alone, 3), []);
        alone.add_thread();
        alone.add_thread();
        assert_eq!(access(&mut alone, 2), [Look::Point; 2]);
        assert!(!alone.joined());
        assert_eq!(access(&mut alone, 2), [Look::Point; 2]);
        assert!(alone.joined());
        assert_eq!(access(&mut alone, BLOCK - 4), [], "what was left of the block is used up");
        assert_eq!(access(&mut alone, 2), [Look::Beat]);
        assert_eq!(alone.blocks, 1);
        alone.blocks = BLOCKS - 1;
        assert_eq!(access(&mut alone, BLOCK).last(), Some(&Look::Endless));

        alone.begin(true, true);
        assert_eq!(access(&mut alone, LOGGED + 5), vec![Look::Log; LOGGED as usize]);
        alone.end();
        assert_eq!(access(&mut alone, 1), [Look::Point]);
    }
}
