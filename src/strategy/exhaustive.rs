//! Every execution that differs from others in more than the order of steps that commute, once.
//!
//! Optimal dynamic partial-order reduction, with source sets and wake-up trees (Abdulla, Aronis, Jonsson, Sagonas: "Optimal
//! Dynamic Partial Order Reduction", POPL 2014). An execution is run to its end; of each two steps that race in it, the
//! other order is entered into the wake-up tree of the place where the first was made, unless a thread that sleeps there
//! has seen to it. Here a thread's step goes from one scheduling point to the next, and what it touches is what its
//! operation says and what the controller reports on the way (`footprint.rs`). What is not understood touches everything.
//!
//! Where this is more than the paper has: a thread that is about to take a lock, or to join another one, is none that can
//! be chosen until the lock is free and the thread has ended, and takings of a lock race with each other, not with giving
//! it up. The time-out of a wait is another step of the thread, which races with what ends the wait. Which waiter is woken
//! and which call fails, are choices within a step, all of which are tried. What ends the program is in a race with
//! whatever could still be done.
//!
//! A thread that spins is set aside by the controller after a few rounds, so that there is an end. Where that happened, the
//! search begins anew with loops of twice as many rounds, as long as it takes few executions: so a loop that gives up
//! after a while is followed to its end. The controller counts what is left out.

mod distinct;
mod footprint;
mod order;
mod race;
mod record;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;
use std::sync::Arc;

use super::deepening::Reach;
use super::{Decision, Divergence, Manner, Strategy, Turn, Use};
use crate::model::execution::ThreadId;
use crate::model::extent::Extent;
use crate::model::op::Op;
use crate::model::schedule::Injection;
use distinct::Distinct;
use footprint::Footprint;
use order::Order;
use record::Record;
use tree::{Branch, Step, Way};

/// A choice within a step.
#[derive(Clone, Copy, Debug)]
struct Pick {
    taken: u8,
    /// The one that was taken first; they are taken in turn.
    first: u8,
    count: u8,
}

/// A thread that need not go on this way yet: all that begins with it was tried.
#[derive(Clone)]
struct Sleeper {
    way: Way,
    footprint: Arc<Footprint>,
}

/// A place that an execution passed, before the step of the same number.
#[derive(Default)]
struct Node {
    /// How the execution could go on; empty where there was no choice.
    enabled: Vec<Way>,
    asleep: Vec<Sleeper>,
    /// What is to be tried here yet, besides what is being tried.
    tree: Vec<Branch>,
    /// What is to be tried after the step that is made now, until the next node takes it.
    rest: Vec<Branch>,
    picks: Vec<Pick>,
    /// The picks of the step that are settled.
    settled: Vec<u8>,
    /// What the step touched with other picks.
    touched: Option<Footprint>,
    /// Ways to go on that were tried.
    done: u32,
    /// Passing names that executions have in common which come here.
    known: u32,
}

/// The search.
pub struct Exhaustive {
    reach: Reach,
    /// Executions of the search with this patience, and how many of them were found to be like others on their way.
    executions: u64,
    repeated: u64,
    distinct: Distinct,
    /// The places on the way to the current end, and the steps between them.
    path: Vec<Node>,
    record: Record,
    order: Order,
    redundant: bool,
    /// The current execution was looked at, and the path leads to the next.
    finished: bool,
    over: bool,
    /// Times that an execution did not go the way it was sent.
    strayed: u64,
    scratch: Vec<Way>,
}

impl Exhaustive {
    #[must_use]
    pub fn new() -> Self {
        Self {
            reach: Reach::new(),
            executions: 0,
            repeated: 0,
            distinct: Distinct::default(),
            path: Vec::new(),
            record: Record::new(),
            order: Order::new(),
            redundant: false,
            finished: true,
            over: false,
            strayed: 0,
            scratch: Vec::new(),
        }
    }

    fn restart(&mut self, reach: Reach) {
        let mut record = std::mem::replace(&mut self.record, Record::new());
        record.forget();
        *self = Self { reach, record, ..Self::new() };
    }

