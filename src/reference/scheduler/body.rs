//! A task as a state machine: what it does from one suspension to the next.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::objects::{Answer, Woken, locked};
use super::queues::Seat;
use super::{NOBODY, Run};
use crate::execution::EventKind;
use crate::program::{Affinity, CANCELLED, Operation, Outcome, ResultKind, TaskId, caught, mix};

/// What only the runner of a task touches.
pub(super) struct Body {
    stage: Stage,
    next: usize,
    accumulator: i64,
    /// Mutexes it holds.
    held: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unborn,
    Made,
    Between,
    /// Suspended in an operation.
    Inside,
    Freed,
}

/// What calling an operation came to.
enum Flow {
    Returns(Outcome),
    Suspends,
}

const DONE: Flow = Flow::Returns(Outcome::Value(0));

impl Body {
    pub fn new() -> Self {
        Self { stage: Stage::Unborn, next: 0, accumulator: 0, held: vec![] }
    }

    pub fn make(&mut self) {
        self.stage = Stage::Made;
    }

    /// Ends it wherever it is; whether it had a frame.
    pub fn destroy(&mut self) -> bool {
        let had = !matches!(self.stage, Stage::Unborn | Stage::Freed);
        self.stage = Stage::Freed;
        had
    }
}

impl Run<'_> {
    /// Runs a task until it suspends or ends.
    pub(super) fn advance(&self, task: TaskId, seat: &Seat) {
        let mut body = locked(&self.slots[task as usize].body);
        let operations = &self.program.tasks[task as usize].operations;
        if body.stage == Stage::Made {
            body.stage = Stage::Between;
            self.record(seat.thread, task, 0, EventKind::TaskBegin, 0);
        }
        loop {
            let Some(operation) = operations.get(body.next) else {
                let void = self.program.tasks[task as usize].result == ResultKind::Void;
                let value = if void { 0 } else { body.accumulator };
                return self.end(task, &mut body, Outcome::Value(value), seat);
            };
            let index = body.next as u16;
            let outcome = if body.stage == Stage::Inside {
                self.result(task, operation)
            } else {
                let value = if matches!(operation, Operation::Sleep(_)) { self.now() } else { 0 };
                self.record(seat.thread, task, index, EventKind::OperationBegin, value);
                match self.call(task, operation, seat) {
                    Flow::Returns(outcome) => outcome,
                    Flow::Suspends => {
                        body.stage = Stage::Inside;
                        return;
                    }
                }
            };
            body.stage = Stage::Between;
            match outcome {
                Outcome::Value(value) => self.record(seat.thread, task, index, EventKind::OperationEnd, value),
                Outcome::Failure(code) => {
                    self.record(seat.thread, task, index, EventKind::OperationFail, i64::from(code));
                    if !matches!(operation, Operation::AwaitCatch(_)) {
                        return self.end(task, &mut body, outcome, seat);
                    }
                }
            }
            self.take_in(&mut body, operation, outcome);
            body.next += 1;
        }
    }

    fn call(&self, task: TaskId, operation: &Operation, seat: &Seat) -> Flow {
        match *operation {
            Operation::Start(child) => {
                self.make(child, seat);
                self.wake(child, seat);
                DONE
            }
            Operation::Join(child) => {
                let mut end = locked(&self.slots[child as usize].end);
                match end.outcome {
                    Some(outcome) => Flow::Returns(outcome),
                    None => {
                        end.joiner = Some(task);
                        Flow::Suspends
                    }
                }
            }
            Operation::Hop(affinity) => {
                self.slots[task as usize].on_main.store(affinity == Affinity::Main, Ordering::Relaxed);
                self.wake(task, seat);
                Flow::Suspends
            }
            Operation::Yield => {
                self.wake(task, seat);
                Flow::Suspends
            }
            Operation::Sleep(microseconds) => {
                self.queues.wake_at(Instant::now() + Duration::from_micros(u64::from(microseconds)), task);
                Flow::Suspends
            }
            Operation::Throw(code) => Flow::Returns(Outcome::Failure(code)),
            Operation::Cancel(child) => {
                self.slots[child as usize].stop.store(true, Ordering::Release);
                DONE
            }
            Operation::CheckCancel if self.stopped(task) => Flow::Returns(Outcome::Failure(CANCELLED)),
            Operation::Compute(_) | Operation::Detach(_) | Operation::CheckCancel => DONE,
            _ if !operation.begins().is_empty() => {
                let children = operation.begins();
                let slot = &self.slots[task as usize];
                slot.winner.store(NOBODY, Ordering::Relaxed);
                slot.pending.store(children.len() as u32, Ordering::Relaxed);
                for &child in children {
                    self.make(child, seat);
                }
                for &child in children {
                    self.wake(child, seat);
                }
                Flow::Suspends
            }
            _ => {
                let mut woken = Woken::new();
                let answer = self.objects.call(task, operation, &mut woken);
                self.deliver(&mut woken, seat);
                match answer {
                    Answer::Now(value) => Flow::Returns(Outcome::Value(value)),
                    Answer::Later => Flow::Suspends,
                }
            }
        }
    }

    /// What the operation returns in which the task was suspended.
    fn result(&self, task: TaskId, operation: &Operation) -> Outcome {
        let slot = &self.slots[task as usize];
        match *operation {
            Operation::Await(child) | Operation::AwaitCatch(child) | Operation::Join(child) => self.outcome(child),
            Operation::WhenAll(ref children) => {
                let outcomes = children.iter().map(|&child| self.outcome(child));
                outcomes.into_iter().find(|outcome| matches!(outcome, Outcome::Failure(_))).unwrap_or(Outcome::Value(0))
            }
            Operation::WhenAny(ref children) => {
                let winner = slot.winner.load(Ordering::Acquire);
                match self.outcome(children[winner as usize]) {
                    Outcome::Value(_) => Outcome::Value(i64::from(winner)),
                    failure @ Outcome::Failure(_) => failure,
                }
            }
            Operation::Sleep(_) => Outcome::Value(self.now()),
            Operation::Send(..) | Operation::Receive(_) => Outcome::Value(slot.mail.load(Ordering::Relaxed)),
            _ => Outcome::Value(0),
        }
    }

    /// Mixes what an operation gave into the accumulator, and keeps track of what is held.
    fn take_in(&self, body: &mut Body, operation: &Operation, outcome: Outcome) {
        let mut take = |value| body.accumulator = mix(body.accumulator, value);
        match (operation, outcome) {
            (Operation::AwaitCatch(_), Outcome::Failure(code)) => take(caught(code)),
            (Operation::Compute(value), _) => take(*value),
            (Operation::WhenAll(children), _) => children.iter().for_each(|&child| take(self.value(child))),
            (Operation::WhenAny(children), Outcome::Value(winner)) => {
                take(winner);
                take(self.value(children[winner as usize]));
            }
            (
                Operation::Await(_) | Operation::AwaitCatch(_) | Operation::Join(_) | Operation::Receive(_),
                Outcome::Value(value),
            ) => take(value),
            (Operation::Lock(id), _) => body.held.push(*id),
            (Operation::Unlock(id), _) => body.held.retain(|held| held != id),
            _ => {}
        }
    }

    fn end(&self, task: TaskId, body: &mut Body, outcome: Outcome, seat: &Seat) {
        let mut woken = Woken::new();
        for id in body.held.drain(..) {
            self.objects.unlock(id, &mut woken);
        }
        match outcome {
            Outcome::Value(value) => self.record(seat.thread, task, 0, EventKind::TaskEnd, value),
            Outcome::Failure(code) => self.record(seat.thread, task, 0, EventKind::TaskFail, i64::from(code)),
        }
        body.destroy();
        self.record(seat.thread, task, 0, EventKind::FrameFreed, 0);
        self.deliver(&mut woken, seat);
        self.complete(task, outcome, seat);
    }

    /// The outcome of a child that has ended.
    fn outcome(&self, child: TaskId) -> Outcome {
        locked(&self.slots[child as usize].end).outcome.unwrap_or(Outcome::Value(0))
    }

    fn value(&self, child: TaskId) -> i64 {
        match self.outcome(child) {
            Outcome::Value(value) => value,
            Outcome::Failure(code) => i64::from(code),
        }
    }
}
