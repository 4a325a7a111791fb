//! Phases of a program in which there is but one thread: see [`Alone`].

use super::Controller;
use crate::control::alone::{Alone, Look};
use crate::control::sanitizer;
use crate::model::execution::{Ending, ThreadId};
use crate::strategy::Use;

impl Controller {
    /// The execution that has just begun is one of a program, whose plain accesses are seen.
    pub fn begin_program(&mut self) {
        self.alone.begin(true, self.logging);
        if !self.replaying {
            let _unwatched = sanitizer::Unwatched::begin();
            self.novelty.begin(Some(self.budget.points));
        }
    }

    /// Whether a program is in such a phase.
    pub fn is_phase_with_one_thread(&self) -> bool {
        self.alone.is_phase()
    }

    /// The target does nothing more.
    pub fn end_program_code(&mut self) {
        self.alone.end();
    }

    /// What is to be done about a plain access of the running thread.
    pub fn look_at_access(&mut self) -> Look {
        let look = self.alone.look();
        match look {
            Look::Beat => self.trace.beat(),
            Look::Endless => {
                self.stop(Ending::TooLong(Alone::MOST));
            }
            Look::Point | Look::Log => {}
        }
        look
    }

    /// A plain access of the running thread to its own stack.
    #[inline]
    pub fn access_own(&mut self, address: usize, size: u32, changes: bool) {
        if self.reports_uses && !self.alone.is_phase() {
            self.report(Use::Own { address, size, changes });
        }
    }

    /// The running thread has joined `thread`, which has ended.
    pub fn joined(&mut self, thread: ThreadId) {
        self.progress();
        if thread != 0 && self.alone.joined() && self.watched {
            let _unwatched = self.unwatched();
            self.strategy.alone();
        }
    }

    /// Whether the strategy learns nothing from what is done now, since there is no other thread. One that wants to know what
    /// steps do is told even so, or it would take that for what an earlier step does.
    #[inline]
    pub(super) fn is_untold(&self) -> bool {
        self.alone.is_phase() && !self.reports_uses
    }
}
