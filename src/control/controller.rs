//! The controller's bookkeeping: which virtual threads there are, who can run, what time it is and who
//! runs next. It decides; an engine carries the decision out.

mod budget;
mod endings;
mod observed;
mod phases;
mod signals;
mod stores;
mod turns;
mod waits;

use std::ops::Range;

use super::alone::Alone;
use super::fairness::Fairness;
use super::files::Files;
use super::novelty::Novelty;
use super::patience::Patience;
use super::sanitizer;
use super::state::heap::Heap;
use super::state::kernel::Kernel;
use super::state::listings::Listings;
use super::state::semaphores::NamedSemaphores;
use super::state::signals::Signals;
use super::state::specific::Keys;
use crate::feedback::Observer;
use crate::model::execution::{Ending, ThreadId};
use crate::model::extent::Extent;
use crate::model::left_out::LeftOut;
use crate::model::limits::{MAX_POINTS, MAX_VIRTUAL_THREADS};
use crate::model::op::{Op, OpKind};
use crate::model::schedule::Injection;
use crate::model::settings::Sanitizer;
use crate::protocol::Trace;
use crate::strategy::{Sleeper, Strategy, ThreadSet, Use};
use crate::task_graph::Injections;

pub use budget::Budget;
use signals::Mail;
pub(super) use signals::Sent;
use stores::Older;

/// Virtual nanoseconds that a scheduling point takes.
const POINT_TIME: u64 = 100;
/// Times that an execution reads clocks until time passes with each more of it, and more each time: a loop that waits for a
/// moment is to end within the points that there are.
const MANY_READS: u64 = 4_096;
/// Slots that blocked threads are counted in, by object.
const SLOTS: usize = 64;

/// What a hook does after asking the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The calling thread goes on.
    Continue,
    /// The calling thread stands aside for this one.
    Switch(ThreadId),
    /// The execution is over; the reason is in `ending`.
    Stop,
}

/// Why a blocked thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    Notified,
    TimedOut,
    /// The handler of a signal is to run, or has run, and nobody notified it meanwhile.
    Interrupted,
    /// As `Interrupted`, where the handler was installed such that calls go on afterwards.
    Restarted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Runnable,
    Blocked,
    Ended,
}

struct Thread {
    state: State,
    /// Address of what it waits for; meaningful while blocked.
    object: usize,
    primitive: &'static str,
    wake: Wake,
}

impl Thread {
    fn waits_for(&self, object: usize) -> bool {
        self.state == State::Blocked && self.object == object
    }
}

pub(super) struct Controller {
    strategy: Box<dyn Strategy + Send>,
    /// The strategy is told of every operation of this execution.
    watched: bool,
    /// And of what steps do besides.
    reports_uses: bool,
    /// The mutex that the running thread takes after its wait.
    takes_after: usize,
    /// What the strategy had no say in since the last `forget`.
    left_out: LeftOut,
    /// The point since which one thread alone could run, if that is so.
    alone_since: Option<u64>,
    /// It does nothing but wait, as far as the last points before the end of the budget tell.
    waits_alone: bool,
    /// Turns of this execution that were fair.
    fair_turns: u64,
    /// Times that it has read a clock.
    clock_reads: u64,
    alone: Alone,
    fairness: Fairness,
    novelty: Novelty,
    patience: Patience,
    /// Points that threads passed in loops where they were let stay.
    stayed: u64,
    trace: Trace,
    threads: Vec<Thread>,
    current: ThreadId,
    runnable: ThreadSet,
    /// What each thread does when it goes on, of those that do not run.
    pending: Vec<Op>,
    sleeping: Vec<Sleeper>,
    /// How many threads are blocked on an object of that slot, so that most wake-ups need not look at every thread.
    waiting: [u16; SLOTS],
    /// Scratch for `wake_one`.
    waiters: Vec<ThreadId>,
    /// The point at which the controller looks again at who runs, and how many of the turn are left after it.
    turn_end: u64,
    rest_of_turn: u32,
    /// The point at which the hooks look further: the same, or any while points are logged or observed.
    look_at: u64,
    logging: bool,
    observer: Option<Box<Observer>>,
    /// Takes its place in executions whose behaviour is asked for. It is kept, since it is large.
    behaviours: Option<Box<Observer>>,
    /// The current turn is one of a single point.
    single: bool,
    /// Virtual nanoseconds that time-outs added.
    skipped_time: u64,
    budget: Budget,
    replaying: bool,
    ending: Option<Ending>,
    injections: Injections,
    older: Older,
    pub files: Files,
    pub kernel: Kernel,
    pub listings: Listings,
    pub semaphores: NamedSemaphores,
    pub keys: Box<Keys>,
    /// That of the program under check, where no sanitizer watches it.
    pub heap: Option<Heap>,
    pub signals: Box<Signals>,
    mail: Mail,
}

