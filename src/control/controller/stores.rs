//! Which store an atomic operation is on, where the memory model leaves a choice.

use super::Controller;
use crate::model::execution::ThreadId;
use crate::strategy::Stores;

/// Times in a row that a thread reads an older store of an object where a search tries everything: after so many it is taken
/// to wait for another value, which it must come to see.
const MOST_IN_A_ROW: u8 = 8;
/// Objects whose reads are counted, by thread: a loop that waits looks at few.
const WATCHED: usize = 4;

/// What is drawn for the execution under way, and what a search must not do for ever.
pub(super) struct Older {
    /// What stores are drawn by, if they are; few executions come to draw one.
    seed: Option<u64>,
    drawn: Option<Stores>,
    /// By thread: objects of which it last read older stores, and how often in a row.
    reads: Vec<[(usize, u8); WATCHED]>,
}

impl Older {
    pub fn new(threads: usize) -> Self {
        Self { seed: None, drawn: None, reads: Vec::with_capacity(threads) }
    }

    /// A new execution, in which stores are drawn by this seed, or not.
    pub fn begin(&mut self, seed: Option<u64>) {
        (self.seed, self.drawn) = (seed, None);
        self.reads.clear();
    }

    /// What stores are drawn with, if they are.
    fn drawn(&mut self) -> Option<&mut Stores> {
        let seed = self.seed?;
        Some(self.drawn.get_or_insert_with(|| Stores::new(seed)))
    }

    fn of(&mut self, thread: ThreadId) -> &mut [(usize, u8); WATCHED] {
        let thread = usize::from(thread);
        if self.reads.len() <= thread {
            // There is room.
            self.reads.resize(thread + 1, [(0, 0); WATCHED]);
        }
        &mut self.reads[thread]
    }

    /// Whether the thread has read older stores of that object as often as it may. It does once more otherwise.
    fn is_enough(&mut self, thread: ThreadId, object: usize) -> bool {
        let reads = self.of(thread);
        match reads.iter_mut().find(|(known, _)| *known == object) {
            Some((_, count)) => {
                *count += 1;
                *count > MOST_IN_A_ROW
            }
            None => {
                reads.rotate_right(1);
                reads[0] = (object, 1);
                false
            }
        }
    }

    fn forget(&mut self, thread: ThreadId, object: usize) {
        if let Some(read) = self.of(thread).iter_mut().find(|(known, _)| *known == object) {
            *read = (0, 0);
        }
    }
}

impl Controller {
    /// By how many the store that the running thread's operation on `object` is on is older than the newest; there are
    /// `stores`, at least two.
    pub fn older(&mut self, object: usize, stores: u16) -> u16 {
        if self.ending.is_some() {
            return 0;
        }
        let by = if self.replaying {
            self.ask_older(stores)
        } else if self.points_asked() >= self.budget.fair_after {
            // From here on everybody comes to see what others did.
            0
        } else if let Some(drawn) = self.older.drawn() {
            drawn.draw(stores)
        } else if self.older.is_enough(self.current, object) {
            self.left_out.newest += 1;
            0
        } else {
            let by = self.ask_older(stores);
            if by == 0 {
                self.older.forget(self.current, object);
            }
            by
        };
        if by > 0 {
            self.trace.older(by);
        }
        if self.replaying && by > 0 || self.ending.is_some() {
            self.ask_next();
        }
        by
    }

    fn ask_older(&mut self, stores: u16) -> u16 {
        let unwatched = self.unwatched();
        let by = self.strategy.older(stores).unwrap_or_else(|divergence| {
            self.diverged(divergence);
            0
        });
        drop(unwatched);
        by
    }
}
