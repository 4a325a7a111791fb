//! Executions that are looked at: every operation goes to a log, with who waits, and what tasks do.

use std::path::Path;

use super::Active;
use crate::control::debugger;
use crate::control::log::{Log, Moment};
use crate::control::order;
use crate::control::sanitizer;
use crate::model::execution::{Event, Happened, Step, ThreadId};
use crate::model::op::OpKind;
use crate::process;
use crate::protocol::Steps;

impl Active {
    #[cold]
    pub fn log(&self, kind: OpKind, object: (usize, usize)) {
        self.add_to_log(kind, object);
        debugger::step(self, kind);
    }

    /// The operation that was just logged is on an older store, whose value lies at `place`.
    #[cold]
    pub fn log_older(&self, place: usize, size: usize, by: u16) {
        let _unwatched = sanitizer::Unwatched::begin();
        if let Some(log) = self.log.get() {
            log.note_older((place, size), by);
        }
    }

    fn add_to_log(&self, kind: OpKind, (object, size): (usize, usize)) {
        let _unwatched = sanitizer::Unwatched::begin();
        let _paused = order::Paused::begin();
        if let Some(log) = self.log.get() {
            let moment = self.ask(|controller| {
                let (runnable, point) = (controller.runnable_digest(), controller.trace().points());
                Moment { runnable, point }
            });
            let current = self.current();
            let threads = 0..self.ask(|controller| controller.thread_count());
            let signals_of = |thread| self.ask(|controller| controller.signals.place(thread));
            let is_of =
                |thread: &ThreadId| self.engine.thread(*thread).address() == object || signals_of(*thread) == object;
            self.ask(|controller| log.note_waits(controller.waits()));
            match threads.into_iter().find(is_of) {
                Some(other) => log.add_on_thread(current, kind, other, moment),
                None => log.add(current, kind, (object, size), moment),
            }
        }
    }

    /// Keeps every step of the program under check, if there is one, or else of the runtime in `object`, from now on: with
    /// what it read and wrote if there is a file to keep them in.
    pub fn begin_log(&self, file: Option<&Path>, object: Option<&Path>) {
        // One that cannot be made keeps nothing for the case that the process dies.
        let file = || file.and_then(|path| Steps::create(path).ok());
        if let Some(image) = self.image.get() {
            self.log.get_or_init(|| image.log(file()));
            self.ask(|controller| controller.set_logging(true));
        } else if let Some((whole, code)) = object.and_then(process::ranges_of) {
            self.log.get_or_init(|| Log::new(whole, code, file()));
            self.ask(|controller| controller.set_logging(true));
        }
    }

    /// The steps since `begin_log`, which are kept no more.
    pub fn end_log(&self) -> Vec<Step> {
        self.ask(|controller| controller.set_logging(false));
        self.log.get().map_or_else(Vec::new, |log| {
            self.ask(|controller| log.note_waits(controller.waits()));
            log.take()
        })
    }

    /// A task did something, in an execution that may be logged.
    #[inline]
    pub fn note(&self, event: Event) {
        if self.ask(|controller| controller.is_logging()) {
            self.note_in_log(event);
        }
    }

    #[cold]
    fn note_in_log(&self, event: Event) {
        let _unwatched = sanitizer::Unwatched::begin();
        if let Some(log) = self.log.get() {
            log.note(Happened::Recorded(event));
        }
    }
}