impl Controller {
    pub fn new(trace: Trace, strategy: Box<dyn Strategy + Send>) -> Self {
        // Nothing here may allocate or move memory during an execution: TSan sees Rust's calls of the
        // allocator and of `memmove`, and nothing that it knows of orders them between fibers.
        Self {
            strategy,
            watched: false,
            reports_uses: false,
            takes_after: 0,
            left_out: LeftOut::default(),
            alone_since: None,
            waits_alone: false,
            fair_turns: 0,
            clock_reads: 0,
            alone: Alone::default(),
            fairness: Fairness::new(),
            novelty: Novelty::new(),
            patience: Patience::new(),
            stayed: 0,
            trace,
            threads: Vec::with_capacity(MAX_VIRTUAL_THREADS),
            current: 0,
            runnable: ThreadSet::default(),
            pending: Vec::with_capacity(MAX_VIRTUAL_THREADS),
            sleeping: Vec::with_capacity(MAX_VIRTUAL_THREADS),
            waiting: [0; SLOTS],
            waiters: Vec::with_capacity(MAX_VIRTUAL_THREADS),
            turn_end: 0,
            rest_of_turn: 0,
            look_at: 0,
            logging: false,
            observer: None,
            behaviours: None,
            single: false,
            skipped_time: 0,
            budget: 0.into(),
            replaying: false,
            ending: None,
            injections: Injections::default(),
            older: Older::new(MAX_VIRTUAL_THREADS),
            files: Files::new(),
            kernel: Kernel::new(),
            listings: Listings::new(),
            semaphores: NamedSemaphores::default(),
            keys: Keys::new(),
            heap: (sanitizer::loaded() == Sanitizer::None).then(Heap::new),
            signals: Box::new(Signals::new()),
            mail: Mail::new(),
        }
    }

    pub fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Replaces the strategy and says whether it replays a schedule.
    pub fn set_strategy(&mut self, strategy: Box<dyn Strategy + Send>, replaying: bool) -> Box<dyn Strategy + Send> {
        self.replaying = replaying;
        std::mem::replace(&mut self.strategy, strategy)
    }

    /// Another workload is executed from now on.
    pub fn forget(&mut self) {
        self.strategy.forget();
        self.left_out = LeftOut::default();
    }

    /// Whether every execution that the strategy would make was made; what it had no say in is in `left_out`. If threads
    /// were set aside, the strategy may begin anew and let them go further.
    pub fn search_ended(&mut self) -> bool {
        let unwatched = sanitizer::Unwatched::begin();
        let ended = self.strategy.search_ended();
        drop(unwatched);
        if !ended {
            return false;
        }
        if self.left_out.set_aside > 0 && self.strategy.deepen() {
            self.left_out = LeftOut::default();
            return false;
        }
        true
    }

    pub fn left_out(&self) -> LeftOut {
        let extent = self.extent().unwrap_or_default();
        LeftOut { strayed: extent.strayed, raced_unseen: extent.raced_unseen, ..self.left_out }
    }

    /// How far a search of all executions has come, if the strategy is one.
    pub fn extent(&self) -> Option<Extent> {
        self.strategy.extent()
    }

    /// What is in this memory has the same address in every execution.
    pub fn lies_still(&mut self, memory: Range<usize>) {
        self.strategy.lies_still(memory);
    }

    /// A new execution with thread 0 alone, which is to run first. [`Controller::begin_program`] follows if it is a program's.
    pub fn begin(&mut self, seed: u64, budget: Budget, expected_points: u64, injections: Injections) {
        self.threads.clear();
        self.pending.clear();
        self.runnable.clear();
        self.sleeping.clear();
        self.waiting.fill(0);
        self.skipped_time = 0;
        self.injections = injections;
        self.files.begin();
        self.semaphores.begin();
        self.keys.begin();
        self.signals.begin();
        self.mail.begin();
        self.budget = Budget { points: budget.points.min(MAX_POINTS), ..budget };
        self.ending = None;
        self.current = 0;
        let unwatched = sanitizer::Unwatched::begin();
        self.strategy.begin(seed, expected_points);
        self.novelty.begin(None);
        drop(unwatched);
        let manner = self.strategy.manner();
        self.watched = manner.watches && !self.replaying;
        self.reports_uses = self.watched && manner.wants_uses;
        self.takes_after = 0;
        if let Some(observer) = &mut self.observer {
            observer.begin();
        }
        self.fairness.begin(manner.patience);
        self.patience.begin(seed, manner.lets_stay);
        self.older.begin(manner.draws_stores.then_some(seed));
        self.stayed = 0;
        self.alone_since = None;
        self.waits_alone = false;
        self.fair_turns = 0;
        self.clock_reads = 0;
        self.alone.end();
        self.add_thread();
        self.ask_next();
        self.single = false;
        if self.replaying {
            match self.ask(None, false) {
                Ok(turn) => self.set_turn(turn.points),
                Err(divergence) => {
                    self.diverged(divergence);
                }
            }
        }
    }