    /// Looks for races in the execution that has just ended, and makes the path lead to the next one.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.repeated += u64::from(self.redundant);
        self.strayed += self.record.end(&mut self.distinct);
        if !self.redundant {
            self.distinct.end();
        }
        // It may have ended before it came where it was sent.
        self.path.truncate(self.record.depth());
        self.plan_races();
        self.over = !self.advance();
    }

    /// Goes back to the last place with something left to try; whether there is any.
    fn advance(&mut self) -> bool {
        while let Some(step) = self.path.len().checked_sub(1) {
            let node = &mut self.path[step];
            let touched = Footprint::new(self.record.touched(step), node.known);
            match &mut node.touched {
                Some(before) => before.add(touched),
                none => *none = Some(touched),
            }
            let way = self.record.way(step);
            if node.next_picks(way) {
                self.record.keep(step, way);
                return true;
            }
            let footprint = Arc::new(node.touched.take().unwrap_or_else(Footprint::everything));
            node.asleep.push(Sleeper { way, footprint });
            node.done += 1;
            while !node.tree.is_empty() {
                let Branch { step: next, rest } = node.tree.remove(0);
                if node.asleep.iter().all(|sleeper| sleeper.way != next.way) {
                    node.picks.clear();
                    (node.settled, node.rest) = (next.picks, rest);
                    self.record.keep(step, next.way);
                    return true;
                }
            }
            self.path.pop();
        }
        self.record.keep_nothing();
        false
    }

    /// Makes a new place at the end of the path, with these ways to go on, and says which of them it takes; `None` if all are
    /// asleep.
    fn enter(&mut self, enabled: &[Way], preferred: Option<Way>) -> Option<Way> {
        let (mut asleep, mut tree) = (Vec::new(), Vec::new());
        let depth = self.path.len();
        if let Some(before) = self.path.last_mut() {
            tree = std::mem::take(&mut before.rest);
            let step = self.record.touched(depth - 1);
            let thread = self.record.way(depth - 1).thread;
            let stays = |sleeper: &&Sleeper| sleeper.way.thread != thread && !sleeper.footprint.conflicts_with(step);
            asleep = before.asleep.iter().filter(stays).cloned().collect();
        }
        let is_awake = |way: &Way| asleep.iter().all(|sleeper: &Sleeper| sleeper.way != *way);
        // What was planned may not be possible where a thread was set aside.
        let planned = tree.len();
        tree.retain(|branch: &Branch| enabled.contains(&branch.step.way));
        self.strayed += u64::from(planned > 0 && tree.is_empty());
        let mut node =
            Node { enabled: enabled.to_vec(), asleep: Vec::new(), known: self.record.known(), ..Node::default() };
        let way = if tree.is_empty() {
            preferred.filter(is_awake).or_else(|| enabled.iter().copied().find(is_awake))
        } else {
            let Branch { step: Step { way, picks, .. }, rest } = tree.remove(0);
            (node.settled, node.rest) = (picks, rest);
            Some(way)
        };
        (node.asleep, node.tree) = (asleep, tree);
        match way {
            Some(way) => {
                self.path.push(node);
                self.record.plan(way);
            }
            None => self.redundant = true,
        }
        way
    }

    /// Goes on in any way.
    fn anyone(decision: &Decision<'_>) -> Way {
        let staying = decision.current.filter(|&thread| !decision.yielding && decision.runnable.contains(thread));
        let next = || decision.runnable.after(decision.current.unwrap_or_default());
        match staying.or_else(next) {
            Some(thread) => Way { thread, timed_out: false },
            None => Way { thread: decision.sleeping[0].thread, timed_out: true },
        }
    }

    fn way(&mut self, decision: &Decision<'_>) -> Way {
        if self.redundant {
            return Self::anyone(decision);
        }
        self.record.close(&mut self.distinct);
        let offered = |way: Way| match way.timed_out {
            false => decision.runnable.contains(way.thread),
            true => decision.sleeping.iter().any(|sleeper| sleeper.thread == way.thread),
        };
        if let Some(planned) = self.record.planned() {
            if offered(planned) {
                return planned;
            }
            self.stray();
        }
        let mut enabled = std::mem::take(&mut self.scratch);
        self.record.enabled(decision, &mut enabled);
        let current = decision.current.filter(|_| !decision.yielding);
        let preferred = enabled.iter().copied().find(|way| Some(way.thread) == current && !way.timed_out);
        let way = self.enter(&enabled, preferred);
        self.scratch = enabled;
        way.unwrap_or_else(|| Self::anyone(decision))
    }

    /// Gives up what the path says from here on.
    fn stray(&mut self) {
        self.strayed += 1;
        self.path.truncate(self.record.depth());
        self.record.stray();
    }

    /// Takes one of `count` ways that are the same step of a thread with different ends.
    fn index(&mut self, count: usize) -> usize {
        if self.redundant || count > usize::from(u8::MAX) {
            self.strayed += u64::from(!self.redundant);
            return 0;
        }
        let Some(step) = self.record.current() else {
            self.strayed += 1;
            return 0;
        };
        let node = &mut self.path[step];
        let number = self.record.count_pick();
        if let Some(pick) = node.picks.get(number) {
            if usize::from(pick.count) == count {
                return pick.taken.into();
            }
            self.strayed += 1;
            return 0;
        }
        let taken = node.settled.get(number).copied().filter(|&taken| usize::from(taken) < count).unwrap_or(0);
        node.picks.push(Pick { taken, first: taken, count: count as u8 });
        taken.into()
    }

    /// Executions that the whole search takes, judged by those that were made (Knuth: "Estimating the Efficiency of
    /// Backtrack Programs", Mathematics of Computation 29, 1975): each place's share is divided evenly among the ways to go
    /// on that are known there.
    fn estimate(&self) -> f64 {
        let (mut share, mut done) = (1.0, 0.0);
        for node in &self.path {
            let all = 1.0 + f64::from(node.done) + node.tree.len() as f64;
            done += share * f64::from(node.done) / all;
            share /= all;
            for pick in &node.picks {
                let before = (pick.taken + pick.count - pick.first) % pick.count;
                done += share * f64::from(before) / f64::from(pick.count);
                share /= f64::from(pick.count);
            }
        }
        if self.over || done <= 0.0 { self.executions as f64 } else { self.executions as f64 / done }
    }
}

