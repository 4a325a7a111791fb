//! A program in the making: operations with holes between them, and what comes before what.

use crate::program::call::System;
use crate::program::{Affinity, EventReset, Objects, Operation, Program, ResultKind, Task, TaskId};

/// A waiting operation on an object whose rank is that of the object being planned, or higher.
pub(super) const WAIT: u8 = 1;
/// A send on the channel being planned.
pub(super) const SEND: u8 = 2;
/// A receive on the channel being planned.
pub(super) const RECEIVE: u8 = 4;

pub(super) struct Draft {
    pub objects: Objects,
    pub tasks: Vec<DraftTask>,
    /// What the root does before everything else: the supply that found no other place.
    pub prelude: Vec<Operation>,
}

pub(super) struct DraftTask {
    pub affinity: Affinity,
    pub result: ResultKind,
    pub steps: Vec<Step>,
    /// The marks of everything that this task's end comes after.
    end: u8,
}

pub(super) struct Step {
    /// None: a hole.
    pub operation: Option<Operation>,
    /// Whether a waiting operation may fill the hole.
    pub may_wait: bool,
    /// Whether it is certain that the task comes this far.
    pub sure: bool,
    /// [`WAIT`], [`SEND`] and [`RECEIVE`].
    pub marks: u8,
    /// The marks of everything that this step comes after.
    pub taint: u8,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub task: usize,
    pub step: usize,
}

impl DraftTask {
    pub fn new(affinity: Affinity, result: ResultKind) -> Self {
        Self { affinity, result, steps: Vec::new(), end: 0 }
    }
}

impl Step {
    pub fn new(operation: Operation) -> Self {
        Self { operation: Some(operation), may_wait: false, sure: false, marks: 0, taint: 0 }
    }

    pub fn hole(may_wait: bool) -> Self {
        Self { operation: None, may_wait, sure: false, marks: 0, taint: 0 }
    }
}

impl Draft {
    pub fn at(&mut self, position: Position) -> &mut Step {
        &mut self.tasks[position.task].steps[position.step]
    }

    /// The holes that are left, in the order of tasks and steps.
    pub fn holes(&self) -> Vec<Position> {
        let steps = self.tasks.iter().enumerate();
        steps
            .flat_map(|(task, draft)| (0..draft.steps.len()).map(move |step| Position { task, step }))
            .filter(|position| self.tasks[position.task].steps[position.step].operation.is_none())
            .collect()
    }

    /// Works out which steps are sure. Filling holes does not change it: what fills them cannot fail.
    pub fn find_sure(&mut self) {
        self.find_sure_from(0, true);
    }

    /// Returns whether the task may fail. The recursion is as deep as the tree, which is bounded.
    fn find_sure_from(&mut self, task: usize, mut sure: bool) -> bool {
        let mut failing = vec![];
        let mut may_fail = false;
        for index in 0..self.tasks[task].steps.len() {
            let step = &mut self.tasks[task].steps[index];
            step.sure = sure;
            let operation = step.operation.take();
            let fails = match &operation {
                Some(Operation::Throw(_) | Operation::CheckCancel) => true,
                Some(Operation::Join(child)) => failing.contains(child),
                Some(operation) => {
                    let mut any = false;
                    for &child in operation.begins() {
                        if self.find_sure_from(child as usize, sure) {
                            any = true;
                            failing.push(child);
                        }
                    }
                    any && !matches!(operation, Operation::Start(_) | Operation::AwaitCatch(_))
                }
                None => false,
            };
            self.tasks[task].steps[index].operation = operation;
            sure &= !fails;
            may_fail |= fails;
        }
        may_fail
    }

    /// Works out the taint of every step anew.
    pub fn spread_taint(&mut self) {
        self.spread_taint_from(0, 0);
    }

    fn spread_taint_from(&mut self, task: usize, mut taint: u8) {
        for index in 0..self.tasks[task].steps.len() {
            let step = &mut self.tasks[task].steps[index];
            step.taint = taint;
            taint |= step.marks;
            let operation = step.operation.take();
            match &operation {
                Some(Operation::Join(child)) => taint |= self.tasks[*child as usize].end,
                Some(operation) => {
                    let at_beginning = taint;
                    for &child in operation.begins() {
                        self.spread_taint_from(child as usize, at_beginning);
                        if !matches!(operation, Operation::Start(_)) {
                            taint |= self.tasks[child as usize].end;
                        }
                    }
                }
                None => {}
            }
            self.tasks[task].steps[index].operation = operation;
        }
        self.tasks[task].end = taint;
    }

