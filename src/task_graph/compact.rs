//! Task graphs without what nothing needs: objects that no operation names, tasks that nothing begins.

use super::call::System;
use super::{EventReset, Objects, Operation, Task, TaskGraph, TaskId};

/// Drops the tasks that the root does not lead to and counts the others anew, then the objects.
pub(super) fn compact(graph: TaskGraph) -> TaskGraph {
    let TaskGraph { objects, injections, mut tasks } = graph;
    let mut names: Vec<Option<TaskId>> = vec![None; tasks.len()];
    let mut next = 0;
    for task in 0..tasks.len() {
        // Whoever begins a task comes before it, so it is known by now whether something does.
        if task == 0 || names[task].is_some() {
            names[task] = Some(next);
            next += 1;
            for &child in tasks[task].operations.iter().flat_map(Operation::begins) {
                names[child as usize] = Some(TaskId::MAX);
            }
        }
    }
    let mut kept = names.iter().map(Option::is_some);
    tasks.retain(|_| kept.next().unwrap_or(false));
    for child in tasks.iter_mut().flat_map(|task| &mut task.operations).flat_map(tasks_of) {
        *child = names[*child as usize].unwrap_or(*child);
    }
    let objects = drop_unused(&objects, &mut tasks);
    TaskGraph { objects, injections, tasks }
}

/// The tasks that an operation names.
pub(super) fn tasks_of(operation: &mut Operation) -> &mut [TaskId] {
    match operation {
        Operation::Await(child)
        | Operation::AwaitCatch(child)
        | Operation::Start(child)
        | Operation::Join(child)
        | Operation::Detach(child)
        | Operation::Cancel(child) => std::slice::from_mut(child),
        Operation::WhenAll(children) | Operation::WhenAny(children) => children,
        _ => &mut [],
    }
}

/// Drops the objects that no operation names and counts the others anew.
pub(super) fn drop_unused(objects: &Objects, tasks: &mut [Task]) -> Objects {
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