impl Node {
    /// Makes the step go on with other picks, if there are any that were not tried.
    fn next_picks(&mut self, way: Way) -> bool {
        while let Some(pick) = self.picks.last_mut() {
            pick.taken = (pick.taken + 1) % pick.count;
            if pick.taken == pick.first {
                self.picks.pop();
                continue;
            }
            let taken = self.picks.iter().map(|pick| pick.taken);
            let planned =
                |branch: &Branch| branch.step.way == way && branch.step.picks.iter().copied().eq(taken.clone());
            self.rest = match self.tree.iter().position(planned) {
                Some(place) => self.tree.remove(place).rest,
                None => Vec::new(),
            };
            return true;
        }
        false
    }
}

impl Default for Exhaustive {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Exhaustive {
    fn forget(&mut self) {
        self.restart(Reach::new());
    }

    fn begin(&mut self, _seed: u64, _expected_points: u64) {
        self.finish();
        self.executions += 1;
        self.redundant = false;
        self.finished = false;
        self.over = false;
        self.record.begin();
        self.distinct.begin();
    }

    fn manner(&self) -> Manner {
        Manner { watches: true, wants_uses: true, lets_stay: false, patience: self.reach.patience, draws_stores: false }
    }

    fn lies_still(&mut self, memory: Range<usize>) {
        self.record.names.add_steady(memory);
    }

    fn deepen(&mut self) -> bool {
        let Some(deeper) = self.reach.deeper(self.executions) else { return false };
        self.restart(deeper);
        true
    }

    fn search_ended(&mut self) -> bool {
        self.finish();
        self.over
    }

    fn extent(&self) -> Option<Extent> {
        let (distinct, may_be_more) = self.distinct.count();
        Some(Extent {
            distinct,
            may_be_more,
            executions: self.executions,
            repeated: self.repeated,
            strayed: self.strayed,
            raced_unseen: self.order.unseen,
            estimate: self.estimate() as u64,
        })
    }

    fn is_redundant(&self) -> bool {
        self.redundant
    }

    fn made(&mut self, thread: ThreadId, made: &Op) {
        if self.redundant {
            return;
        }
        self.record.close(&mut self.distinct);
        let way = Way { thread, timed_out: self.record.is_timed_out(thread) };
        match self.record.planned() {
            Some(planned) if planned == way => {}
            planned => {
                if planned.is_some() {
                    self.stray();
                }
                // Nobody was asked.
                if self.enter(&[way], Some(way)) != Some(way) {
                    self.strayed += u64::from(!self.redundant);
                    self.redundant = true;
                    return;
                }
            }
        }
        self.record.step(way, made);
    }

    fn uses(&mut self, thread: ThreadId, how: Use) {
        if !self.redundant {
            self.record.uses(thread, how);
        }
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        Ok(Turn { thread: self.way(decision).thread, points: 1 })
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