    /// Turns what was particular to a channel into ordinary waits, for the objects of lower rank.
    pub fn settle_marks(&mut self) {
        for step in self.tasks.iter_mut().flat_map(|task| &mut task.steps) {
            if step.marks != 0 {
                step.marks = WAIT;
            }
        }
        self.spread_taint();
    }

    /// The program, without the holes that are left and the objects that nothing uses.
    pub fn finish(self) -> Program {
        let Self { objects, tasks, prelude } = self;
        let mut prelude = Some(prelude);
        let mut tasks: Vec<Task> = tasks
            .into_iter()
            .map(|task| {
                let steps = task.steps.into_iter().filter_map(|step| step.operation);
                // The root comes first and takes the prelude.
                let operations = prelude.take().unwrap_or_default().into_iter().chain(steps).collect();
                Task { affinity: task.affinity, result: task.result, operations }
            })
            .collect();
        let objects = drop_unused(objects, &mut tasks);
        Program { objects, tasks, ..Program::default() }
    }
}

/// Drops the objects that no operation names and counts the others anew.
fn drop_unused(objects: Objects, tasks: &mut [Task]) -> Objects {
    let mut mutexes = Renaming::new(objects.mutexes as usize);
    let mut semaphores = Renaming::new(objects.semaphores.len());
    let mut events = Renaming::new(objects.events.len());
    let mut latches = Renaming::new(objects.latches.len());
    let mut barriers = Renaming::new(objects.barriers.len());
    let mut channels = Renaming::new(objects.channels.len());
    let mut processors = Renaming::new(objects.processors.len());
    let mut engines = Renaming::new(objects.engines as usize);
    let mut registries = Renaming::new(objects.registries as usize);
    let mut leases = Renaming::new(objects.leases as usize);
    for operation in tasks.iter_mut().flat_map(|task| &mut task.operations) {
        match operation {
            Operation::Lock(id) | Operation::Unlock(id) => mutexes.rename(id),
            Operation::Acquire(id) | Operation::Release(id) => semaphores.rename(id),
            Operation::SetEvent(id) | Operation::ResetEvent(id) | Operation::WaitEvent(id) => events.rename(id),
            Operation::LatchArrive(id) | Operation::LatchWait(id) => latches.rename(id),
            Operation::BarrierArrive(id) | Operation::BarrierWait(id) => barriers.rename(id),
            Operation::Send(id, _) | Operation::Receive(id) | Operation::Close(id) => channels.rename(id),
            Operation::Call(call) => {
                let system = call.object().map(|(system, _)| system);
                if let (Some(system), Some(id)) = (system, call.object_mut()) {
                    match system {
                        System::Processor => processors.rename(id),
                        System::Engine => engines.rename(id),
                        System::Registry => registries.rename(id),
                        System::Lease => leases.rename(id),
                    }
                }
            }
            _ => {}
        }
    }
    Objects {
        mutexes: mutexes.count(),
        semaphores: semaphores.keep(&objects.semaphores),
        events: events.keep::<EventReset>(&objects.events),
        latches: latches.keep(&objects.latches),
        barriers: barriers.keep(&objects.barriers),
        channels: channels.keep(&objects.channels),
        processors: processors.keep(&objects.processors),
        engines: engines.count(),
        registries: registries.count(),
        leases: leases.count(),
    }
}

/// New indices for the objects of one kind, in the order in which they are first named.
struct Renaming {
    names: Vec<Option<u32>>,
    kept: Vec<usize>,
}

impl Renaming {
    fn new(count: usize) -> Self {
        Self { names: vec![None; count], kept: vec![] }
    }

    fn rename(&mut self, id: &mut u32) {
        let old = *id as usize;
        *id = *self.names[old].get_or_insert_with(|| {
            self.kept.push(old);
            self.kept.len() as u32 - 1
        });
    }

    fn count(&self) -> u32 {
        self.kept.len() as u32
    }

    fn keep<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.kept.iter().map(|&old| values[old]).collect()
    }
}

/// A task's index as the model writes it.
pub(super) fn id(task: usize) -> TaskId {
    task as TaskId
}
