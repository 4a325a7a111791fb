//! One thread of a run: takes frames that are ready and runs their tasks, operation by operation.

use crossbeam::deque::Worker as Queue;

use super::family::Sequel;
use super::frame::Frame;
use super::ready::EndOnDrop;
use super::{Run, lock};
use crate::model::execution::{EventKind, ThreadId};
use crate::task_graph::{CANCELLED, Operation, Outcome, ResultKind, TaskId, caught, mix};

pub(super) struct Runner<'a> {
    run: &'a Run<'a>,
    thread: ThreadId,
    /// Worker tasks that this thread made ready; other threads steal from it.
    queue: Queue<Frame>,
}

impl<'a> Runner<'a> {
    pub fn new(run: &'a Run<'a>, thread: ThreadId, queue: Queue<Frame>) -> Self {
        Self { run, thread, queue }
    }

    /// Works until the run is over.
    pub fn work(self) {
        let _end = EndOnDrop(&self.run.ready);
        while !self.run.ready.is_over() {
            match self.run.ready.take(self.thread, &self.queue) {
                Some(frame) => self.resume(frame),
                None => self.run.ready.sleep(self.thread),
            }
        }
    }

    /// Makes the frame of a task and queues it.
    pub fn begin(&self, task: TaskId) {
        let frame = self.make(task);
        self.push(frame);
    }

    fn make(&self, task: TaskId) -> Frame {
        self.record_task(task, EventKind::FrameMade, 0);
        Frame::new(self.run.graph, task)
    }

    fn push(&self, frame: Frame) {
        self.run.ready.push(&self.queue, frame);
    }

    fn record_task(&self, task: TaskId, kind: EventKind, value: i64) {
        self.run.log.record(self.thread, task, 0, kind, value);
    }

    fn record(&self, frame: &Frame, kind: EventKind, value: i64) {
        self.run.log.record(self.thread, frame.task, frame.operation, kind, value);
    }

    /// Runs a task until it ends or its frame goes to what it waits for.
    fn resume(&self, mut frame: Frame) {
        let task = &self.run.graph.tasks[frame.task as usize];
        if !frame.begun {
            frame.begun = true;
            self.record_task(frame.task, EventKind::TaskBegin, 0);
        }
        while let Some(operation) = task.operations.get(frame.operation) {
            if !frame.called {
                frame.called = true;
                let time = if matches!(operation, Operation::Sleep(_)) { self.run.ready.now() } else { 0 };
                self.record(&frame, EventKind::OperationBegin, time as i64);
                match self.call(operation, frame) {
                    Some(back) => frame = back,
                    None => return,
                }
            }
            frame.called = false;
            if let Err(code) = self.finish(operation, &mut frame) {
                return self.end(frame, Outcome::Failure(code));
            }
            frame.operation += 1;
        }
        let value = if task.result == ResultKind::Void { 0 } else { frame.accumulator };
        self.end(frame, Outcome::Value(value));
    }

    /// Calls an operation. Gives the frame back if it returns at once.
    fn call(&self, operation: &Operation, mut frame: Frame) -> Option<Frame> {
        match operation {
            Operation::Compute(_) | Operation::Throw(_) | Operation::CheckCancel => Some(frame),
            Operation::Await(_) | Operation::AwaitCatch(_) | Operation::WhenAll(_) | Operation::WhenAny(_) => {
                let children = operation.begins();
                let begun: Vec<Frame> = children.iter().map(|&child| self.make(child)).collect();
                // The parent waits before the first child runs, so that it is there when the last one ends.
                let back = lock(&self.run.shared).family.wait(children, frame);
                begun.into_iter().for_each(|child| self.push(child));
                back
            }
            Operation::Start(child) => {
                self.begin(*child);
                frame.handles.push(*child);
                Some(frame)
            }
            Operation::Join(child) => {
                let child = frame.take_handle(*child);
                lock(&self.run.shared).family.wait(&[child], frame)
            }
            Operation::Detach(child) => {
                let child = frame.take_handle(*child);
                self.give_up(child);
                Some(frame)
            }
            Operation::Cancel(child) => {
                lock(&self.run.shared).family.ask_stop(*child);
                Some(frame)
            }
            Operation::Hop(affinity) if frame.affinity == *affinity => Some(frame),
            Operation::Hop(affinity) => {
                frame.affinity = *affinity;
                self.push(frame);
                None
            }
            Operation::Yield => {
                self.push(frame);
                None
            }
            Operation::Sleep(microseconds) => {
                self.run.ready.push_at(self.run.ready.now() + u64::from(*microseconds), frame);
                None
            }
            Operation::Call(call) => {
                let (task, index) = (frame.task, frame.operation);
                let tell = |kind, value| self.run.log.record(self.thread, task, index, kind, value);
                frame.given = self.run.systems.perform(self.thread, call, &mut frame.branches, tell);
                Some(frame)
            }
            _ => {
                let mut woken = vec![];
                let back = lock(&self.run.shared).objects.call(operation, frame, &mut woken);
                woken.into_iter().for_each(|frame| self.push(frame));
                back
            }
        }
    }

