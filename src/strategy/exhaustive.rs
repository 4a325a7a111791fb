//! Every schedule, depth first.
//!
//! Without a bound, sleep sets leave out schedules that differ from one that was executed only in the order of
//! operations that do not touch each other (Godefroid: "Partial-Order Methods for the Verification of Concurrent
//! Systems", LNCS 1032, 1996); every outcome of the program is met, if whatever two threads share is at a scheduling
//! point. A bound on preemptions leaves out schedules with more (Musuvathi, Qadeer: "Iterative Context Bounding for
//! Systematic Testing of Multithreaded Programs", PLDI 2007); since sleep sets are not sound together with it, all
//! others are executed one by one. Either way, a thread that spins is set aside by the controller after a few rounds:
//! of executions in which a loop comes back more often to the same operations, only some are tried, so that there is an
//! end. Where that happened, the search begins anew with loops of four times as many rounds, as long as it takes few
//! executions: so a loop that gives up after a while is followed to its end. The controller counts what is left out.
//!
//! Besides the order of threads, it tries every waiter that could be woken, every time-out and every injection.

use super::reach::Reach;
use super::{Decision, Divergence, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::Op;
use crate::model::schedule::Injection;

/// Rounds of a loop that waits for others, after which they must go on first: at the beginning, and at most.
const PATIENCE: u32 = 4;
const MOST_PATIENCE: u32 = 256;
/// A search that took more executions is not begun anew with more patience.
const SHORT: u64 = 5_000;

/// One way to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Thread(ThreadId),
    /// The thread's wait ends by its time-out.
    TimeOut(ThreadId),
    /// The waiter, or the injection, of that index.
    Index(usize),
}

/// A place where executions part.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Its ways are in `ways` from here to the next node's.
    first: usize,
    /// The way taken now; those before are done.
    taken: usize,
}

/// Goes through a tree of choices, one leaf an execution.
pub struct Exhaustive {
    /// Preemptions: at most.
    bound: Option<u32>,
    patience: u32,
    /// Executions of the search with this patience.
    executions: u64,
    /// The nodes on the way to the current leaf, and how many of them this execution passed.
    path: Vec<Node>,
    depth: usize,
    ways: Vec<Way>,
    /// Ways that nodes of the path still have ahead.
    open: usize,
    preemptions: u32,
    /// Threads that need not go on yet, since everything that begins with what they would do was tried.
    asleep: Vec<(ThreadId, Reach)>,
    /// What each thread did last.
    last: Vec<Option<Op>>,
    /// The thread that was chosen goes on because its time is out.
    timed_out: bool,
    /// Every way to go on is asleep: the rest of the execution was seen before, in another order.
    redundant: bool,
    begun: bool,
    /// An execution did not come the way it was sent: the program depends on more than choices.
    strayed: bool,
}