    pub fn current(&self) -> ThreadId {
        self.current
    }

    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Virtual nanoseconds since the execution began.
    pub fn now(&self) -> u64 {
        self.trace.points() * POINT_TIME + self.skipped_time
    }

    /// As `now`, for a thread that looks at a clock.
    pub fn read_clock(&mut self) -> u64 {
        self.clock_reads += 1;
        self.skipped_time += self.clock_reads.saturating_sub(MANY_READS) * POINT_TIME;
        self.now()
    }

    /// Points that threads passed in loops where they were let stay: none that strategies plan with.
    pub fn stayed(&self) -> u64 {
        self.stayed
    }

    /// Points that strategies know of: nobody asked them in a stay. In a replay there is none.
    pub(super) fn points_asked(&self) -> u64 {
        self.trace.points() - self.stayed
    }

    /// Adds a runnable thread; `None` if there are too many.
    #[inline]
    pub fn add_thread(&mut self) -> Option<ThreadId> {
        if self.threads.len() == MAX_VIRTUAL_THREADS {
            return None;
        }
        let thread = self.threads.len() as ThreadId;
        let fresh = Thread { state: State::Runnable, object: 0, primitive: "", wake: Wake::Notified };
        if !self.threads.is_empty() {
            self.alone.add_thread();
        }
        self.threads.push(fresh);
        self.pending.push(Op::NOTHING);
        self.fairness.add_thread();
        self.patience.add_thread(thread);
        self.signals.add_thread(self.current, true);
        self.add_runnable(thread);
        self.report(Use::Resumed(thread));
        Some(thread)
    }

    /// Tells sets of threads that can run apart.
    pub fn runnable_digest(&self) -> u64 {
        self.runnable.iter().fold(1, |digest, thread| (digest ^ u64::from(thread)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// What each thread waits in, if it cannot go on by itself.
    pub fn waits(&self) -> impl Iterator<Item = Option<&'static str>> {
        self.threads.iter().map(|thread| (thread.state == State::Blocked).then_some(thread.primitive))
    }

    /// Virtual threads created so far.
    pub fn thread_count(&self) -> ThreadId {
        self.threads.len() as ThreadId
    }

    pub fn has_ended(&self, thread: ThreadId) -> bool {
        self.threads[usize::from(thread)].state == State::Ended
    }

    /// The running thread passes a point; whether there is more to it.
    #[inline(always)]
    pub fn count(&mut self, kind: OpKind) -> bool {
        self.trace.count(kind) >= self.look_at || kind.yields()
    }

    /// Points are logged from the next execution on, or no more.
    pub fn set_logging(&mut self, logging: bool) {
        self.logging = logging;
    }

    pub fn is_logging(&self) -> bool {
        self.logging
    }

    /// Whether operations of this execution may go wrong in this way.
    #[inline]
    pub fn allows(&self, injection: Injection) -> bool {
        self.injections.allow(injection)
    }

    /// Whether what the running thread does at its point goes wrong, in one of the ways that it `may`.
    pub fn inject(&mut self, may: impl Fn(Injection) -> bool) -> Option<Injection> {
        let mut options = [Injection::Eio; Injection::ALL.len()];
        let mut count = 0;
        for option in Injection::ALL.into_iter().filter(|&option| self.injections.allow(option) && may(option)) {
            options[count] = option;
            count += 1;
        }
        if count == 0 {
            return None;
        }
        let unwatched = self.unwatched();
        let injected = self.strategy.inject(&options[..count]).unwrap_or_else(|divergence| {
            self.diverged(divergence);
            None
        });
        drop(unwatched);
        if let Some(injection) = injected {
            self.trace.inject(injection);
        }
        if injected.is_some() || self.ending.is_some() {
            self.ask_next();
        }
        injected
    }

    #[inline]
    fn add_runnable(&mut self, thread: ThreadId) {
        self.runnable.insert(thread);
        // Somebody new can run.
        self.ask_next();
    }
}
