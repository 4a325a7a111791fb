//! The sequential specification of task graphs: a machine that runs one task by one small step at a time.
//!
//! An operation takes three steps: it is called (`OperationBegin`), it has its effect once it need not
//! wait, and it returns (`OperationEnd` or `OperationFail`). A call on a system takes one more for each event
//! inside it. Whoever drives the model chooses which task steps, so every order that the specification allows
//! can be had: between the effect and the record too.

use std::collections::VecDeque;

use super::objects::Objects;
use super::sequential::Caller;
use super::systems::{self, Contexts};
use crate::model::execution::{Event, EventKind, ThreadId};
use crate::task_graph::{
    Affinity, Begun, CANCELLED, Call, Operation, Outcome, ResultKind, TaskGraph, TaskId, Tree, caught, mix,
};

/// A task graph under way.
pub struct Model<'a> {
    graph: &'a TaskGraph,
    tree: Tree,
    objects: Objects,
    contexts: Contexts,
    tasks: Vec<Run>,
    /// The tasks that threads are inside of, each thread in one at most.
    running: Vec<TaskId>,
    events: Vec<Event>,
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No frame yet.
    Unborn,
    /// A frame, and nothing has run.
    Made,
    /// Before its next operation, or at its end.
    Between,
    /// In an operation, before its effect.
    Called,
    /// In a call, after its effect, with something left to record.
    Telling(i64),
    /// In an operation, after its effect.
    Returning(Outcome),
    /// Failed with this code.
    Failing(u32),
    /// Recorded its end.
    Ended,
    /// Whoever waits for it may see its outcome.
    Done,
    /// Its frame is gone.
    Freed,
}

#[derive(Clone, Debug)]
struct Run {
    stage: Stage,
    next: usize,
    accumulator: i64,
    outcome: Option<Outcome>,
    affinity: Affinity,
    thread: ThreadId,
    /// A stop was asked for, of this task itself (by `Cancel`, or as a child of `WhenAny`).
    stop: bool,
    /// The child that won the current `WhenAny`.
    winner: Option<usize>,
    /// What the current call has still to record.
    tells: VecDeque<(EventKind, i64)>,
}

impl<'a> Model<'a> {
    /// A valid task graph at its start.
    #[must_use]
    pub fn new(graph: &'a TaskGraph) -> Self {
        let run = |task: &crate::task_graph::Task| Run {
            stage: Stage::Unborn,
            next: 0,
            accumulator: 0,
            outcome: None,
            affinity: task.affinity,
            thread: 0,
            stop: false,
            winner: None,
            tells: VecDeque::new(),
        };
        let mut model = Self {
            graph,
            tree: Tree::of(graph),
            objects: Objects::new(&graph.objects),
            contexts: Contexts::default(),
            tasks: graph.tasks.iter().map(run).collect(),
            running: vec![],
            events: vec![],
        };
        model.make(0, 0);
        model
    }

