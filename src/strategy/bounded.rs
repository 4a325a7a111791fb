//! Every schedule with at most so many preemptions, depth first (Musuvathi, Qadeer: "Iterative Context Bounding for
//! Systematic Testing of Multithreaded Programs", PLDI 2007).
//!
//! Schedules are executed one by one, whether or not they differ in more than the order of steps that commute: sleep sets
//! and source sets are not sound together with a bound, since what they leave a schedule out for may need more preemptions.
//!
//! Besides the order of threads, it tries every waiter that could be woken, every time-out and every injection.

use super::deepening::Reach;
use super::{Decision, Divergence, Manner, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::schedule::Injection;

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
pub struct Bounded {
    /// Preemptions: at most.
    bound: u32,
    reach: Reach,
    /// Executions of the search with this patience.
    executions: u64,
    /// The nodes on the way to the current leaf, and how many of them this execution passed.
    path: Vec<Node>,
    depth: usize,
    ways: Vec<Way>,
    /// Ways that nodes of the path still have ahead.
    open: usize,
    preemptions: u32,
    begun: bool,
    /// An execution did not come the way it was sent: the program depends on more than choices.
    strayed: bool,
}

impl Bounded {
    /// Executes every schedule in which threads that could go on are left at most so often.
    #[must_use]
    pub fn within(preemptions: u32) -> Self {
        Self {
            bound: preemptions,
            reach: Reach::new(),
            executions: 0,
            path: Vec::new(),
            depth: 0,
            ways: Vec::new(),
            open: 0,
            preemptions: 0,
            begun: false,
            strayed: false,
        }
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

    /// Puts the ways to go on in `ways`, the current thread first.
    fn offer(&mut self, decision: &Decision<'_>) {
        let current = decision.current.filter(|&current| decision.runnable.contains(current));
        if let Some(current) = current {
            self.ways.push(Way::Thread(current));
        }
        if self.preempts(decision) && self.preemptions >= self.bound {
            return;
        }
        self.ways.extend(decision.runnable.iter().filter(|&thread| current != Some(thread)).map(Way::Thread));
        self.ways.extend(decision.sleeping.iter().map(|sleeper| Way::TimeOut(sleeper.thread)));
    }

    /// Whether another thread than the current one would interrupt it.
    fn preempts(&self, decision: &Decision<'_>) -> bool {
        !decision.yielding && decision.current.is_some_and(|current| decision.runnable.contains(current))
    }

    /// Takes the way that the path says, or begins a new part of it.
    fn way(&mut self, decision: &Decision<'_>) -> Way {
        let offered = |way| match way {
            Way::Thread(thread) => decision.runnable.contains(thread),
            Way::TimeOut(thread) => decision.sleeping.iter().any(|sleeper| sleeper.thread == thread),
            Way::Index(_) => false,
        };
        let (first, taken) = self.follow(offered).unwrap_or_else(|| {
            let first = self.ways.len();
            self.offer(decision);
            self.branch(first);
            (first, 0)
        });
        self.ways[first + taken]
    }
}

impl Strategy for Bounded {
    fn forget(&mut self) {
        *self = Self::within(self.bound);
    }

    fn begin(&mut self, _seed: u64, _expected_points: u64) {
        if self.begun {
            self.advance();
        }
        self.begun = true;
        self.executions += 1;
        self.depth = 0;
        self.preemptions = 0;
    }

    fn manner(&self) -> Manner {
        Manner {
            watches: true,
            lets_stay: false,
            patience: self.reach.patience,
            draws_stores: false,
            ..Manner::default()
        }
    }

    fn deepen(&mut self) -> bool {
        let Some(deeper) = self.reach.deeper(self.executions) else { return false };
        *self = Self { reach: deeper, ..Self::within(self.bound) };
        true
    }

    fn search_ended(&mut self) -> bool {
        self.begun && self.open == 0 && !self.strayed
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let thread = match self.way(decision) {
            Way::Thread(thread) | Way::TimeOut(thread) => thread,
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

    fn older(&mut self, stores: u16) -> Result<u16, Divergence> {
        Ok(self.index(stores.into()) as u16)
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        let index = self.index(options.len() + 1);
        Ok(index.checked_sub(1).map(|index| options[index]))
    }
}