impl Exhaustive {
    /// Executes every schedule, or one of those with the same outcome.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bound: None,
            patience: PATIENCE,
            executions: 0,
            path: Vec::new(),
            depth: 0,
            ways: Vec::new(),
            open: 0,
            preemptions: 0,
            asleep: Vec::new(),
            last: Vec::new(),
            timed_out: false,
            redundant: false,
            begun: false,
            strayed: false,
        }
    }

    /// Executes every schedule in which threads that could go on are left at most so often.
    #[must_use]
    pub fn within(preemptions: u32) -> Self {
        Self { bound: Some(preemptions), ..Self::new() }
    }

    /// Makes the path lead to the next leaf.
    fn advance(&mut self) {
        if self.depth < self.path.len() {
            self.stray();
        }
        while let Some(node) = self.path.last_mut() {
            if node.taken + 1 < self.ways.len() - node.first {
                node.taken += 1;
                self.open -= 1;
                return;
            }
            self.ways.truncate(node.first);
            self.path.pop();
        }
    }

    /// Whether the path says what to do here, if this is its next node: one with `offered` among its ways.
    fn follow(&mut self, offered: impl Fn(Way) -> bool) -> Option<(usize, usize)> {
        let node = *self.path.get(self.depth)?;
        let end = self.path.get(self.depth + 1).map_or(self.ways.len(), |next| next.first);
        if self.ways[node.first..end].iter().any(|&way| !offered(way)) {
            self.stray();
            return None;
        }
        self.depth += 1;
        Some((node.first, node.taken))
    }

    /// Gives up what the path says from here on.
    fn stray(&mut self) {
        self.strayed = true;
        self.ways.truncate(self.path[self.depth].first);
        self.path.truncate(self.depth);
        let end = |at: usize| self.path.get(at + 1).map_or(self.ways.len(), |next| next.first);
        self.open = (0..).zip(&self.path).map(|(at, node)| end(at) - node.first - node.taken - 1).sum();
    }

    /// Makes a node of the ways from `first` on; there is at least one.
    fn branch(&mut self, first: usize) {
        self.open += self.ways.len() - first - 1;
        self.path.push(Node { first, taken: 0 });
        self.depth += 1;
    }

    /// Takes one of `count` ways that are the same step of a thread with different ends.
    fn index(&mut self, count: usize) -> usize {
        if self.redundant {
            return 0;
        }
        if let Some((first, taken)) = self.follow(|way| matches!(way, Way::Index(index) if index < count))
            && let Way::Index(index) = self.ways[first + taken]
        {
            return index;
        }
        let first = self.ways.len();
        self.ways.extend((0..count).map(Way::Index));
        self.branch(first);
        0
    }

    fn reach(&self, thread: ThreadId, pending: &Op) -> Reach {
        Reach::of(thread, pending, self.last.get(usize::from(thread)).copied().flatten())
    }

    /// Puts the ways to go on in `ways`, the current thread first.
    fn offer(&mut self, decision: &Decision<'_>) {
        let first = self.ways.len();
        let current = decision.current.filter(|&current| decision.runnable.contains(current));
        if let Some(current) = current {
            self.ways.push(Way::Thread(current));
        }
        if let Some(bound) = self.bound {
            if self.preempts(decision) && self.preemptions >= bound {
                return;
            }
        } else if let Some(thread) = decision
            .runnable
            .iter()
            .find(|&thread| self.reach(thread, &decision.pending[usize::from(thread)]) == Reach::Nothing)
        {
            // What concerns nobody can be done at once, in every order the same.
            self.ways.truncate(first);
            self.ways.push(Way::Thread(thread));
            return;
        }
        self.ways.extend(decision.runnable.iter().filter(|&thread| current != Some(thread)).map(Way::Thread));
        self.ways.extend(decision.sleeping.iter().map(|sleeper| Way::TimeOut(sleeper.thread)));
        if self.bound.is_none() {
            let asleep = &self.asleep;
            let mut kept = first;
            for place in first..self.ways.len() {
                let way = self.ways[place];
                if !asleep.iter().any(|&(thread, _)| way == Way::Thread(thread)) {
                    self.ways[kept] = way;
                    kept += 1;
                }
            }
            self.ways.truncate(kept);
        }
    }

    /// Whether another thread than the current one would interrupt it.
    fn preempts(&self, decision: &Decision<'_>) -> bool {
        !decision.yielding && decision.current.is_some_and(|current| decision.runnable.contains(current))
    }

    /// Goes on in any way.
    fn anyone(&mut self, decision: &Decision<'_>) -> Way {
        let staying = decision.current.filter(|&thread| !decision.yielding && decision.runnable.contains(thread));
        let next = || decision.runnable.after(decision.current.unwrap_or_default());
        match staying.or_else(next) {
            Some(thread) => Way::Thread(thread),
            None => Way::TimeOut(decision.sleeping[0].thread),
        }
    }

    /// Takes the way that the path says, or begins a new part of it.
    fn way(&mut self, decision: &Decision<'_>) -> Way {
        if self.redundant {
            return self.anyone(decision);
        }
        let offered = |way| match way {
            Way::Thread(thread) => decision.runnable.contains(thread),
            Way::TimeOut(thread) => decision.sleeping.iter().any(|sleeper| sleeper.thread == thread),
            Way::Index(_) => false,
        };
        let (first, taken) = match self.follow(offered) {
            Some(there) => there,
            None => {
                let first = self.ways.len();
                self.offer(decision);
                if self.ways.len() == first {
                    self.redundant = true;
                    return self.anyone(decision);
                }
                self.branch(first);
                (first, 0)
            }
        };
        if self.bound.is_none() {
            // What was tried before begins nothing new until something touches what it would do.
            for place in first..first + taken {
                if let Way::Thread(thread) = self.ways[place] {
                    let reach = self.reach(thread, &decision.pending[usize::from(thread)]);
                    self.asleep.push((thread, reach));
                }
            }
        }
        self.ways[first + taken]
    }
}

impl Default for Exhaustive {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Exhaustive {
    fn forget(&mut self) {
        *self = Self { bound: self.bound, ..Self::new() };
    }

    fn begin(&mut self, _seed: u64, _expected_points: u64) {
        if self.begun {
            self.advance();
        }
        self.begun = true;
        self.executions += 1;
        self.depth = 0;
        self.preemptions = 0;
        self.asleep.clear();
        self.last.clear();
        self.timed_out = false;
        self.redundant = false;
    }

    fn watches(&self) -> bool {
        true
    }

    fn patience(&self) -> u32 {
        self.patience
    }

    fn deepen(&mut self) -> bool {
        let deeper = self.patience * 4;
        if self.executions > SHORT || deeper > MOST_PATIENCE {
            return false;
        }
        *self = Self { bound: self.bound, patience: deeper, ..Self::new() };
        true
    }

    fn lets_stay(&self) -> bool {
        false
    }

    fn exhausted(&self) -> bool {
        self.begun && self.open == 0 && !self.strayed
    }

    fn is_redundant(&self) -> bool {
        self.redundant
    }

    fn made(&mut self, thread: ThreadId, made: &Op) {
        let reach = if self.timed_out { Reach::Everything } else { self.reach(thread, made) };
        self.timed_out = false;
        self.asleep.retain(|&(sleeper, other)| sleeper != thread && !reach.touches(&other));
        if self.last.len() <= usize::from(thread) {
            self.last.resize(usize::from(thread) + 1, None);
        }
        self.last[usize::from(thread)] = Some(*made);
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let thread = match self.way(decision) {
            Way::Thread(thread) => thread,
            Way::TimeOut(thread) => {
                self.timed_out = true;
                thread
            }
            Way::Index(_) => unreachable!("only threads are offered here"),
        };
        if self.preempts(decision) && decision.current != Some(thread) {
            self.preemptions += 1;
        }
        Ok(Turn { thread, points: 1 })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.index(waiters.len()))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        let index = self.index(options.len() + 1);
        Ok(index.checked_sub(1).map(|index| options[index]))
    }
}