    /// Whether the root's outcome can be seen, so that the task graph has come to its end.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.tasks[0].stage, Stage::Done | Stage::Freed)
    }

    /// How the task ended, if it did.
    #[must_use]
    pub fn outcome(&self, task: TaskId) -> Option<Outcome> {
        self.tasks[task as usize].outcome
    }

    /// What has been recorded.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Lets the task take a step if it can; whether it could. Where the step may change threads, a task of
    /// worker affinity goes on on `thread`.
    pub fn step(&mut self, task: TaskId, thread: ThreadId) -> bool {
        let graph = self.graph;
        let operations = &graph.tasks[task as usize].operations;
        let next = self.tasks[task as usize].next;
        let stage = self.tasks[task as usize].stage;
        let resumes = match stage {
            Stage::Made => Some(self.tasks[task as usize].affinity),
            Stage::Returning(_) if operations[next].suspends() => Some(self.affinity_after(task, &operations[next])),
            _ => None,
        };
        if resumes.is_some_and(|affinity| self.is_busy(if affinity == Affinity::Main { 0 } else { thread })) {
            return false;
        }
        match stage {
            Stage::Unborn | Stage::Freed => return false,
            Stage::Made => {
                self.move_to(task, thread);
                self.set(task, Stage::Between);
                self.record(task, EventKind::TaskBegin, 0);
            }
            Stage::Between if next == operations.len() => {
                let run = &mut self.tasks[task as usize];
                let void = graph.tasks[task as usize].result == ResultKind::Void;
                let value = if void { 0 } else { run.accumulator };
                run.outcome = Some(Outcome::Value(value));
                self.set(task, Stage::Ended);
                self.record(task, EventKind::TaskEnd, value);
            }
            Stage::Between => {
                self.set(task, Stage::Called);
                self.record(task, EventKind::OperationBegin, 0);
                for &child in operations[next].begins() {
                    let here = self.tasks[task as usize].thread;
                    self.make(child, here);
                }
            }
            Stage::Called if let Operation::Call(call) = &operations[next] => {
                return self.call(task, &operations[next], call);
            }
            Stage::Telling(value) => self.tell(task, &operations[next], value),
            Stage::Called => match self.effect(task, &operations[next]) {
                Some(outcome) => self.set(task, Stage::Returning(outcome)),
                None => return false,
            },
            Stage::Returning(outcome) => self.give_back(task, &operations[next], outcome, thread),
            Stage::Failing(code) => {
                self.objects.release_all(task);
                self.contexts.end_all(task);
                self.tasks[task as usize].outcome = Some(Outcome::Failure(code));
                self.set(task, Stage::Ended);
                self.record(task, EventKind::TaskFail, i64::from(code));
            }
            Stage::Ended => self.complete(task),
            Stage::Done => {
                self.set(task, Stage::Freed);
                self.record(task, EventKind::FrameFreed, 0);
            }
        }
        true
    }

    /// Shuts down after the end of the root: whoever runs comes to its next suspension or its end, then
    /// what is left is destroyed.
    pub fn shut_down(&mut self) {
        for task in 0..self.tasks.len() as TaskId {
            while self.runs(task) {
                let here = self.tasks[task as usize].thread;
                self.step(task, here);
            }
        }
        for task in 0..self.tasks.len() as TaskId {
            if !matches!(self.tasks[task as usize].stage, Stage::Unborn | Stage::Freed) {
                self.tasks[task as usize].thread = 0;
                self.set(task, Stage::Freed);
                self.record(task, EventKind::FrameFreed, 0);
            }
        }
    }

    /// Whether some thread is inside the task.
    fn runs(&self, task: TaskId) -> bool {
        let run = &self.tasks[task as usize];
        match run.stage {
            Stage::Between | Stage::Failing(_) | Stage::Telling(_) => true,
            Stage::Called | Stage::Returning(_) => !self.graph.tasks[task as usize].operations[run.next].suspends(),
            Stage::Unborn | Stage::Made | Stage::Ended | Stage::Done | Stage::Freed => false,
        }
    }

    /// Runs to the end, every task in turn as far as it comes; false if that gets stuck.
    pub fn run(&mut self) -> bool {
        while !self.ended() {
            let mut moved = false;
            for task in 0..self.tasks.len() as TaskId {
                while !self.ended() && self.step(task, 0) {
                    moved = true;
                }
            }
            if !moved {
                return false;
            }
        }
        self.shut_down();
        true
    }

    /// Whether the thread is inside a task.
    fn is_busy(&self, thread: ThreadId) -> bool {
        self.running.iter().any(|&task| self.tasks[task as usize].thread == thread)
    }

    /// Where the task runs once the operation has returned.
    fn affinity_after(&self, task: TaskId, operation: &Operation) -> Affinity {
        if let Operation::Hop(affinity) = *operation { affinity } else { self.tasks[task as usize].affinity }
    }

    /// The effect of a call on a system, if it need not wait; a `Resume` has another one when it leaves.
    fn call(&mut self, task: TaskId, operation: &Operation, call: &Call) -> bool {
        let caller = self.caller(task);
        let gave = match self.contexts.apply(task, caller.thread, call) {
            Some(gave) => gave,
            None => match self.objects.apply(caller, operation) {
                Some(gave) => gave,
                None => return false,
            },
        };
        let tells = &mut self.tasks[task as usize].tells;
        match *call {
            Call::Resume(id, body) if gave == 1 => {
                let checks = self.graph.objects.processors[id as usize];
                tells.extend(systems::visit(body, checks));
            }
            _ => tells.extend(systems::callback(call, gave).map(|value| (EventKind::Callback, value))),
        }
        self.set(task, Stage::Telling(gave));
        true
    }

    fn caller(&self, task: TaskId) -> Caller {
        Caller { task, thread: self.tasks[task as usize].thread }
    }

    /// Records the next of what a call records inside, and ends the call after the last.
    fn tell(&mut self, task: TaskId, operation: &Operation, value: i64) {
        if let Some((kind, value)) = self.tasks[task as usize].tells.pop_front() {
            return self.record(task, kind, value);
        }
        if value == 1 {
            self.objects.leave(self.caller(task), operation);
        }
        self.set(task, Stage::Returning(Outcome::Value(value)));
    }

    fn effect(&mut self, task: TaskId, operation: &Operation) -> Option<Outcome> {
        let outcome = |child: TaskId| {
            let run = &self.tasks[child as usize];
            if matches!(run.stage, Stage::Done | Stage::Freed) { run.outcome } else { None }
        };
        let value = match *operation {
            Operation::Await(child) | Operation::AwaitCatch(child) | Operation::Join(child) => return outcome(child),
            Operation::WhenAll(ref children) => {
                let outcomes = children.iter().map(|&child| outcome(child)).collect::<Option<Vec<_>>>()?;
                let failure = outcomes.into_iter().find(|outcome| matches!(outcome, Outcome::Failure(_)));
                return Some(failure.unwrap_or(Outcome::Value(0)));
            }
            Operation::WhenAny(ref children) => {
                let outcomes = children.iter().map(|&child| outcome(child)).collect::<Option<Vec<_>>>()?;
                let winner = self.tasks[task as usize].winner?;
                return Some(match outcomes[winner] {
                    Outcome::Value(_) => Outcome::Value(winner as i64),
                    failure @ Outcome::Failure(_) => failure,
                });
            }
            Operation::Throw(code) => return Some(Outcome::Failure(code)),
            Operation::CheckCancel if self.stopped(task) => return Some(Outcome::Failure(CANCELLED)),
            Operation::Cancel(child) => {
                self.tasks[child as usize].stop = true;
                0
            }
            // Time stands still here, so a sleep lasts until nobody minds.
            Operation::Sleep(microseconds) => i64::from(microseconds),
            _ => self.objects.apply(self.caller(task), operation)?,
        };
        Some(Outcome::Value(value))
    }

    fn give_back(&mut self, task: TaskId, operation: &Operation, outcome: Outcome, thread: ThreadId) {
        self.tasks[task as usize].affinity = self.affinity_after(task, operation);
        if operation.suspends() {
            self.move_to(task, thread);
        }
        let kind = match outcome {
            Outcome::Value(_) => EventKind::OperationEnd,
            Outcome::Failure(_) => EventKind::OperationFail,
        };
        let recorded = match outcome {
            Outcome::Value(value) => value,
            Outcome::Failure(code) => i64::from(code),
        };
        self.record(task, kind, recorded);
        let mixed: Vec<i64> = match (operation, outcome) {
            (Operation::AwaitCatch(_), Outcome::Failure(code)) => vec![caught(code)],
            (_, Outcome::Failure(code)) => {
                self.set(task, Stage::Failing(code));
                return;
            }
            (Operation::Compute(value), _) => vec![*value],
            (Operation::WhenAll(children), _) => children.iter().map(|&child| self.value(child)).collect(),
            (Operation::WhenAny(children), Outcome::Value(winner)) => {
                vec![winner, self.value(children[winner as usize])]
            }
            (Operation::Await(_) | Operation::AwaitCatch(_) | Operation::Join(_) | Operation::Receive(_), _) => {
                vec![recorded]
            }
            _ => vec![],
        };
        let run = &mut self.tasks[task as usize];
        run.accumulator = mixed.into_iter().fold(run.accumulator, mix);
        run.next += 1;
        run.winner = None;
        self.set(task, Stage::Between);
    }

    fn value(&self, child: TaskId) -> i64 {
        match self.tasks[child as usize].outcome {
            Some(Outcome::Value(value)) => value,
            _ => 0,
        }
    }

    /// Lets those who wait for the task see its outcome.
    fn complete(&mut self, task: TaskId) {
        self.set(task, Stage::Done);
        if self.tree.begun(task) == Begun::Raced {
            let parent = self.tree.parent(task);
            let group = self.graph.tasks[parent as usize].operations[usize::from(self.tree.operation(task))].begins();
            let position = group.iter().position(|&child| child == task);
            if self.tasks[parent as usize].winner.is_none() {
                self.tasks[parent as usize].winner = position;
                for &child in group {
                    self.tasks[child as usize].stop = true;
                }
            }
        }
    }

    /// Whether a stop that the task can see was asked for.
    fn stopped(&self, task: TaskId) -> bool {
        let mut task = task;
        loop {
            if self.tasks[task as usize].stop {
                return true;
            }
            if matches!(self.tree.begun(task), Begun::Started | Begun::Root) {
                return false;
            }
            task = self.tree.parent(task);
        }
    }

    fn make(&mut self, task: TaskId, thread: ThreadId) {
        self.tasks[task as usize].thread = thread;
        self.set(task, Stage::Made);
        self.record(task, EventKind::FrameMade, 0);
    }

    fn move_to(&mut self, task: TaskId, thread: ThreadId) {
        let run = &mut self.tasks[task as usize];
        run.thread = if run.affinity == Affinity::Main { 0 } else { thread };
    }

    fn set(&mut self, task: TaskId, stage: Stage) {
        self.tasks[task as usize].stage = stage;
        let known = self.running.iter().position(|&running| running == task);
        match (self.runs(task), known) {
            (true, None) => self.running.push(task),
            (false, Some(place)) => {
                self.running.swap_remove(place);
            }
            _ => {}
        }
    }

    fn record(&mut self, task: TaskId, kind: EventKind, value: i64) {
        let run = &self.tasks[task as usize];
        let operation = if kind.is_of_operation() { run.next as u16 } else { 0 };
        self.events.push(Event { value, task, operation, thread: run.thread, kind });
    }
}
