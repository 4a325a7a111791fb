//! How threads and executions end.

use super::{Controller, Next, State};
use crate::model::execution::{BlockedThread, Ending, Exit};
use crate::model::op::OpKind;
use crate::strategy::{Divergence, Use};

impl Controller {
    /// The reason why the execution is over. Called by the root.
    #[inline]
    pub fn take_ending(&mut self) -> Ending {
        match self.ending.take() {
            Some(Ending::Stuck(_)) => Ending::Stuck(self.blocked()),
            other => other.unwrap_or(Ending::Completed),
        }
    }

    fn blocked(&self) -> Vec<BlockedThread> {
        let threads = (0..).zip(&self.threads).filter(|(_, thread)| thread.state == State::Blocked);
        let blocked = threads.map(|(thread, entry)| {
            let descriptor = self.kernel.number_at(entry.object);
            BlockedThread { thread, primitive: entry.primitive, descriptor }
        });
        blocked.collect()
    }

    pub fn all_ended(&self) -> bool {
        self.threads.iter().all(|thread| thread.state == State::Ended)
    }

    /// Whether the running thread is the last one.
    pub fn all_others_ended(&self) -> bool {
        let mut threads = (0..).zip(&self.threads);
        threads.all(|(id, thread)| id == self.current || thread.state == State::Ended || self.mail.is_carrier(id))
    }

    /// The running thread ends.
    #[inline]
    pub fn end_thread(&mut self) -> Next {
        self.count(OpKind::Wait);
        let current = self.current;
        self.threads[usize::from(current)].state = State::Ended;
        self.runnable.remove(current);
        self.leave_current()
    }

    /// The program ends itself here.
    #[inline]
    pub fn exit(&mut self, exit: Exit) -> Next {
        // As any wait: a run that ends so differs from one that ends by a choice at its last scheduling point.
        self.count(OpKind::Wait);
        self.end_here(Ending::Exited(exit))
    }

    /// The running thread ends, and the program with it.
    #[inline]
    pub fn end_program(&mut self, exit: Exit) -> Next {
        self.threads[usize::from(self.current)].state = State::Ended;
        self.runnable.remove(self.current);
        self.exit(exit)
    }

    /// The running thread does what its standard leaves undefined.
    pub fn misuse(&mut self, primitive: &'static str, how: &'static str) -> Next {
        self.count(OpKind::Wait); // As in `exit`.
        self.end_here(Ending::Misused { thread: self.current, primitive, how })
    }

    /// The running thread uses an object whose memory is gone.
    pub fn dangling(&mut self, primitive: &'static str, how: &'static str) -> Next {
        self.count(OpKind::Wait); // As in `exit`.
        self.end_here(Ending::Dangling { thread: self.current, primitive, how })
    }

    /// The execution ends here, by a step of its own.
    #[inline]
    pub fn end_here(&mut self, ending: Ending) -> Next {
        match self.strategy.end(self.points_asked(), self.trace.digest()) {
            Ok(()) => self.stop(ending),
            Err(divergence) => self.diverged(divergence),
        }
    }

    /// The process image stops here.
    pub fn crash(&mut self) -> Next {
        let point = self.trace.points();
        self.end_here(Ending::Crashed { point })
    }

    /// Ends the execution for a reason other than its completion.
    pub fn stop(&mut self, ending: Ending) -> Next {
        if !matches!(ending, Ending::Completed | Ending::Stuck(_)) {
            self.report(Use::Stopped);
        }
        self.ending.get_or_insert(ending);
        Next::Stop
    }

    /// The running thread cannot go on.
    #[inline]
    pub(super) fn leave_current(&mut self) -> Next {
        if self.ending.is_some() {
            return Next::Stop;
        }
        self.end_rests();
        if self.runnable.is_empty() && self.sleeping.is_empty() {
            return self.stop_for_good();
        }
        self.choose(None, false)
    }

    /// Nobody can ever run again.
    fn stop_for_good(&mut self) -> Next {
        match self.strategy.end(self.points_asked(), self.trace.digest()) {
            Err(divergence) => self.diverged(divergence),
            Ok(()) if self.all_ended() => self.stop(Ending::Completed),
            Ok(()) => self.stop(Ending::Stuck(Vec::new())),
        }
    }

    pub(super) fn diverged(&mut self, divergence: Divergence) -> Next {
        let step = self.trace.points();
        self.stop(Ending::Diverged { step, why: divergence.0 })
    }
}
