//! A task graph in the making: operations with holes between them, and what comes before what.

use crate::task_graph::{Affinity, Injections, Objects, Operation, ResultKind, Task, TaskGraph, TaskId, compact};

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
    pub injections: Injections,
    /// The way through the tree, for `spread_taint`.
    visits: Vec<Visit>,
}

/// A stage on the way through the tree of tasks, on which each step comes after what comes before it in every schedule.
enum Visit {
    Step(Position),
    Begin(usize),
    /// Of a task; on with who began it.
    End(usize),
    /// A task whose end this comes after.
    Join(usize),
}

pub(super) struct DraftTask {
    pub affinity: Affinity,
    pub result: ResultKind,
    pub steps: Vec<Step>,
    /// The marks of everything that this task's beginning and end come after.
    beginning: u8,
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
        Self { affinity, result, steps: Vec::new(), beginning: 0, end: 0 }
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
    pub fn new(objects: Objects) -> Self {
        Self { objects, tasks: vec![], prelude: vec![], injections: Injections::default(), visits: vec![] }
    }

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
        let Self { tasks, visits, .. } = self;
        let mut taint = 0;
        for visit in &*visits {
            match *visit {
                Visit::Step(Position { task, step }) => {
                    let step = &mut tasks[task].steps[step];
                    step.taint = taint;
                    taint |= step.marks;
                }
                Visit::Begin(task) => tasks[task].beginning = taint,
                Visit::End(task) => {
                    tasks[task].end = taint;
                    taint = tasks[task].beginning;
                }
                Visit::Join(task) => taint |= tasks[task].end,
            }
        }
    }

    /// Goes through the tree once, since neither it nor what waits for whom in it changes by filling holes, while taint
    /// is spread again and again.
    pub fn lay_out(&mut self) {
        let mut visits = vec![];
        self.lay_out_task(0, &mut visits);
        self.visits = visits;
    }

    fn lay_out_task(&self, task: usize, visits: &mut Vec<Visit>) {
        for (index, step) in self.tasks[task].steps.iter().enumerate() {
            visits.push(Visit::Step(Position { task, step: index }));
            let Some(operation) = &step.operation else { continue };
            for &child in operation.begins() {
                visits.push(Visit::Begin(child as usize));
                self.lay_out_task(child as usize, visits);
                visits.push(Visit::End(child as usize));
            }
            match operation {
                Operation::Start(_) => {}
                Operation::Join(child) => visits.push(Visit::Join(*child as usize)),
                _ => visits.extend(operation.begins().iter().map(|&child| Visit::Join(child as usize))),
            }
        }
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

    /// The task graph, without the holes that are left and the objects that nothing uses.
    pub fn finish(self) -> TaskGraph {
        let Self { objects, tasks, prelude, injections, .. } = self;
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
        let objects = compact::drop_unused(&objects, &mut tasks);
        TaskGraph { objects, injections, tasks }
    }
}

/// A task's index as the model writes it.
pub(super) fn id(task: usize) -> TaskId {
    task as TaskId
}