    /// Finishes an operation that was called and returns now. An error is the task's failure.
    fn finish(&self, operation: &Operation, frame: &mut Frame) -> Result<(), u32> {
        let result = self.result(operation, frame);
        match result {
            Ok(value) => self.record(frame, EventKind::OperationEnd, value),
            Err(code) => self.record(frame, EventKind::OperationFail, i64::from(code)),
        }
        for &child in waited_for(operation) {
            self.record_task(child, EventKind::FrameFreed, 0);
        }
        match (operation, result) {
            (Operation::AwaitCatch(_), Err(code)) => {
                frame.accumulator = mix(frame.accumulator, caught(code));
                Ok(())
            }
            (_, result) => result.map(drop),
        }
    }

    /// What an operation gives, or the code with which it fails. Mixes its results in.
    fn result(&self, operation: &Operation, frame: &mut Frame) -> Result<i64, u32> {
        let given = frame.given;
        let mut mix_in = |value| {
            frame.accumulator = mix(frame.accumulator, value);
            value
        };
        match operation {
            Operation::Compute(value) => {
                mix_in(*value);
                Ok(0)
            }
            Operation::Await(child) | Operation::AwaitCatch(child) | Operation::Join(child) => {
                self.result_of(*child).map(mix_in)
            }
            Operation::WhenAll(children) => {
                for &child in children {
                    mix_in(self.result_of(child)?);
                }
                Ok(0)
            }
            Operation::WhenAny(children) => {
                mix_in(given);
                mix_in(self.result_of(children[given as usize])?);
                Ok(given)
            }
            Operation::Receive(_) => Ok(mix_in(given)),
            Operation::Send(..) | Operation::Call(_) => Ok(given),
            Operation::Sleep(_) => Ok(self.run.ready.now() as i64),
            Operation::Throw(code) => Err(*code),
            Operation::CheckCancel if lock(&self.run.shared).family.stop_asked(frame.task) => Err(CANCELLED),
            Operation::Lock(mutex) => {
                frame.guards.push(*mutex);
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    fn result_of(&self, child: TaskId) -> Result<i64, u32> {
        match lock(&self.run.shared).family.outcome(child) {
            Outcome::Value(value) => Ok(value),
            Outcome::Failure(code) => Err(code),
        }
    }

    /// Ends a task: drops what it holds, last taken first, and then lets its parent know.
    fn end(&self, frame: Frame, outcome: Outcome) {
        match outcome {
            Outcome::Value(value) => self.record_task(frame.task, EventKind::TaskEnd, value),
            Outcome::Failure(code) => self.record_task(frame.task, EventKind::TaskFail, i64::from(code)),
        }
        let mut woken = vec![];
        for &mutex in frame.guards.iter().rev() {
            lock(&self.run.shared).objects.unlock(mutex, &mut woken);
        }
        woken.into_iter().for_each(|frame| self.push(frame));
        for &child in frame.handles.iter().rev() {
            self.give_up(child);
        }
        let sequel = lock(&self.run.shared).family.end(self.run.graph, frame.task, outcome);
        match sequel {
            Sequel::Nothing => {}
            Sequel::Free => self.record_task(frame.task, EventKind::FrameFreed, 0),
            Sequel::Wake(parent) => self.push(parent),
        }
        if frame.task == 0 {
            self.run.ready.end();
        }
    }

    fn give_up(&self, child: TaskId) {
        let ended = lock(&self.run.shared).family.give_up(child);
        if ended {
            self.record_task(child, EventKind::FrameFreed, 0);
        }
    }
}

/// The children whose end the operation waits for; it is done with them when it returns.
fn waited_for(operation: &Operation) -> &[TaskId] {
    match operation {
        Operation::Join(child) => std::slice::from_ref(child),
        Operation::Start(_) => &[],
        _ => operation.begins(),
    }
}
